"""A node's sign of life: what it says of itself, so that every node can show the same status."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 1


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
        return Beat(
            queues={name: BeatQueue(*row) for name, row in told["queues"].items()},
            workers={(queue, job_id): worker for queue, job_id, worker in told["workers"]},
            failures=tuple(told["failures"]),
            damaged=dict(told.get("damaged", {})),
            abandoned=frozenset((queue, job_id) for queue, job_id in told.get("abandoned", ())),
        )
    except (ValueError, KeyError, TypeError):
        return Beat(queues={}, workers={}, failures=())
