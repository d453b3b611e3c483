"""Queues: the supervisor of all started queues."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from exqueue.actors.protocol import BeatNow, CatchUp, QueuesChanged, Quiesce, Quiet, Resize, Resized, Say
from exqueue.actors.register import Register, place_of
from exqueue.actors.reporting import tell_restarted
from exqueue.actors.tables import (
    Quiescing,
    failures_table,
    fetcher_of,
    is_stopping,
    queues_table,
    quiescing_table,
)
from exqueue.codec import learn_parameters
from exqueue.errors import ConfigError, SystemStopped
from exqueue.execution import PUT_OFF_S
from exqueue.messages import StartWorker, StopWorker
from exqueue.supervision import DEFERRED, ActorContext, Supervisor, safe_logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from exqueue.actors.settings import NodeSettings
    from exqueue.job import JobDefinition
    from exqueue.supervision import ChildSpec, Exit, Intensity, Reply, Strategy

logger = safe_logger("exqueue")


class Queues(Supervisor):
    """Starts a queue with its first job class and stops it with its last; what is started stands on the board."""

    def __init__(
        self,
        context: ActorContext,
        *,
        settings: NodeSettings,
        queue_spec: Callable[[NodeSettings, str], ChildSpec],
        strategy: Strategy,
        intensity: Intensity,
    ) -> None:
        # After a crash of its own it brings back what the board says was started.
        queues = tuple(queue_spec(settings, name) for name in queues_table(context.board))
        super().__init__(context, children=queues, strategy=strategy, intensity=intensity)
        self._settings = settings
        self._queue_spec = queue_spec
        self._register = Register(self.board)
        self._failures = failures_table(self.board)
        self._resizing: dict[str, list[tuple[StartWorker, Reply[Any]]]] = {}
        self._quiescing = quiescing_table(self.board)
        self._tried_again_at: dict[str, float] = {}

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave to the next Queues whoever waits for Workers; it starts them again, which is harmless."""
        super().on_failure(exception_type, exception_value, traceback)
        for waiting in self._resizing.values():
            for start, asker in waiting:
                self.hand_on(start, asker)

    def on_receive(self, message: Any) -> Any:
        """Handle a message; see `exqueue.actors.protocol`."""
        match message:
            case StartWorker():
                return self._on_start_worker(message)
            case StopWorker():
                return self._on_stop_worker(message.definition)
            case CatchUp():
                return None
            case Resized():
                return self._on_resized(message.queue)
            case Quiet():
                return self._on_quiet(message)
            case _:
                return self.on_supervision(message)

    def _on_start_worker(self, start: StartWorker) -> Any:
        if is_stopping(self.board):
            if self.asker is None:
                return None
            raise SystemStopped(f"{start.definition.name} is not started: the system is being stopped")
        definition = start.definition
        try:
            self._register.add(definition, start.options)
        except ConfigError as error:
            self._failures[_refusal_of(definition)] = str(error)
            self.tell("listener", BeatNow())
            if self.asker is None:
                logger.error("%s", error)  # noqa: TRY400 - said for a person, a traceback would not help
                return None
            raise
        learn_parameters(self._settings.codec, definition.perform)
        self._failures.pop(_refusal_of(definition), None)
        return self._ensure(start)

    def _ensure(self, start: StartWorker) -> Any:
        queue = start.definition.queue
        if queue in self.child_ids():
            self._quiescing.pop(queue, None)
            if not self.tell(f"queues/{queue}", Resize()):
                # It is parked: it starts with what the board says then.
                return queue
            if self.asker is not None:
                self._resizing.setdefault(queue, []).append((start, self.asker))
            return DEFERRED
        self.start_child(self._queue_spec(self._settings, queue))
        return queue

    def _on_resized(self, queue: str) -> None:
        for _, asker in self._resizing.pop(queue, ()):
            asker.set(queue)
        self._announce()

    def _announce(self) -> None:
        self.tell("leader", QueuesChanged())
        self.tell("listener", BeatNow())

    def _on_stop_worker(self, definition: JobDefinition) -> str | None:
        if self._failures.pop(_refusal_of(definition), None) is not None:
            self.tell("listener", BeatNow())
        queue = definition.queue
        try:
            left = self._register.stop(definition)
        except ConfigError as error:
            if self.asker is None:
                logger.warning("%s", error)
                return None
            raise
        if left:
            line = f"{definition.name} is stopped here while its queue {queue} goes on with {', '.join(left)}: "
            line += f"a job of it whose turn comes is put off by {PUT_OFF_S:g} s"
            self.tell("reporter", Say(logging.INFO, line))
        elif queue not in self._quiescing:
            until = self.clock.monotonic() + self._settings.config.shutdown_timeout
            self._quiescing[queue] = Quiescing(until)
            self.tell(fetcher_of(queue), Quiesce())
        return queue

    def _on_quiet(self, quiet: Quiet) -> None:
        row: Quiescing | None = self._quiescing.get(quiet.queue)
        if is_stopping(self.board) or row is None or row.until != quiet.until:
            return
        self._register.forget(quiet.queue)
        self.remove_child(quiet.queue)
        self._tried_again_at.pop(quiet.queue, None)
        self._quiescing.pop(quiet.queue, None)
        self._announce()

    def on_child_parked(self, spec: ChildSpec, end: Exit, delay_s: float) -> None:
        """Say once that a queue does not work, however often it fails again, and show it in the status."""
        sentence = f"queue {spec.id} does not work and is started again later: {end.error or end.kind}"
        if self._is_parked_anew(spec, delay_s):
            logger.error("%s (in %g s)\n%s", sentence, delay_s, end.traceback)
        self._failures[f"queue {spec.id}"] = sentence
        # It starts with what the board says then: nobody needs to wait for that.
        self._on_resized(spec.id)

    def _is_parked_anew(self, spec: ChildSpec, delay_s: float) -> bool:
        """Whether the queue was never parked, or has stood for a while since; its delays begin anew then, too."""
        assert spec.backoff is not None  # noqa: S101 - without one it is not parked
        now, tried_again_at = self.clock.monotonic(), self._tried_again_at.get(spec.id)
        self._tried_again_at[spec.id] = now + delay_s
        return tried_again_at is None or now - tried_again_at > spec.backoff.cap_s

    def on_child_restarted(self, path: str, reason: str) -> None:
        """Let subscribers and the status know."""
        super().on_child_restarted(path, reason)
        queue = path.rpartition("/")[2]
        self._failures.pop(f"queue {queue}", None)
        self._on_resized(queue)
        tell_restarted(self, self._settings.config.node, path, reason)


def _refusal_of(definition: JobDefinition) -> str:
    """Under which word it stands that this class was refused; another class of its name has another word."""
    return f"job {place_of(definition)}"
