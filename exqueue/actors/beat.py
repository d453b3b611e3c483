"""A node's sign of life: what it says of itself, so that every node can show the same status."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exqueue.actors.damage import known_damage
from exqueue.actors.newer import sentences
from exqueue.actors.tables import RunTables, abandoned_count, abandoned_table, failures_table, queues_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from exqueue.actors.tables import RunningRow
    from exqueue.clock import Clock
    from exqueue.supervision import Board

FORMAT = 1
"""Higher when what stands there would be misread; a key more is no new format."""


@dataclass(frozen=True, slots=True)
class BeatQueue:
    """A queue that is started on the node, and how many abandoned threads it has there."""

    concurrency: int
    serial: bool
    abandoned: int


@dataclass(frozen=True, slots=True)
class Beat:
    """What a node says of itself: started queues, who runs which job ((queue, id) -> worker), what can't work.

    ``damaged``: queue -> what is wrong with it, see `exqueue.actors.damage`. ``abandoned``: the (queue, id) of those
    jobs that run in an abandoned thread.
    """

    queues: Mapping[str, BeatQueue]
    workers: Mapping[tuple[str, str], str]
    failures: tuple[str, ...]
    damaged: Mapping[str, str] = field(default_factory=dict)
    abandoned: frozenset[tuple[str, str]] = frozenset()


NOTHING_SAID = Beat(queues={}, workers={}, failures=())
"""Of a node of which only is known that it lives."""


def present_beat(board: Board, clock: Clock) -> Beat:
    """What there is to say of this node now."""
    queues = queues_table(board).copy()
    abandoned, running = abandoned_table(board), _running(board, queues)
    return Beat(
        queues={
            queue: BeatQueue(settings.concurrency, settings.serial, abandoned_count(board, queue))
            for queue, settings in queues.items()
        },
        workers={job: row.worker for job, row in running.items()},
        failures=(*failures_table(board).values(), *sentences(board, clock.monotonic())),
        damaged=known_damage(board),
        abandoned=frozenset(job for job, row in running.items() if row.urn in abandoned),
    )


def _running(board: Board, queues: Iterable[str]) -> dict[tuple[str, str], RunningRow]:
    """(queue, id) -> who executes it; without what is superseded, of which the persistence lists another run."""
    found: dict[tuple[str, str], RunningRow] = {}
    for queue in queues:
        tables = RunTables(board, queue)
        found |= {(queue, key[0]): row for key, row in list(tables.running.items()) if key not in tables.superseded}
    return found


def encode_beat(beat: Beat) -> bytes:
    """The bytes that the persistence keeps."""
    return json.dumps(
        {
            "format": FORMAT,
            "queues": {name: [queue.concurrency, queue.serial, queue.abandoned] for name, queue in beat.queues.items()},
            "workers": [[queue, job_id, worker] for (queue, job_id), worker in beat.workers.items()],
            "failures": list(beat.failures),
            "damaged": dict(beat.damaged),
            "abandoned": sorted(beat.abandoned),
        },
        separators=(",", ":"),
    ).encode()


def decode_beat(data: bytes) -> Beat:
    """What a node said; of a format that is not known here, that it lives and no more."""
    try:
        told = json.loads(data)
        if told["format"] != FORMAT:
            return NOTHING_SAID
        return Beat(
            queues={name: BeatQueue(*row) for name, row in told["queues"].items()},
            workers={(queue, job_id): worker for queue, job_id, worker in told["workers"]},
            failures=tuple(told["failures"]),
            damaged=dict(told.get("damaged", {})),
            abandoned=frozenset((queue, job_id) for queue, job_id in told.get("abandoned", ())),
        )
    except (ValueError, KeyError, TypeError):
        return NOTHING_SAID
