"""The root of the tree: stops it in good order, and looks for threads that are gone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from exqueue.actors.protocol import LookAround, PatienceIsOver, Quiesce, Quiet, Say, StopSystem
from exqueue.actors.reporting import tell_restarted
from exqueue.actors.tables import (
    Quiescing,
    failures_table,
    fetcher_of,
    is_stopping,
    queues_table,
    running_count,
    stop_table,
)
from exqueue.supervision import ActorContext, CheckChildren, GiveUp, Supervisor, safe_logger
from exqueue.supervision.exits import exit_after

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from exqueue.actors.settings import NodeSettings
    from exqueue.supervision import ChildSpec, Intensity, Strategy

logger = safe_logger("exqueue")

LOOK_EVERY_S = 1.0
"""How often the whole tree is looked over for threads that are gone or hang."""

MARGIN_S = 3.0
"""How long the queues may take, past the patience with running jobs, to give back what they hold."""


class ExqueueRoot(Supervisor):
    """Supervises the whole system.

    It stops in this order: no queue fetches any more; running jobs get ``shutdown_timeout``; what still runs then is
    given back; only when all is settled the tree is stopped from the bottom up, the lock released by the Leader.
    When it gives up it stops its actors (which releases the lock), says so at CRITICAL and in the status, and leaves
    the host program alone.
    """

    def __init__(
        self,
        context: ActorContext,
        *,
        settings: NodeSettings,
        children: Sequence[ChildSpec],
        strategy: Strategy,
        intensity: Intensity,
    ) -> None:
        super().__init__(context, children=children, strategy=strategy, intensity=intensity)
        self._settings = settings
        # In the order in which they were started, not of a set: a seed is to give the same history everywhere.
        self._awaited: dict[str, None] = {}

    def on_start(self) -> None:
        """Start the tree."""
        super().on_start()
        self.send_after(LOOK_EVERY_S, LookAround())

    def on_stop(self) -> None:
        """Stop the tree, then let go of what belongs to the system as a whole."""
        super().on_stop()
        self._let_go()

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give up for good: there is nobody above."""
        # Not the error's own __str__: what that raises would leave the system half stopped.
        why = exit_after("crashed", exception_value or GiveUp()).error.removeprefix(f"{GiveUp.__module__}.")
        sentence = f"the Exqueue system of node {self._settings.config.node} gave up and works no more: {why}"
        failures_table(self.board)["system"] = sentence
        logger.critical("%s", sentence, exc_info=None if isinstance(exception_value, GiveUp) else exception_value)
        super().on_failure(exception_type, exception_value, traceback)
        self._let_go()

    def on_receive(self, message: Any) -> Any:
        """Handle a message; see `exqueue.actors.protocol`."""
        match message:
            case StopSystem():
                return self._on_stop_system()
            case Quiet():
                return self._on_quiet(message.queue)
            case PatienceIsOver():
                return self.stop()
            case LookAround():
                return self._on_look_around()
            case _:
                return self.on_supervision(message)

    def _on_stop_system(self) -> None:
        if is_stopping(self.board):
            return
        patience_s = self._settings.config.shutdown_timeout
        # First of all: a Fetcher that is being started, now or later, finds it.
        stop_table(self.board)["system"] = Quiescing(self.clock.monotonic() + patience_s)
        self._awaited.update(dict.fromkeys(queues_table(self.board)))
        for queue in self._awaited:
            self.tell(fetcher_of(queue), Quiesce())
        running = running_count(self.board)
        if running:
            node = self._settings.config.node
            line = f"node {node} stops: {running} running jobs may take {patience_s:g} s more"
            self.tell("reporter", Say(logging.INFO, line))
        self.send_after(patience_s + MARGIN_S, PatienceIsOver())
        self._stop_if_quiet()

    def _on_quiet(self, queue: str) -> None:
        if is_stopping(self.board):
            self._awaited.pop(queue, None)
            self._stop_if_quiet()

    def _stop_if_quiet(self) -> None:
        if not any(map(self._is_there, self._awaited)):
            self.stop()

    def _is_there(self, queue: str) -> bool:
        """Whether somebody will tell that the queue is quiet: nobody does while it is parked, or not begun.

        One whose start is under way may have begun jobs before it heard of the stop.
        """
        _, status = self.board.table("tree").get(f"queues/{queue}", ("", "parked"))
        return bool(status != "parked")

    def _on_look_around(self) -> None:
        if is_stopping(self.board):
            self._stop_if_quiet()
        self.tell_self(CheckChildren())
        self.send_after(LOOK_EVERY_S, LookAround())

    def _let_go(self) -> None:
        self._settings.persistence.close()
        self.context.runtime.close()

    def on_child_restarted(self, path: str, reason: str) -> None:
        """Let subscribers know."""
        super().on_child_restarted(path, reason)
        tell_restarted(self, self._settings.config.node, path, reason)
