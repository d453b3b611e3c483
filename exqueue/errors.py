"""Every error that Exqueue raises, under one root.

Each message says what was wrong and what to do next. It names the path and the type of a bad value, never the value
itself: job arguments do not belong in logs.
"""

import threading


class ExqueueError(Exception):
    """The root: ``except ExqueueError`` catches all that this library raises on purpose."""


class ConfigError(ExqueueError, ValueError):
    """An option, a name or a URL is not allowed. The message says what was given and what is allowed."""


class NotSupportedYet(ConfigError):
    """The option or command exists in the design and not in this version. The message names it."""


class ArgumentsError(ExqueueError, TypeError):
    """The arguments do not fit ``perform``. The message names the argument and shows the signature."""


class PayloadError(ExqueueError, ValueError):
    """A value can't be stored. The message names its path (``kwargs["order"]["lines"][3]``) and its type."""


class RecordError(ExqueueError):
    """A stored record can't be decoded; its raw bytes are kept where they are."""


class NewerRecordError(RecordError):
    """A stored record has a newer format than this version reads; a newer Exqueue can."""


class UnknownJob(ExqueueError):
    """A stored job names a class that nobody started on the node that ran it."""


class UnknownValue(ExqueueError):
    """An argument of a stored job has a type that the node that ran it does not know."""


class NothingRan(ExqueueError):
    """``perform`` gave something that would have to be run, and that nobody runs."""


class JobNotFound(ExqueueError, LookupError):
    """There is no such job in the state that the command is for."""


class AmbiguousJob(ExqueueError, LookupError):
    """The id stands in two queues or more; ``queue=`` says which is meant."""


class Outage(ExqueueError):
    """The persistence does not answer, or refuses: never a crash.

    Args:
        reason: what the persistence or the network said, for people.
        sent: ``False`` when it is certain that nothing of the call was applied; ``True`` when that is not known.
        refusal: why it refuses until a person acts, in the same words for each call that meets it; empty for what
            passes by itself.
        may_pass: the refusal is also what a failover looks like while it lasts: only when it stays must a person act.
    """

    def __init__(self, reason: str, *, sent: bool = True, refusal: str = "", may_pass: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
        self.refusal = refusal
        self.may_pass = may_pass

    @property
    def stored(self) -> str:
        """Of an enqueue: ``"no"`` (certainly not stored, and not stored later) or ``"unknown"``."""
        return "unknown" if self.sent else "no"


class StorageFull(Outage):
    """The persistence has no room for new jobs. Nothing was stored; what is stored goes on running."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, sent=False, refusal=reason)


class StoreDamaged(Outage):
    """A key or an entry of the persistence is not what Exqueue wrote there. Nothing was changed.

    Args:
        reason: which one, and what to do about it.
        queue: the only one that is the worse for it; ``None`` when it is the whole store.
    """

    def __init__(self, reason: str, queue: str | None = None) -> None:
        super().__init__(reason, sent=False, refusal=reason)
        self.queue = queue


class NewerStore(Outage):
    """The store has a layout that this version does not know. It was not touched; a newer Exqueue is needed here."""

    def __init__(self, address: str, layout: int, known: int, version: str) -> None:
        needed = f"Exqueue {version} or newer" if version else "a newer Exqueue"
        reason = (
            f"the store at {address} has layout {layout}, and this version knows layouts up to {known}: install "
            f"{needed} here, or give this program a store of its own"
        )
        super().__init__(reason, sent=False, refusal=reason)


class StoreInUse(ExqueueError):
    """What wants the store for itself was refused, since a node leads. The message names the node."""


class Fenced(ExqueueError):
    """The fence is not the queue's (any more). Nothing was changed.

    Args:
        epoch: the epoch with which the queue is claimed.
    """

    def __init__(self, epoch: int) -> None:
        super().__init__(f"the queue is claimed with epoch {epoch}; nothing was changed")
        self.epoch = epoch


class StaleCall(ExqueueError):
    """The number of this call is not the one that comes next. Nothing was changed."""


class Overloaded(ExqueueError):
    """More is waiting to be stored than is kept in memory. Nothing of this call was kept: try again later."""


class AskTimeout(ExqueueError, TimeoutError):
    """No answer within the time-out. For a command it says whether it may still be carried out.

    Args:
        message: what was asked, of whom, and what was waited for.
        stored: for an enqueue ``"no"`` (certainly not stored, and not stored later) or ``"unknown"``; else ``None``.
    """

    def __init__(self, message: str, *, stored: str | None = None) -> None:
        super().__init__(message)
        self.stored = stored


class ActorDead(ExqueueError):
    """The actor that was asked has ended, or was given up since it hung. Whether it did what was asked is not known."""


class NotStarted(ActorDead):
    """An actor could not be started, or would not.

    Args:
        path: its place in the tree; ``""`` is the root's.
        reason: one line; of an actor that waits for others, theirs.
        stack: the text of the traceback that it began with; empty where there was none.
    """

    def __init__(self, path: str, reason: str, stack: str = "") -> None:
        super().__init__(f"{path or 'the root'} could not be started: {reason}")
        self.path = path
        self.reason = reason
        self.stack = stack


class ChildRefused(ExqueueError):
    """A supervisor can't do this to that child now. Nothing was changed.

    Args:
        path: the child's place in the tree.
        reason: ``not found``, ``running``, ``restarting``, ``already started`` or ``already present``.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class SystemStopped(ExqueueError):
    """The system was or is being stopped, gave up, or belongs to another process."""


def is_interrupt(error: BaseException) -> bool:
    """Whether it is a person's Ctrl-C, which Python raises in the main thread only, and which nobody may keep."""
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()
