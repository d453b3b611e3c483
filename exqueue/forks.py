"""A forked child that comes back out of the user's code: it ends there, as it has nothing else to go back to."""

from __future__ import annotations

import contextlib
import logging
import os

logger = logging.getLogger("exqueue")


def end_forked_child(process: int, error: BaseException | None) -> None:
    """End this process at once unless it is ``process``.

    Around the user's code stand the threads and connections of its parent: none of the threads came along, and what
    the child said over the connections would be taken for its parent's word. Nothing is flushed either, as what the
    parent has buffered would be written twice.

    Args:
        process: the id of the process in which the user's code was begun.
        error: what came out of it. A ``SystemExit`` gives the exit status; anything else is said in the log, status 1.
    """
    if os.getpid() == process:
        return
    status = 0
    if isinstance(error, SystemExit):
        status = _status_of(error)
    elif error is not None:
        status = 1
        _say(process, error)
    os._exit(status)


def _say(process: int, error: BaseException) -> None:
    # Whatever the handlers of the log do: it ends in any case.
    with contextlib.suppress(BaseException):
        logger.error("process %d, forked by a job of process %d, failed", os.getpid(), process, exc_info=error)


def _status_of(end: SystemExit) -> int:
    if end.code is None:
        return 0
    return end.code & 0xFF if isinstance(end.code, int) else 1
