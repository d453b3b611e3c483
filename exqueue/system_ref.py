"""What a program holds of a started system: the ref that routes each message to its actor, and its life."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, overload

import pykka

from exqueue.actors.protocol import StopSystem
from exqueue.actors.root import ExqueueRoot
from exqueue.actors.status import status_of_the_dead
from exqueue.actors.tables import has_given_up, running_count
from exqueue.asking import Asking
from exqueue.at_exit import AtExit
from exqueue.checks import check_timeout
from exqueue.draining import wait_until_drained
from exqueue.errors import SystemStopped
from exqueue.execution import is_inside_job
from exqueue.ids import IdSource
from exqueue.intake import all_stored, pieces
from exqueue.messages import Enqueue, EnqueueMany, GetStatus, recipient_of
from exqueue.signals import run_until_signal
from exqueue.supervision import Envelope, is_inside, safe_logger

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Literal

    from exqueue.actors.protocol import Store
    from exqueue.actors.settings import NodeSettings
    from exqueue.job import JobFunction, Performs
    from exqueue.messages import Message
    from exqueue.supervision import ActorContext
    from exqueue.supervision.runtime import Task

P = ParamSpec("P")
R = TypeVar("R")

logger = safe_logger("exqueue")

QUIET_STOP_S = 0.1
"""How long a stop at exit may take before it is explained."""

STOP_MARGIN_S = 30.0
"""How much longer than ``shutdown_timeout`` a stop waits for the tree before it says that it hangs."""


class SystemRef(pykka.ActorRef[ExqueueRoot]):
    """A started system. ``ask`` and ``tell`` route each message to the actor that it is for.

    What is wrong with a message is raised here, in the caller's thread: arguments of an `Enqueue` are checked and
    encoded before it is sent, so later changes to them are harmless.
    """

    takes_events = False  # Read by `Subscribe`, which refuses a system: its ``tell`` would raise at each event.

    def __init__(
        self, root: pykka.ActorRef[ExqueueRoot], task: Task, context: ActorContext, node: NodeSettings
    ) -> None:
        self.__dict__.update(root.__dict__)
        self._task = task
        self._context = context
        self._node = node
        self._asking = Asking(context)
        self._ids = IdSource(context.runtime.clock.time, context.runtime.token)
        self._pid = os.getpid()
        # Before the interpreter takes the daemon threads away, everything is ended in good order.
        self._at_exit = AtExit(self._stop_at_exit)

    # -- asking and telling
    # Narrower than pykka's, whose actors take anything: a type checker is to find what is no message.
    def tell(self, message: Message[object]) -> None:
        """Send a message and go on. What only an actor can find wrong with it is said in the log.

        Raises:
            TypeError: it is no message.
            ArgumentsError, PayloadError: the arguments of a job are not right.
            Overloaded: too many jobs wait to be stored.
            SystemStopped: the system was stopped, or belongs to another process.
        """
        self._check_process()
        recipient = recipient_of(message)
        if isinstance(message, Enqueue | EnqueueMany):
            self._asking.tell_to_store(self._stores(message)[1])
            return
        self._asking.send(recipient, message, None)

    # What stores jobs is answered by id, whatever ``block`` says: that is the overlap.
    @overload  # type: ignore[override]  # As `tell`.
    def ask(  # type: ignore[overload-overlap]
        self, message: Enqueue, *, block: bool = True, timeout: float | None = None
    ) -> str: ...
    @overload
    def ask(  # type: ignore[overload-overlap]
        self, message: EnqueueMany, *, block: bool = True, timeout: float | None = None
    ) -> list[str]: ...
    @overload
    def ask(self, message: Message[R], *, block: Literal[False], timeout: float | None = None) -> pykka.Future[R]: ...
    @overload
    def ask(self, message: Message[R], *, block: Literal[True] = True, timeout: float | None = None) -> R: ...
    @overload
    def ask(self, message: Message[R], *, block: bool, timeout: float | None = None) -> R | pykka.Future[R]: ...
    def ask(self, message: Message[Any], *, block: bool = True, timeout: float | None = None) -> Any:
        """Send a message and wait for the answer.

        Args:
            message: one of `exqueue.messages.RECIPIENT`; the docstring of each says what it answers.
            block: ``False`` returns a future at once (not for `EnqueueMany` and `Enqueue`, which are answered by id).
                Its ``get()`` waits as this would; ``get(timeout=...)`` only looks, and raises `pykka.Timeout`.
            timeout: seconds, 0 to `exqueue.checks.MAX_TIMEOUT_S`; ``None`` waits ``ask_timeout`` seconds, never for
                ever.

        Raises:
            AskTimeout: no answer in time; it says whether what was ordered may still be carried out, and
                `AskTimeout.stored` what is known of a job.
            ConfigError: the time-out is not allowed; nothing was sent.
            ExqueueError: what the receiving actor says is wrong.
            TypeError, ArgumentsError, PayloadError, Overloaded, SystemStopped: as for `tell`.
        """
        self._check_process()
        recipient = recipient_of(message)
        patience_s = self._patience_s(timeout)
        if isinstance(message, Enqueue | EnqueueMany):
            deadline = self._context.runtime.clock.monotonic() + patience_s
            ids, stores = self._stores(message)
            self._asking.store(stores, deadline)
            return ids[0] if isinstance(message, Enqueue) else ids
        reply = self._context.runtime.reply()
        if isinstance(message, GetStatus) and not self.is_alive():
            node, address = self._node.config.node, self._node.persistence.address
            reply.set(status_of_the_dead(node, address, self._context.board, self._asking.why_stopped()))
        else:
            self._asking.send(recipient, message, reply)
        if not block:
            return self._asking.answer_of(reply, message, recipient, patience_s)
        return self._asking.wait(reply, message, recipient, patience_s)

    def enqueue(self, job: type[Performs[P]] | JobFunction[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> str:
        """Store a job and return its id; a type checker compares the arguments with those of ``perform``."""
        return self.ask(Enqueue.of(job, *args, **kwargs))

    def _stores(self, message: Enqueue | EnqueueMany) -> tuple[list[str], tuple[Store, ...]]:
        config = self._node.config
        now = self._context.runtime.clock.time()
        many = (message,) if isinstance(message, Enqueue) else message.jobs
        jobs = all_stored(many, self._ids, now, self._node.codec, config.max_payload)
        return [job.id for _, job in jobs], pieces(jobs)

    def _patience_s(self, timeout: float | None) -> float:
        return self._node.config.ask_timeout if timeout is None else check_timeout(timeout, "timeout", zero=True)

    def _check_process(self) -> None:
        """First of all: a lock that another thread held while the process forked is held in the child for ever."""
        if os.getpid() != self._pid:
            raise SystemStopped(
                f"this system was started in process {self._pid} and can't be used in its child {os.getpid()}: "
                "start one there"
            )

    def send_to(self, path: str, envelope: Envelope) -> bool:
        """Put an envelope into the inbox of the actor at ``path``: for tools, not for programs."""
        self._check_process()
        ref = self._context.names.whereis(path)
        return ref is not None and bool(ref.actor_inbox.offer(envelope))  # type: ignore[attr-defined]

    def urn_of(self, path: str) -> str | None:
        """What names the very actor that answers to ``path`` now: for tools, not for programs."""
        ref = self._context.names.whereis(path)
        return None if ref is None else ref.actor_urn

    # -- the life of a system
    def is_alive(self) -> bool:
        """Whether the tree stands."""
        return os.getpid() == self._pid and self._task.is_alive()

    def drain(self, timeout: float | None = None) -> None:
        """Wait until the queues that are started on this node have nothing ready, running or due.

        Waited for is also what was told to this system before, and what jobs enqueue meanwhile; and what is ready in a
        paused queue. Not waited for are jobs that wait for a later time, dead ones, and a serial queue halted by a dead
        head.

        Args:
            timeout: seconds, as for `ask`; ``None`` waits ``ask_timeout`` seconds. One look is taken in any case, for
                which the persistence gets `exqueue.draining.ONE_LOOK_S` if it is slow.

        Raises:
            ConfigError: the time-out is not allowed.
            AskTimeout: there still is something, and it says what; or the persistence does not answer.
            SystemStopped: the system was stopped.
        """
        self._check_process()
        wait_until_drained(self._asking, self._context.runtime, self._patience_s(timeout))

    def run(self) -> None:
        """Block until SIGINT or SIGTERM, then `stop`, put the handlers of before back and return.

        A second signal meanwhile ends the process at once, with 128 + its number; what ran is then run again elsewhere.
        Outside the main thread, where Python delivers no signals, it blocks until the system is stopped.

        Raises:
            SystemStopped: the system gave up; it says why. A program that just runs it ends with an error code so.
        """
        self._check_process()
        run_until_signal(self._task, self.stop)
        if has_given_up(self._context.board):
            raise SystemStopped(self._asking.why_stopped())

    def stop(self, *, block: bool = True, timeout: float | None = None) -> bool:  # type: ignore[override]
        """Stop in good order: fetch no more, let running jobs end, give the rest back, release the lock.

        Harmless when called again. From inside a job, ``report=``, a backoff, a log handler or the ``tell`` of a
        subscriber it only requests the stop, which waits for these.

        Args:
            block: ``False`` only requests the stop.
            timeout: seconds to wait, 0 to `exqueue.checks.MAX_TIMEOUT_S`; ``None`` waits as long as a stop may take.

        Returns:
            Whether the system has ended.

        Raises:
            ConfigError: the time-out is not allowed; no stop was requested.
        """
        patience_s = self._node.config.shutdown_timeout + STOP_MARGIN_S
        if timeout is not None:
            patience_s = check_timeout(timeout, "timeout", zero=True)
        if os.getpid() != self._pid:
            return True
        # Kept: it finds the root also while that is still starting.
        self._context.names.deliver("", Envelope(StopSystem(), kept=True))
        if block and not is_inside_job() and not is_inside(self._context.names):
            self._task.join(patience_s)
            if self._task.is_alive():
                logger.warning("the system of node %s is still stopping", self._node.config.node)
        if self._task.is_alive():
            return False
        self._at_exit.cancel()
        return True

    def _stop_at_exit(self) -> None:
        """Stop, and say what is waited for when that is not done at once. No interrupt comes out of it."""
        if os.getpid() != self._pid:
            return
        node = self._node.config
        try:
            self.stop(block=False)
            self._task.join(QUIET_STOP_S)
            running = running_count(self._context.board)
            if running and self._task.is_alive():
                sentence = "the program ends: node %s waits up to %g s (shutdown_timeout) for %d running jobs"
                logger.warning(sentence, node.node, node.shutdown_timeout, running)
            self.stop()
        except KeyboardInterrupt:
            logger.warning("interrupted again: node %s ends without waiting; what it runs is run again", node.node)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        self.stop()
        return False

    def __repr__(self) -> str:
        return f"<ExqueueSystem {self._node.config.node} at {self._node.persistence.address}>"

    def __str__(self) -> str:
        return repr(self)

    def __reduce__(self) -> Any:
        raise TypeError("a system can't be sent to another process: start one there")
