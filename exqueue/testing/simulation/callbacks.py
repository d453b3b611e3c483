"""Making an actor raise in a callback of its own, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from exqueue.supervision import Actor

if TYPE_CHECKING:
    from collections.abc import Callable

Callback = Literal["on_start", "on_receive", "on_turn_end", "on_stop", "on_failure"]

CALLBACKS: tuple[Callback, ...] = get_args(Callback)


@dataclass(frozen=True, slots=True)
class CallbackFault:
    """What an actor is to raise: when the callback begins, or when its work is done."""

    callback: Callback
    error: BaseException
    at_end: bool


class CallbackFaults:
    """The actors of one system, by name, and what the next of a name is to raise when it starts."""

    def __init__(self) -> None:
        self._actors: dict[str, Actor] = {}
        self._starts: dict[str, CallbackFault] = {}

    def started(self, loop: Callable[[], None], name: str) -> None:
        """The loop of an actor, or of something else, is about to begin."""
        actor = getattr(loop, "__self__", None)
        if isinstance(actor, Actor):
            self._actors[name] = actor
            if (fault := self._starts.pop(name, None)) is not None:
                _raise_once(actor, fault)

    def arm(self, name: str, fault: CallbackFault) -> None:
        """Make the actor of this name raise once."""
        if fault.callback == "on_start":
            self._starts[name] = fault
        elif name in self._actors:
            _raise_once(self._actors[name], fault)


def _raise_once(actor: Actor, fault: CallbackFault) -> None:
    usual = getattr(actor, fault.callback)

    def raising(*args: Any) -> Any:
        delattr(actor, fault.callback)
        if fault.at_end:
            usual(*args)
        raise fault.error

    setattr(actor, fault.callback, raising)
