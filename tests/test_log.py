"""The log is the host's: nothing that its handlers do comes back, and each line is that of whoever wrote it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from exqueue.log import Log

if TYPE_CHECKING:
    from collections.abc import Iterator


class Broken(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("the disk is full")


@pytest.fixture
def broken() -> Iterator[None]:
    """A handler that raises, at the root."""
    handler = Broken()
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)


def test_a_handler_that_raises_ends_nobody(broken: None) -> None:
    """The line is lost to it, no more."""
    log = Log("exqueue")
    for write in (log.debug, log.info, log.warning, log.error, log.critical):
        write("a line with %s", "an argument")


def test_a_line_that_does_not_fit_its_arguments_ends_nobody(broken: None) -> None:
    """Nor does what is wrong with the line."""
    Log("exqueue").warning("a line with %d", "no number")


def test_a_line_names_who_wrote_it(caplog: pytest.LogCaptureFixture) -> None:
    """Its file and function are the caller's, its level and text as given, its error with it."""
    log, error = Log("exqueue"), ValueError("why")
    with caplog.at_level(logging.DEBUG, "exqueue"):
        log.debug("one")
        log.info("two %d", 2)
        log.warning("three")
        log.error("four", exc_info=error)
        log.critical("five", exc_info=error)
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("DEBUG", "one"),
        ("INFO", "two 2"),
        ("WARNING", "three"),
        ("ERROR", "four"),
        ("CRITICAL", "five"),
    ]
    assert {(one.name, one.filename, one.funcName) for one in caplog.records} == {
        ("exqueue", "test_log.py", "test_a_line_names_who_wrote_it")
    }
    assert [one.exc_info is not None and one.exc_info[1] is error for one in caplog.records][3:] == [True, True]
