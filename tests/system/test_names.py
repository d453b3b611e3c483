"""Names of jobs that nobody should believe: what stands in a store or in a message is looked up, and never imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from exqueue import ConfigError, Enqueue, ExqueueSystem, GetJob, GetStatus, ListJobs, StartWorker
from exqueue.codec import Codec
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import NewJob, Push
from exqueue.record import encode_record
from tests.system.helpers import eventually, queue_status

if TYPE_CHECKING:
    from pathlib import Path

    from exqueue import JobInfo, SystemRef

MEGABYTE = 1_000_000


class Known:
    """The one job class that is started."""

    ran: ClassVar[int] = 0

    def perform(self) -> None:
        type(self).ran += 1


@pytest.fixture(autouse=True)
def never_ran() -> None:
    """Each test counts by itself."""
    Known.ran = 0


def test_fault_048_a_name_like_a_path_of_python_runs_nothing(system: SystemRef, tmp_path: Path) -> None:
    """It is a name like any: of a class that nobody started, although a module of this name could be imported."""
    made = tmp_path / "made"
    system.ask(StartWorker(Known))
    job_id = system.ask(Enqueue("os.mkdir", {"path": str(made)}, queue="Known"))
    system.ask(Enqueue(Known))
    system.drain()

    info: JobInfo = system.ask(GetJob(job_id))
    assert (info.state, info.job, info.failures) == ("waiting", "os.mkdir", 1)
    assert "no job class named 'os.mkdir' is started" in info.errors[0].message
    assert not made.exists()
    assert Known.ran == 1


@pytest.mark.parametrize(
    "name",
    ["../../x", "a/b", "os:system", "a b", "", "\x00", "x\n", "é", "\ud800", "x" * 129, "x" * MEGABYTE],
    ids=lambda name: ascii(name[:20]),
)
def test_fault_048_a_name_that_is_none_is_refused_where_it_is_enqueued(system: SystemRef, name: str) -> None:
    """In few words, however long it is; nothing is stored."""
    for job, queue in ((name, "Known"), ("Known", name)):
        with pytest.raises(ConfigError, match="must be 1 to 128 characters") as caught:
            system.ask(Enqueue(job, queue=queue))
        assert len(str(caught.value)) < 500
    assert system.ask(GetStatus()).queues == ()


@pytest.mark.parametrize(
    "name", ["../../x", "os.system", "a b", "\x00", "é" * 127, "perform\n", "Known\x00"], ids=ascii
)
def test_fault_048_a_name_that_somebody_else_stored_harms_nothing(url: str, namespace: str, name: str) -> None:
    """It fails as one of an unknown class, can be shown, and the next job runs."""
    persistence = open_persistence(url, namespace=namespace)
    session = persistence.session(timeout=5.0)
    record = encode_record(name, {}, 1.0, Codec())
    assert session.push("other", [Push("Known", 1, (NewJob("odd", record),))]) == (None,)
    with ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=5) as system:
        system.ask(Enqueue(Known))
        system.ask(StartWorker(Known))
        eventually(lambda: queue_status(system, "Known").processed == 1)
        (info,) = system.ask(ListJobs("waiting"))
        assert (info.id, info.job, info.failures) == ("odd", name, 1)
        assert f"no job class named {name!r} is started" in info.errors[0].message
    persistence.close()
    assert Known.ran == 1
