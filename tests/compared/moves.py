"""The steps of a run by their names: how often each is taken, and what it may be given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from tests.compared.choices import (
    TOKENS,
    callers,
    ends,
    job_ids,
    jobs,
    moves_of_the_clock,
    nodes,
    queues,
    records,
    some_ids,
    states,
    steps,
    tokens,
    ttls,
    turns,
    wants,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True, slots=True)
class Move:
    """A method of the machine and its arguments."""

    name: str
    arguments: dict[str, Any]


COMMANDS = ("retry_dead", "retry_dead", "delete_dead", "cancel", "cancel", "cancel", "pause", "resume", "resume")
WRONG = ("", "", "", "epoch below", "epoch above", "token", "seat below", "seat above", "late", "early")
TAKING = ("next seat", "seat before", "take over", "far above", "amiss", "amiss")
THEN = ("", "renew", "renew", "release", "fall", "evict", "evict another", "evict returning")

_flags: Final = st.booleans()
_MOVES: Final[Mapping[str, tuple[int, Mapping[str, SearchStrategy[Any]]]]] = {
    "push": (4, {"queue": queues, "caller": callers, "jobs": jobs, "skip": st.sampled_from((1, 1, 1, 5))}),
    "push_to_both": (
        1,
        {
            "caller": callers,
            "jobs": st.tuples(jobs, jobs),
            "steps": st.tuples(*[st.sampled_from((1, 1, 1, 2, -1))] * 2),
        },
    ),
    "command_someone": (
        6,
        {"queue": queues, "caller": callers, "verb": st.sampled_from(COMMANDS), "state": states, "ids": some_ids},
    ),
    "repeat": (2, {"which": st.integers(0, 3), "back": st.sampled_from((0, 0, 1, 3)), "jobs": jobs}),
    "take": (
        2,
        {
            "queue": queues,
            "how": st.sampled_from(TAKING),
            "token": tokens,
            "seat": st.integers(0, 4),
            "step": st.integers(-1, 0),
        },
    ),
    "work": (5, {"queue": queues, "turns": turns}),
    "work_one_by_one": (5, {"queue": queues, "turns": turns}),
    "lose_often": (
        1,
        {
            "queue": queues,
            "times": st.integers(2, 3),
            "ending": st.sampled_from(("retry", "retry", "give back", "bury", "done")),
            "want": wants,
        },
    ),
    "exchange_amiss": (2, {"queue": queues, "ends": ends, "want": wants, "wrong": st.sampled_from(WRONG)}),
    "sweep": (1, {"steps": st.tuples(steps, steps, steps)}),
    "rise_or_fall": (1, {"token": tokens}),
    "acquire": (
        3,
        {
            "token": tokens,
            "node": nodes,
            "ttl": ttls,
            "above": st.sampled_from((None, None, 0, 2)),
            "then": st.sampled_from(THEN),
        },
    ),
    "renew_or_release": (
        1,
        {
            "verb": st.sampled_from(("renew", "release")),
            "step": steps,
            "other": st.sampled_from((None, None, None, *TOKENS)),
            "ttl": ttls,
        },
    ),
    "show_life": (
        1,
        {"verb": st.sampled_from(("beat", "beat", "forget")), "node": nodes, "info": records, "ttl": ttls},
    ),
    "read": (
        2,
        {"queue": queues, "limit": st.sampled_from((9, 2, 9, 1, 0)), "offset": st.sampled_from((0, 0, 0, 1, 9))},
    ),
    "report": (1, {"queue": queues, "job_id": job_ids, "leave": st.integers(0, 1)}),
    "pass_time": (4, {"seconds": moves_of_the_clock}),
    "change": (2, {"queue": queues, "what": st.sampled_from(("concurrency", "concurrency", "session"))}),
}


def _move(name: str) -> SearchStrategy[Move]:
    return st.fixed_dictionaries(dict(_MOVES[name][1])).map(lambda arguments: Move(name, arguments))


a_move: Final = st.sampled_from([name for name, (weight, _) in _MOVES.items() for _ in range(weight)]).flatmap(_move)
"""One step. (Of rules Hypothesis would leave out half in each run, and little would come about.)"""
