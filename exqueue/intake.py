"""From an `Enqueue` to what the Producer stores: checked and encoded in the thread of whoever enqueues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.actors.bounds import MAX_PUSH_BYTES
from exqueue.actors.protocol import Store
from exqueue.errors import ExqueueError
from exqueue.persistence.values import MAX_BATCH, NewJob
from exqueue.record import encode_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.codec import Codec
    from exqueue.ids import IdSource
    from exqueue.messages import Enqueue


def stored(message: Enqueue, ids: IdSource, now: float, codec: Codec, max_payload: int) -> tuple[str, NewJob]:
    """The queue and the job as it will be stored.

    Raises:
        ArgumentsError: the arguments do not fit ``perform``.
        PayloadError: an argument can't be stored.
    """
    if message.definition is not None:
        message.definition.check(message.kwargs)
    record = encode_record(message.name, message.kwargs, now, codec, max_payload)
    at = None if message.at is None else message.at.timestamp()
    return message.queue, NewJob(message.id or ids.next(), record, message.delay or 0.0, at)


def all_stored(
    messages: Sequence[Enqueue], ids: IdSource, now: float, codec: Codec, max_payload: int
) -> list[tuple[str, NewJob]]:
    """As `stored`, of each; where one of many is refused, a note says which, and that none is stored."""
    jobs: list[tuple[str, NewJob]] = []
    for message in messages:
        try:
            jobs.append(stored(message, ids, now, codec, max_payload))
        except ExqueueError as refusal:
            if len(messages) > 1:
                refusal.add_note(f"this is entry {len(jobs)} of {len(messages)}, from 0; none of them is stored")
            raise
    return jobs


def pieces(jobs: Sequence[tuple[str, NewJob]]) -> tuple[Store, ...]:
    """The jobs in pieces of one queue, each within its bounds, in the order in which they were given."""
    stores: list[Store] = []
    open_pieces: dict[str, tuple[list[NewJob], int]] = {}
    for queue, job in jobs:
        piece, size = open_pieces.get(queue, ([], 0))
        if piece and (len(piece) == MAX_BATCH or size + len(job.record) > MAX_PUSH_BYTES):
            stores.append(Store(queue, tuple(piece), size))
            piece, size = [], 0
        piece.append(job)
        open_pieces[queue] = piece, size + len(job.record)
    stores.extend(Store(queue, tuple(piece), size) for queue, (piece, size) in open_pieces.items())
    return tuple(stores)
