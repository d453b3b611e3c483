"""Actors log without a risk: what a handler of the host program raises never comes out of the line that logs."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest

from exqueue.supervision import safe_logger

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "exqueue.tests.log"


class Rude(BaseException):
    """Neither an `Exception` nor known to anybody, and it can't be shown."""

    def __str__(self) -> str:
        raise SystemExit(5)


class Raising(logging.Handler):
    """Raises this."""

    def __init__(self, raised: BaseException) -> None:
        super().__init__()
        self.raised = raised

    def emit(self, record: logging.LogRecord) -> None:
        raise self.raised


class Broken(logging.Handler):
    """Raises what it is given to write."""

    def emit(self, record: logging.LogRecord) -> None:
        raise ZeroDivisionError(record.getMessage())


@pytest.fixture
def broken() -> Iterator[None]:
    """A handler that raises."""
    handler = Broken()
    logging.getLogger(NAME).addHandler(handler)
    yield
    logging.getLogger(NAME).removeHandler(handler)


def test_what_a_handler_raises_is_written_to_the_standard_error(
    broken: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the line itself, which may have reached no other handler."""
    safe_logger(NAME).error("job %s is dead", "a1")
    said = capsys.readouterr().err
    assert "ERROR (a log handler failed): job a1 is dead" in said
    assert "ZeroDivisionError" in said


def logged_by(name: str, raised: BaseException) -> list[BaseException]:
    """What comes out of logging a line in a thread of this name, the main one's for ``main``."""
    came_out: list[BaseException] = []

    def log() -> None:
        try:
            safe_logger(NAME).error("job %s is dead", "a1")
        except BaseException as error:  # noqa: BLE001 - that is the question
            came_out.append(error)

    handler = Raising(raised)
    logging.getLogger(NAME).addHandler(handler)
    try:
        if name == "main":
            log()
        else:
            thread = threading.Thread(target=log, name=name)
            thread.start()
            thread.join()
    finally:
        logging.getLogger(NAME).removeHandler(handler)
    return came_out


@pytest.mark.parametrize("raised", [SystemExit(), KeyboardInterrupt(), GeneratorExit(), Rude()], ids=type)
def test_a_handler_ends_no_actor(capsys: pytest.CaptureFixture[str], raised: BaseException) -> None:
    """Whatever came out would be the crash of whoever logs, again and again, until the tree gives up."""
    assert logged_by("an actor", raised) == []
    said = capsys.readouterr().err
    assert "ERROR (a log handler failed): job a1 is dead" in said
    assert type(raised).__name__ in said


def test_an_interrupt_of_the_main_thread_is_the_users() -> None:
    """A stop that is waited for there says so in the log, and Ctrl-C may come just then."""
    interrupt = KeyboardInterrupt()
    assert logged_by("main", interrupt) == [interrupt]
    assert logged_by("main", SystemExit()) == []


def test_no_standard_error_is_no_error_either(broken: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program without one, as under pythonw, is left in peace."""
    monkeypatch.setattr("sys.stderr", None)
    safe_logger(NAME).critical("nobody hears")


def test_a_line_is_its_callers(caplog: pytest.LogCaptureFixture) -> None:
    """Its file and function are those of the code that logs; level, text and arguments are untouched."""
    with caplog.at_level(logging.INFO, NAME):
        safe_logger(NAME).info("%d of %d", 1, 2)
        safe_logger(NAME).debug("not asked for")
    (record,) = caplog.records
    assert (record.getMessage(), record.levelname) == ("1 of 2", "INFO")
    assert record.funcName == "test_a_line_is_its_callers"
    assert record.pathname == __file__


def test_what_is_no_text_is_written_escaped(caplog: pytest.LogCaptureFixture) -> None:
    """An id that a store has as bytes which are no UTF-8 would make a handler of any encoding drop the line."""
    with caplog.at_level(logging.INFO, NAME):
        safe_logger(NAME).warning("job %s", "\udcff100%s")
        safe_logger(NAME).warning("job \udcff, 100%")
    assert [record.getMessage() for record in caplog.records] == [r"job \udcff100%s", r"job \udcff, 100%"]
    assert "".join(map(str, caplog.records)).encode()
