"""``python -m exqueue.persistence.fsck``: what it prints, and its exit status."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import exqueue.persistence
from exqueue.errors import ConfigError
from exqueue.persistence.inspection.shell import main
from exqueue.persistence.sqlite import open_sqlite
from tests.persistence.fsck.shop import TIMEOUT_S, fill

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A filled store that nobody has open."""
    path = tmp_path / "store.db"
    store = open_sqlite(f"sqlite:///{path}", "shop")
    fill(store.session(timeout=TIMEOUT_S))
    store.close()
    return path


def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """The exit status, and what it wrote."""
    command = [sys.executable, "-W", "error", "-m", "exqueue.persistence.fsck", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)
    return done.returncode, done.stdout, done.stderr


def harm(path: Path) -> None:
    """Take a job out of its line."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE jobs SET state = 9 WHERE id = 'ready2'")
        other.commit()


def test_a_sound_store_is_said_to_be_sound(file: Path) -> None:
    """Status 0; the store may be named by the environment, as for a system."""
    url = f"sqlite:///{file}"
    said = f"sound: 9 jobs in 1 queues of shop at {url}\n"
    assert run(url, "--namespace", "shop") == (0, said, "")
    assert run("--namespace", "shop", EXQUEUE_URL=url) == (0, said, "")


def test_what_is_found_is_told_line_by_line_and_mended_when_asked_for(file: Path) -> None:
    """Status 1 while anything is wrong; after the repair 0."""
    url = f"sqlite:///{file}"
    harm(file)
    status, told, errors = run(url, "--namespace", "shop")
    assert (status, errors) == (1, "")
    first, second, last = told.splitlines()
    assert first.startswith("no_place: queue 'Mail' job 'ready2': its state is 9, which is none: nobody would ever run")
    assert first.endswith("[repair: puts it at the end of the ready line]")
    assert second.startswith("wrong_count: queue 'Mail': ready of the queue is 5, and there are 4 [repair: ")
    assert last == f"2 found, nothing changed: 9 jobs in 1 queues of shop at {url}"
    status, told, errors = run(url, "--namespace", "shop", "--repair")
    assert (status, errors) == (0, "")
    assert "[mended: puts it at the end of the ready line]" in told
    assert "mended: 9 jobs in 1 queues of shop" in told.splitlines()[-1]
    assert run(url, "--namespace", "shop")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["sqlite:////nowhere/at/all.db"], "there is no file /nowhere/at/all.db", id="no file"),
        pytest.param(["redis://user:secret@127.0.0.1:1"], "can't be reached", id="no server"),
        pytest.param(["nonsense"], "begins with its scheme", id="no url"),
        pytest.param(["memory://", "--namespace", "a b"], "namespace must be", id="no namespace"),
        pytest.param(["memory://", "--repair"], "kept in memory", id="memory"),
        pytest.param(["--nonsense"], "unrecognized arguments", id="no such option"),
    ],
)
def test_what_can_not_be_checked_is_no_finding(arguments: list[str], said: str) -> None:
    """Status 2, and why; never a password."""
    status, told, errors = run(*arguments)
    assert (status, told) == (2, "")
    assert said in errors
    assert "secret" not in errors
    assert "Traceback" not in errors


def test_what_nobody_thought_of_is_no_traceback(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 and a sentence, whatever stands there."""

    def breaks(_queue: object, _lock: object) -> None:
        raise OverflowError("too large")

    monkeypatch.setattr("exqueue.persistence.inspection.check.of_queue", breaks)
    assert main([f"sqlite:///{file}", "--namespace", "shop"]) == 2
    written = capsys.readouterr()
    assert (written.out, written.err) == (
        "",
        "not checked to the end: something there can't even be looked at [OverflowError('too large')]; report that\n",
    )


def test_the_function_is_there_under_its_own_name() -> None:
    """Also after somebody imported the module of the same name."""
    program = (
        "import exqueue.persistence; first = exqueue.persistence.fsck; import exqueue.persistence.fsck; "
        "from exqueue.persistence import fsck; print(first is exqueue.persistence.fsck is fsck, callable(fsck))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"
    assert not hasattr(exqueue.persistence, "no_such_name")


def test_the_function_takes_what_a_system_takes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """URL and namespace, and the environment without a URL."""
    monkeypatch.setenv("EXQUEUE_URL", f"sqlite:///{file}")
    assert exqueue.persistence.fsck(namespace="shop").jobs == 9
    assert exqueue.persistence.fsck(f"sqlite:///{file}").jobs == 0
    with pytest.raises(ConfigError, match="namespace"):
        exqueue.persistence.fsck(namespace="a b")
