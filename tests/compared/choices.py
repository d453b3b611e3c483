"""What a run may choose from: few names, so that commands meet; and settlements of runs that were handed out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hypothesis import strategies as st

from exqueue.persistence.values import Bury, Done, GiveBack, Leave, NewJob, Recovered, Retry
from tests.compared.server_time import UNIT_S
from tests.compared.stores import EPOCH_S
from tests.persistence.conformance.play import STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.persistence.values import RunningEntry, Settlement

QUEUES = ("q", "Größe")
CALLERS = ("ann", "bob")
TOKENS = ("red", "blue")
NODES = ("node-1", "node-2")
IDS = ("a", "b", "c|1", "d,e", '"f"', "g:h", "ü", "zz")
"""Some with the characters that the backends put between values."""
HOUR_S = 60 * UNIT_S

queues = st.sampled_from(QUEUES)
callers = st.sampled_from(CALLERS)
tokens = st.sampled_from(TOKENS)
nodes = st.sampled_from(NODES)
job_ids = st.sampled_from(IDS)
states = st.sampled_from(STATES)
some_ids = st.lists(job_ids, min_size=1, max_size=2)
records = st.binary(max_size=4)
ttls = st.sampled_from((UNIT_S, 3 * UNIT_S, 10 * UNIT_S))
moves_of_the_clock = st.sampled_from(
    (UNIT_S, UNIT_S, UNIT_S, 2 * UNIT_S, 5 * UNIT_S, HOUR_S, HOUR_S - UNIT_S, 72 * HOUR_S)
)
delays = st.sampled_from((0.0, 0.0, -1.0, 0.0004, 0.25, UNIT_S, UNIT_S, 2 * UNIT_S, 10 * UNIT_S, 2 * HOUR_S))
moments = st.sampled_from((None, None, None, 1.0, EPOCH_S, EPOCH_S + UNIT_S, EPOCH_S + 0.9996, EPOCH_S + 100 * HOUR_S))
steps = st.sampled_from((0, 0, 0, 0, -1, 1))
"""From what is right to what is wrong by one."""
wants = st.sampled_from((0, 1, 2, 2, 3, 20))
fresh = st.builds(NewJob, job_ids, records)
jobs = st.lists(fresh | fresh | st.builds(NewJob, job_ids, records, delays, moments), min_size=1, max_size=6).map(tuple)

MADE_UP = (b"", b"1|1|1|1", b"1|1|1|1700000000000", b"99")


Kind = Literal["done", "retry", "bury", "give back", "recovered"]


@dataclass(frozen=True, slots=True)
class End:
    """How some run ends.

    ``which``: 0 is the latest that was handed out, 1 the one before and so on, around. ``is_late``: also of those that
    are over. ``astray``: it is said of a job of another id, or of a run that never was.
    """

    which: int
    is_late: bool
    kind: Kind
    delay: float
    trail: bytes | None
    astray: Literal["", "id", "run"]

    def of(self, runs: Sequence[RunningEntry]) -> Settlement | None:
        """The settlement; ``None`` when nothing was handed out yet."""
        if not runs:
            return None
        entry = runs[-1 - self.which % len(runs)]
        job_id = IDS[self.which % len(IDS)] if self.astray == "id" else entry.id
        run = MADE_UP[self.which % len(MADE_UP)] if self.astray == "run" else entry.run
        match self.kind:
            case "done":
                return Done(job_id, run)
            case "retry":
                return Retry(job_id, run, self.delay, self.trail)
            case "bury":
                return Bury(job_id, run, self.trail)
            case "give back":
                return GiveBack(job_id, run)
            case "recovered":
                return Recovered(job_id, run)


ends = st.lists(
    st.builds(
        End,
        which=st.integers(0, 5),
        is_late=st.sampled_from((False, False, False, False, True)),
        kind=st.sampled_from(("done", "retry", "bury", "bury", "give back", "recovered", "recovered")),
        delay=delays,
        trail=st.none() | st.binary(max_size=3),
        astray=st.sampled_from(("", "", "", "", "", "", "", "", "id", "run")),
    ),
    min_size=1,
    max_size=5,
)
leaves = st.builds(Leave, st.booleans(), st.sampled_from((None, None, 2, 3)))
turns = st.lists(st.tuples(wants, leaves, ends), min_size=1, max_size=4)
"""How many are wanted, with which leave for suspects, and what ended since the turn before."""
