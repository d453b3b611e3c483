"""A tree of actors for a program of one's own: started, asked and stopped from without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import pykka

from exqueue.errors import ActorDead, AskTimeout, NotStarted
from exqueue.supervision.board import Board
from exqueue.supervision.context import ActorContext
from exqueue.supervision.exits import Exit, exit_after
from exqueue.supervision.inbox import Envelope
from exqueue.supervision.names import Names
from exqueue.supervision.runtime import Runtime, ThreadRuntime
from exqueue.supervision.signals import Stop
from exqueue.supervision.supervisor import CheckChildren, Supervisor

if TYPE_CHECKING:
    from exqueue.supervision.runtime import Task

ASK_TIMEOUT_S = 5.0

LOOK_EVERY_S = 1.0
"""How often the tree is looked over for threads that are gone or hang."""


class Tree:
    """A started root supervisor and all below it; made by `start`, usable from any thread, and as a ``with`` block.

    Actors are named by their paths: ``""`` is the root, ``"mail/sender"`` the child ``sender`` of its child ``mail``.
    """

    def __init__(self, context: ActorContext, task: Task) -> None:
        self._context = context
        self._task = task

    @classmethod
    def start(cls, kind: type[Supervisor] = Supervisor, *, runtime: Runtime | None = None, **kwargs: Any) -> Tree:
        """Start a root supervisor, and wait until all its static children are started.

        Args:
            kind: its class.
            runtime: threads and time; closed with the tree.
            kwargs: for the class, as ``children``, ``strategy`` and ``intensity``.

        Raises:
            NotStarted: it or a child below it could not be started, or its start was ignored; nothing is left running.
            ConfigError: an argument is not what it may be.
        """
        runtime = ThreadRuntime() if runtime is None else runtime
        context = ActorContext("", runtime, Names(), Board(), started=runtime.reply())
        assert context.started is not None  # noqa: S101 - the line above
        context.names.expect("")
        try:
            _, task = kind.launch(context, **kwargs)
        except RuntimeError as no_thread:
            runtime.close()
            raise NotStarted("", exit_after("not started", no_thread).error) from no_thread
        except BaseException:
            runtime.close()
            raise
        outcome = context.started.get()
        if isinstance(outcome, Exit):
            task.join()
            runtime.close()
            raise NotStarted("", outcome.error or outcome.kind, outcome.traceback)
        tree = cls(context, task)
        tree._look()
        return tree

    def ask(self, path: str, message: object, *, timeout_s: float = ASK_TIMEOUT_S) -> Any:
        """Ask an actor and wait for its answer.

        A question that waits while the actor crashes, or is being restarted, goes to the one that takes its place.

        Raises:
            ActorDead: nobody answers to this path and nobody will, or the actor was given up with the question in hand.
            AskTimeout: no answer in time; it may still be acted on.
            Exception: what the actor answered with.
        """
        reply = self._context.runtime.reply()
        if not self._context.names.deliver(path, Envelope(message, reply, kept=True)):
            raise ActorDead(f"nobody answers to {path!r}")
        try:
            return reply.get(timeout=timeout_s)
        except pykka.ActorDeadError as dead:
            raise ActorDead(f"{path or 'the root'} ended before it answered") from dead
        except pykka.Timeout as late:
            question = type(message).__name__
            raise AskTimeout(f"{path or 'the root'} did not answer {question} within {timeout_s:g} s") from late

    def tell(self, path: str, message: object) -> bool:
        """Send a message; ``False`` when nobody answers to this path right now (the message is dropped)."""
        return self._context.names.tell(path, message)

    def is_alive(self) -> bool:
        """Whether the root runs."""
        return self._task.is_alive()

    def wait(self, timeout_s: float | None = None) -> Exit | None:
        """Wait until the root has ended, at most so many seconds; returns how, or ``None`` when it still runs."""
        self._task.join(timeout_s)
        return None if self._task.is_alive() else self._context.vitals.exit

    def stop(self) -> Exit | None:
        """Stop all actors, the last that was started first, and wait until they are gone; returns how the root ended.

        A child that takes longer than its ``shutdown_s`` is abandoned, so this takes at most their sum.
        """
        self._context.names.control("", Stop())
        self._task.join()
        self._context.runtime.close()
        return self._context.vitals.exit

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _look(self) -> None:
        if self._task.is_alive():
            self._context.names.tell("", CheckChildren())
            self._context.runtime.after(LOOK_EVERY_S, self._look)
