"""Logging that never fails: what a handler of the host program raises is no crash of the actor that logs."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

from exqueue.errors import is_interrupt


class SafeLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger whose broken handlers harm nobody.

    The standard handlers keep their errors to themselves; others raise them at whoever logs. Such a line is written to
    the standard error with what was raised, as the standard handlers do, since nobody knows which handlers it reached.
    """

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """See `logging.Logger.log`. Raises nothing that a handler raised, but for an interrupt of the main thread."""
        # The line is that of who called, not this one.
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
        try:
            if self.isEnabledFor(level):
                super().log(level, *_encodable(msg, args), **kwargs)
        except BaseException as error:  # a handler may raise anything
            if is_interrupt(error):
                raise
            _write(level, msg, args)


def _encodable(msg: object, args: tuple[object, ...]) -> tuple[object, ...]:
    """The line as it is, or in one piece with escapes: a handler would drop it where it can't be encoded."""
    try:
        line = str(msg) % args if args else str(msg)
    except (TypeError, ValueError):
        # The handlers say what is wrong with it.
        return msg, *args
    try:
        line.encode()
    except UnicodeEncodeError:
        return (line.encode(errors="backslashreplace").decode(),)
    return msg, *args


def _write(level: int, msg: object, args: tuple[object, ...]) -> None:
    try:
        line = str(msg) % args if args else str(msg)
        sys.stderr.write(f"{logging.getLevelName(level)} (a log handler failed): {line}\n{traceback.format_exc()}")
    except BaseException as error:  # there is nowhere left to say it
        if is_interrupt(error):
            raise


def safe_logger(name: str) -> SafeLogger:
    """The logger of this name, for actors."""
    return SafeLogger(logging.getLogger(name))
