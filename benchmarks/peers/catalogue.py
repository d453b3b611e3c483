"""Who is compared, in which variant, and what each of them lacks.

The settings themselves, with the pages that recommend them, stand in ``programs/<folder>/``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SETTLE_S: Final = 0.5
# The processes of a pool start one by one, on one CPU, while the first of them works already.
POOL_SETTLES_S: Final = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One library in one variant.

    Attributes:
        name: as on the command line and in the results.
        folder: of its program, and of its environment; variants share it.
        settings: those that matter, in a line.
        acknowledged: when a job counts as done.
        store: ``redis`` or ``sqlite``.
        has_bulk: whether many jobs can be stored by one call.
        variables: further environment variables of its programs.
        settle_s_a_slot: how long after the first job processes may still be starting, in seconds a slot.
    """

    name: str
    folder: str
    settings: str
    acknowledged: str = "after the run"
    store: str = "redis"
    has_bulk: bool = False
    variables: tuple[tuple[str, str], ...] = ()
    settle_s_a_slot: float = 0.0

    @property
    def title(self) -> str:
        """As in tables and charts: ``huey on SQLite`` for ``huey-sqlite``."""
        return self.name.replace("-sqlite", " on SQLite").replace("-", " with ")

    def settle_s(self, slots: int) -> float:
        """How long after the first job nothing is measured, in seconds."""
        return SETTLE_S + slots * self.settle_s_a_slot


PEERS: Final = (
    Peer(name="exqueue", folder="exqueue", settings="as it comes", has_bulk=True),
    Peer(name="dramatiq", folder="dramatiq", settings="1 process, threads"),
    Peer(
        name="dramatiq-prefetch",
        folder="dramatiq",
        settings="1 process, threads, prefetch 1000",
        variables=(("dramatiq_queue_prefetch", "1000"),),
    ),
    Peer(
        name="rq",
        folder="rq",
        settings="a pool of SimpleWorker, 1 process a slot, result_ttl 0",
        has_bulk=True,
        settle_s_a_slot=POOL_SETTLES_S,
    ),
    Peer(name="huey", folder="huey", settings="threads, no results", acknowledged="never: what is taken is gone"),
    Peer(name="celery", folder="celery", settings="threads, acks_late, prefetch multiplier 100, no results"),
    Peer(name="arq", folder="arq", settings="poll_delay 10 ms, keep_result 0"),
    Peer(name="taskiq", folder="taskiq", settings="Redis stream, 1 process"),
    Peer(name="saq", folder="saq", settings="ttl -1, retries 3, timeout 30 s"),
    Peer(name="streaq", folder="streaq", settings="1 process, ttl 0", has_bulk=True),
    Peer(name="bullmq", folder="bullmq", settings="Node, removeOnComplete", has_bulk=True),
    Peer(name="exqueue-sqlite", folder="exqueue", settings="as it comes", store="sqlite", has_bulk=True),
    Peer(
        name="huey-sqlite",
        folder="huey",
        settings="threads, no results, polls at most 0.1 s apart",
        acknowledged="never: what is taken is gone",
        store="sqlite",
    ),
)


def chosen(names: str) -> tuple[Peer, ...]:
    """Those named, in the order of the catalogue.

    Args:
        names: separated by commas; a folder's name stands for all of its variants; empty for everybody.

    Raises:
        ValueError: there is no such peer; the message lists those that there are.
    """
    wanted = {name.strip() for name in names.split(",") if name.strip()}
    known = {peer.name for peer in PEERS} | {peer.folder for peer in PEERS}
    if unknown := sorted(wanted - known):
        raise ValueError(f"no peer is called {', '.join(unknown)}; there are {', '.join(peer.name for peer in PEERS)}")
    return tuple(peer for peer in PEERS if not wanted or {peer.name, peer.folder} & wanted)
