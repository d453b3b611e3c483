"""What is under way at a moment, in words: the columns of the table of what met what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.proof.load import QUEUES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exqueue.testing.simulation.world import World
    from tests.proof.oracle import Oracle
    from tests.proof.plan import Moment


def _has(state: str) -> Callable[[World, Oracle], bool]:
    return lambda _, oracle: any(place.state == state for _, place in oracle.shadow.stored())


def _calls(verb: str) -> Callable[[World, Oracle], bool]:
    return lambda world, _: world.network.under_way[verb] > 0


def _is_claiming(world: World, oracle: Oracle) -> bool:
    """Somebody leads who has not claimed every queue yet."""
    holder = world.store.overview(()).holder
    owners = [oracle.shadow.owner(queue) for queue in QUEUES]
    return holder is not None and any(owner.fence is None or owner.fence.epoch < holder.epoch for owner in owners)


def _is_starting(world: World, _: Oracle) -> bool:
    """Some of a node's queues are started, and some are not."""
    started = (len(node.table("queues")) for node in world.nodes.values() if not node.has_ended)
    return any(0 < count < len(QUEUES) for count in started)


IS_SO: dict[Moment, Callable[[World, Oracle], bool]] = {
    "nobody leads": lambda world, _: world.leader is None,
    "taking over": _is_claiming,
    "ready": _has("ready"),
    "waiting": _has("waiting"),
    "running": _has("running"),
    "dead": _has("dead"),
    "suspects": lambda _, oracle: any(len(losses) > 1 for losses in oracle.shadow.losses.values()),
    "in a push": _calls("push"),
    "in an exchange": _calls("exchange"),
    "in a claim": _calls("claim"),
    "in an acquire": _calls("acquire"),
    "a node starting": _is_starting,
    "a node frozen": lambda world, _: any(node.owner.is_frozen for node in world.living),
    "a node stopping": lambda world, oracle: any(not world.nodes[name].has_ended for name in oracle.stopping),
    "no answers": lambda world, _: world.network.is_out or world.network.refuses is not None,
    "idle": lambda world, _: world.is_quiet(),
}


def moments(world: World, oracle: Oracle) -> Iterator[Moment]:
    """The names of all that is so just now."""
    return (name for name, is_so in IS_SO.items() if is_so(world, oracle))
