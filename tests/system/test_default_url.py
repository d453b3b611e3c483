"""Where jobs are kept when nobody says it: in $EXQUEUE_URL, else in a file of the present directory."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from exqueue import ConfigError, Enqueue, ExqueueSystem, GetJob, GetStatus, JobNotFound

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory in which the test stands, with no $EXQUEUE_URL."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EXQUEUE_URL", raising=False)
    return tmp_path


def test_without_a_url_jobs_are_kept_in_a_file_that_is_announced_once(
    elsewhere: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Making `exqueue.db` is one WARNING with its absolute path; the next start finds it and the job in it."""
    with ExqueueSystem.start() as system:
        job_id = system.ask(Enqueue("Later", queue="later"))
        assert f"sqlite:///{elsewhere}/exqueue.db" in str(system)
        assert system.ask(GetStatus()).address == f"sqlite:///{elsewhere}/exqueue.db"
    assert system.ask(GetStatus()).address == f"sqlite:///{elsewhere}/exqueue.db"
    with ExqueueSystem.start() as system:
        assert system.ask(GetJob(job_id)).queue == "later"
        with pytest.raises(JobNotFound, match=f"{elsewhere}/exqueue.db"):
            system.ask(GetJob("no-such-job"))
    (warning,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert f"new file {elsewhere}/exqueue.db" in warning.getMessage()


def test_the_environment_names_another_place(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """$EXQUEUE_URL is a choice, so that nothing needs to be said; the default file is not made."""
    monkeypatch.setenv("EXQUEUE_URL", "sqlite:///chosen.db")
    with ExqueueSystem.start() as system:
        system.ask(Enqueue("Later", queue="later"))
    assert (elsewhere / "chosen.db").exists()
    assert not (elsewhere / "exqueue.db").exists()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("wrong", ["", " ", "nowhere", "nowhere://x", "redis://localhost:6379/0?nonsense=1"])
def test_what_is_wrong_with_the_environment_names_the_variable(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    """Nobody would look there for a ``url`` that the program does not give; one that it gives is its own matter."""
    monkeypatch.setenv("EXQUEUE_URL", wrong)
    with pytest.raises(ConfigError, match=r"^\$EXQUEUE_URL is "):
        ExqueueSystem.start()
    with pytest.raises(ConfigError, match=r"^(?!.*EXQUEUE_URL)"):
        ExqueueSystem.start(wrong)
