"""A node's sign of life: what it says of itself, so that every node can show the same status."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exqueue.actors.damage import known_damage
from exqueue.actors.tables import RunTables, abandoned_count, failures_table, queues_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exqueue.supervision import Board

FORMAT = 1
"""Higher when what stands there would be misread; a key more is no new format."""


@dataclass(frozen=True, slots=True)
class BeatQueue:
    """A queue that is started on the node, and how many threads past their limit it has there."""

    concurrency: int
    serial: bool
    abandoned: int


@dataclass(frozen=True, slots=True)
class Beat:
    """What a node says of itself: started queues, who runs which job ((queue, id) -> worker), what can't work.

    ``damaged``: queue -> what is wrong with it, see `exqueue.actors.damage`.
    """

    queues: Mapping[str, BeatQueue]
    workers: Mapping[tuple[str, str], str]
    failures: tuple[str, ...]
    damaged: Mapping[str, str] = field(default_factory=dict)


NOTHING_SAID = Beat(queues={}, workers={}, failures=())
"""Of a node of which only is known that it lives."""


def present_beat(board: Board) -> Beat:
    """What there is to say of this node now."""
    queues = queues_table(board).copy()
    return Beat(
        queues={
            queue: BeatQueue(settings.concurrency, settings.serial, abandoned_count(board, queue))
            for queue, settings in queues.items()
        },
        workers={
            (queue, key[0]): row.worker
            for queue in queues
            for key, row in list(RunTables(board, queue).running.items())
        },
        failures=tuple(failures_table(board).values()),
        damaged=known_damage(board),
    )


def encode_beat(beat: Beat) -> bytes:
    """The bytes that the persistence keeps."""
    return json.dumps(
        {
            "format": FORMAT,
            "queues": {name: [queue.concurrency, queue.serial, queue.abandoned] for name, queue in beat.queues.items()},
            "workers": [[queue, job_id, worker] for (queue, job_id), worker in beat.workers.items()],
            "failures": list(beat.failures),
            "damaged": dict(beat.damaged),
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
        )
    except (ValueError, KeyError, TypeError):
        return NOTHING_SAID
