"""Queues that are started on a standby only, so that nobody works them: pure functions, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exqueue.actors.beat import Beat
    from exqueue.persistence.values import QueueCounts

FIRST_LOOK_AFTER_S = 5.0
"""How long a node stands by before it looks: the leader may just be starting its queues."""

SAID_EVERY_S = 60.0
"""How often it is said again while it stays so."""


def unworked(here: Iterable[str], leader: Beat | None) -> tuple[str, ...]:
    """Those of the queues ``here`` that the leader has not started; none while the leader says nothing of itself."""
    return () if leader is None else tuple(sorted(queue for queue in here if queue not in leader.queues))


def warning(counts: Sequence[QueueCounts], node: str, leader: str) -> str:
    """What a person is told of queues that nobody works."""
    queues = ", ".join(f"{one.queue} ({one.ready} ready, {one.waiting} waiting)" for one in counts)
    return (
        f"nobody works {queues}: started here on node {node}, which stands by, but not on node {leader}, which leads. "
        "Start the same job classes on both, or give the two programs namespaces of their own"
    )
