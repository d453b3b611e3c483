"""Names instead of refs: who answers to a path now, and what waits for one that is being restarted."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from exqueue.supervision.inbox import Envelope, undelivered
from exqueue.supervision.signals import Down

if TYPE_CHECKING:
    import pykka

    from exqueue.supervision.exits import Exit

MAX_PARKED = 20_000
"""Envelopes that wait for one restarting name; past it the oldest is answered as undelivered."""


class Names:
    """The register of one system. Safe from any thread.

    A name is *expected* from when a supervisor takes it on until the supervisor lets it go. What is sent ``kept`` to an
    expected name that nobody answers to is parked, and is the first thing that the next actor of that name finds; so
    is what an actor leaves ``kept`` in its inbox when it crashes. Everything else that is sent to nobody is dropped:
    what actors tell each other must be made good by the receiver's own start.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refs: dict[str, pykka.ActorRef[Any]] = {}
        self._parked: dict[str, deque[Envelope]] = {}
        self._monitors: dict[str, tuple[str, ...]] = {}

    def whereis(self, name: str) -> pykka.ActorRef[Any] | None:
        """The actor that answers to ``name`` now."""
        return self._refs.get(name)

    def snapshot(self) -> tuple[tuple[str, pykka.ActorRef[Any]], ...]:
        """All names and who answers to them, at one moment."""
        return tuple(self._refs.copy().items())

    def tell(self, name: str, message: Any) -> bool:
        """Send a message; ``False`` when nobody answers to the name (the message is dropped)."""
        ref = self._refs.get(name)
        return ref is not None and ref.actor_inbox.offer(Envelope(message))  # type: ignore[attr-defined]

    def control(self, name: str, message: Any) -> bool:
        """Send a message that overtakes the others."""
        ref = self._refs.get(name)
        return ref is not None and ref.actor_inbox.offer(Envelope(message, control=True))  # type: ignore[attr-defined]

    def deliver(self, name: str, envelope: Envelope) -> bool:
        """Send an envelope that is ``kept``: parked while the name is being restarted.

        Returns:
            ``False`` when the name is not expected: nobody will ever handle it.
        """
        ref = self._refs.get(name)
        if ref is not None and ref.actor_inbox.offer(envelope):  # type: ignore[attr-defined]
            return True
        with self._lock:
            ref = self._refs.get(name)
            if ref is not None and ref.actor_inbox.offer(envelope):  # type: ignore[attr-defined]
                return True
            parked = self._parked.get(name)
            if parked is None:
                return False
            parked.append(envelope)
            late = parked.popleft() if len(parked) > MAX_PARKED else None
        if late is not None:
            undelivered(late)
        return True

    def expect(self, name: str) -> None:
        """From now on the name is a supervisor's to bring back."""
        with self._lock:
            self._parked.setdefault(name, deque())

    def withdraw(self, name: str) -> None:
        """Nobody will bring the name back: what waits for it is answered as undelivered."""
        with self._lock:
            parked = self._parked.pop(name, ())
        for envelope in parked:
            undelivered(envelope)

    def register(self, name: str, ref: pykka.ActorRef[Any]) -> bool:
        """``ref`` answers to the name from now on; what was parked for it is handed over first.

        One that was stopped meanwhile (it was replaced while it started) is not let in.

        Returns:
            ``False`` when another actor answers to the name, and goes on doing so.
        """
        with self._lock:
            if ref.actor_stopped.is_set():
                return True
            holder = self._refs.get(name, ref)
            if holder is not ref and not holder.actor_stopped.is_set():
                return False
            parked = self._parked.get(name)
            while parked:
                ref.actor_inbox.offer(parked.popleft())  # type: ignore[attr-defined]
            self._refs[name] = ref
            return True

    def disown(self, above: str) -> None:
        """Nobody answers to a name below this one any more: whoever did has lost the supervisor above it."""
        with self._lock:
            for name in [name for name in self._refs if name.startswith(f"{above}/")]:
                del self._refs[name]

    def unregister(self, name: str, ref: pykka.ActorRef[Any]) -> None:
        """``ref`` no longer answers to the name (another actor that does by now is left alone)."""
        with self._lock:
            if self._refs.get(name) is ref:
                del self._refs[name]

    def monitor(self, watcher: str, target: str) -> None:
        """Tell ``watcher`` a `Down` whenever an actor named ``target`` ends, until `demonitor`."""
        with self._lock:
            watchers = self._monitors.get(target, ())
            if watcher not in watchers:
                self._monitors[target] = (*watchers, watcher)

    def demonitor(self, watcher: str, target: str) -> None:
        """Take a `monitor` back."""
        with self._lock:
            left = tuple(w for w in self._monitors.get(target, ()) if w != watcher)
            if left:
                self._monitors[target] = left
            else:
                self._monitors.pop(target, None)

    def report_down(self, name: str, urn: str, supervisor: str | None, end: Exit) -> None:
        """Tell the supervisor and the monitors of ``name`` that its actor ended.

        A supervisor that is still starting its other children finds it when it is through.
        """
        down = Down(name, urn, end)
        if supervisor is not None:
            self.deliver(supervisor, Envelope(down, control=True))
        for watcher in self._monitors.get(name, ()):
            if watcher != supervisor:
                self.control(watcher, down)
