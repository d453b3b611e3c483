"""What the store did, as events: leaderships, claims, what is stored for the first time, settled and handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exqueue.persistence.values import Fence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exqueue.persistence.values import Push
    from exqueue.testing.simulation.network import Effect


class Chronicle:
    """A watcher of the network.

    Args:
        note: takes (node, word, subject).
    """

    def __init__(self, note: Callable[[str, str, str], None]) -> None:
        self._note = note
        self._pushed: set[tuple[str, str]] = set()
        self._exchanged: set[tuple[str, Fence, int, int]] = set()

    def __call__(self, effect: Effect) -> None:
        """Note what there is to be said of an effect."""
        node, verb = effect.request.node, effect.request.verb
        if effect.error is not None:
            self._note(node, verb, type(effect.error).__name__)
            return
        match verb:
            case "push":
                self._note_pushed(node, effect.request.named["pushes"])
            case "exchange":
                self._note_exchanged(node, effect.request.named, effect.answer)
            case "claim":
                self._note(node, "claims", effect.request.named["queue"])
            case "acquire" if isinstance(effect.answer, Fence):
                self._note(node, "leads", str(effect.answer.epoch))
            case "presence":
                self._note(node, "sees", effect.answer.state)

    def forget(self) -> None:
        """The store has lost what it held: all that it does is new again."""
        self._pushed.clear()
        self._exchanged.clear()

    def _note_pushed(self, node: str, pushes: Sequence[Push]) -> None:
        for push in pushes:
            for new in push.jobs:
                if (push.queue, new.id) not in self._pushed:
                    self._pushed.add((push.queue, new.id))
                    self._note(node, "pushed", new.id)

    def _note_exchanged(self, node: str, call: dict[str, Any], answer: Any) -> None:
        """Once a call: which settlements it has taken and what it has handed out."""
        key = (call["queue"], call["fence"], call["seat"], call["call"])
        if key in self._exchanged:
            return
        self._exchanged.add(key)
        for position, settlement in enumerate(call["settlements"]):
            word = "refused" if position in answer.refused else type(settlement).__name__.lower()
            self._note(node, word, settlement.id)
        for job in answer.jobs:
            self._note(node, "fetched", job.id)
