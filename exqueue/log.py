"""The log of this library: the host's loggers, called so that nothing they do reaches whoever writes to them."""

from __future__ import annotations

import logging
from contextlib import suppress


class Log:
    """Writes to the logger of this name. Installs no handler, sets no level, and never raises.

    A handler may: one whose disk is full, or the interpreter's own when a job has deleted ``sys.stderr``. The line is
    lost then, to that handler and to those after it; no actor is, and no job.

    Args:
        name: of the logger.
    """

    __slots__ = ("_logger",)

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, text: str, *args: object) -> None:
        """Say what only a developer of this library wants to know."""
        self._write(logging.DEBUG, text, args)

    def info(self, text: str, *args: object) -> None:
        """Say what went as it should."""
        self._write(logging.INFO, text, args)

    def warning(self, text: str, *args: object) -> None:
        """Say what somebody should look at some time."""
        self._write(logging.WARNING, text, args)

    def error(self, text: str, *args: object, exc_info: BaseException | None = None) -> None:
        """Say what somebody has to look at."""
        self._write(logging.ERROR, text, args, exc_info)

    def critical(self, text: str, *args: object, exc_info: BaseException | None = None) -> None:
        """Say that nothing is done any more until somebody looks at it."""
        self._write(logging.CRITICAL, text, args, exc_info)

    def _write(self, level: int, text: str, args: tuple[object, ...], exc_info: BaseException | None = None) -> None:
        with suppress(Exception):
            # The line is that of whoever called the method that called this.
            self._logger.log(level, text, *args, exc_info=exc_info, stacklevel=3)
