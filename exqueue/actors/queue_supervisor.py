"""The QueueSupervisor: one queue's Fetcher and its Workers, as many as the queue has slots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exqueue.actors.protocol import Resize, Resized, Retire, SettingsChanged
from exqueue.actors.reporting import tell_restarted
from exqueue.actors.tables import fetcher_of, queues_table
from exqueue.supervision import ActorContext, Down, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.actors.settings import NodeSettings
    from exqueue.supervision import ChildSpec, Intensity, Strategy


class QueueSupervisor(Supervisor):
    """Restarts what fails of one queue. Past its intensity it gives up, and Queues tries it again later."""

    def __init__(
        self,
        context: ActorContext,
        *,
        settings: NodeSettings,
        queue: str,
        fetcher_spec: Callable[[NodeSettings, str], ChildSpec],
        worker_spec: Callable[[NodeSettings, str, int], ChildSpec],
        strategy: Strategy,
        intensity: Intensity,
    ) -> None:
        super().__init__(context, strategy=strategy, intensity=intensity)
        self._settings = settings
        self._queue = queue
        self._fetcher_spec = fetcher_spec
        self._worker_spec = worker_spec

    def on_start(self) -> None:
        """Start the Fetcher, then the Workers; a `Resize` that a predecessor did not live to answer is done by that."""
        self._static = (self._fetcher_spec(self._settings, self._queue), *self._workers())
        super().on_start()
        self.tell("queues", Resized(self._queue))

    def on_receive(self, message: Any) -> Any:
        """Handle a message; see `exqueue.actors.protocol`."""
        if isinstance(message, Resize):
            self._on_resize()
            return None
        self.on_supervision(message)
        if isinstance(message, Down):
            self._on_child_gone()
        return None

    def _workers(self) -> tuple[ChildSpec, ...]:
        settings = queues_table(self.board).get(self._queue)
        slots = 0 if settings is None else settings.concurrency
        return tuple(self._worker_spec(self._settings, self._queue, number) for number in range(1, slots + 1))

    def _on_resize(self) -> None:
        """Add the Workers that are missing; those too many end when their present run has ended."""
        wanted = self._workers()
        for spec in wanted:
            self.ensure_child(spec)
        for child_id in self._superfluous(wanted):
            self.tell(f"{self.name}/{child_id}", Retire())
        self.tell(fetcher_of(self._queue), SettingsChanged())
        self.tell("queues", Resized(self._queue))

    def _on_child_gone(self) -> None:
        """A Worker that retired may be wanted again by now; else it leaves no trace."""
        wanted = self._workers()
        for spec in wanted:
            self.ensure_child(spec)
        for child_id in self._superfluous(wanted):
            if self.is_stopped(child_id):
                self.delete_child(child_id)

    def _superfluous(self, wanted: tuple[ChildSpec, ...]) -> tuple[str, ...]:
        kept = {"fetcher", *(spec.id for spec in wanted)}
        return tuple(child_id for child_id in self.child_ids() if child_id not in kept)

    def on_child_restarted(self, path: str, reason: str) -> None:
        """Let subscribers know."""
        super().on_child_restarted(path, reason)
        tell_restarted(self, self._settings.config.node, path, reason)
