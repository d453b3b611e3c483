"""Who has led: nobody takes a job from itself, and nobody believes that it leads for longer than the store does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.proof.shadow import Broken

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exqueue.persistence.values import Fence
    from exqueue.testing.simulation.world import Node, World


class Reigns:
    """A reign lasts until another system is given the lock, or the store loses what it had acknowledged."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._number = 0
        self._may_be_refused = False
        self._leads: Node | None = None
        self._claimed: dict[str, tuple[int, Node]] = {}
        self._systems: dict[str, Node] = {}
        self._lent_until: dict[Fence, float] = {}

    def calls(self, name: str) -> None:
        """A node calls. A late call of one that was killed since is told from those of its successor by the token.

        Raises:
            Broken: it believes that it leads for longer than any answer has allowed it to.
        """
        node = self._world.nodes[name]
        self._systems.setdefault(node.token, node)
        lead = node.table("lead")
        lent_until = self._lent_until.get(lead.get("fence"))  # type: ignore[arg-type] # None leads nowhere
        if lent_until is not None and lead["lease_until"] > lent_until:
            raise Broken(f"one leader: {name} counts on its lease until {lead['lease_until']}, not {lent_until}")

    def lent(self, fence: Fence, until: float) -> None:
        """The store gives the lock, or renews it."""
        self._lent_until[fence] = max(until, self._lent_until.get(fence, 0.0))

    def granted(self, name: str, token: str) -> None:
        """A node is given the lock."""
        system = self._system(name, token)
        if system is not self._leads:
            self._leads = system
            self._number += 1

    def lost(self) -> None:
        """The store went back."""
        self._leads = None
        self._number += 1
        self._may_be_refused = True

    def claimed(self, queue: str, name: str, token: str, recovered: Iterable[str]) -> None:
        """A queue is claimed with a new fence, and what ran under the old one is put back.

        Raises:
            Broken: the same system has claimed it before, and nobody has led since.
        """
        claim = (self._number, self._system(name, token))
        # Who is granted an epoch that the store had forgotten may be refused by a queue, and needs a higher one.
        if self._claimed.get(queue) == claim and recovered and not self._may_be_refused:
            raise Broken(f"repeated: {', '.join(recovered)} of {queue} put back by {name}, which led all the time")
        self._claimed[queue] = claim

    def _system(self, name: str, token: str) -> Node:
        """Whose token it is. What no system was given is one that the node has drawn itself."""
        return self._systems.get(token, self._world.nodes[name])
