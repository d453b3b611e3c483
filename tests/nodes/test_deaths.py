"""The ERROR of a death is written once, also when the node that buried the job is killed before or after it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from exqueue import Enqueue, GetJob, GetStatus
from exqueue.persistence.urls import open_persistence
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef
    from exqueue.persistence.base import Session
    from tests.nodes.cluster import Cluster, Node

DIES: dict[str, dict[str, object]] = {"Dies": {"concurrency": 3}}
MANY = 250
"""More than are read at once."""


@pytest.fixture
def store(url: str, namespace: str) -> Iterator[Session]:
    """A look into the store."""
    persistence = open_persistence(url, namespace=namespace)
    yield persistence.session(timeout=10.0)
    persistence.close()


def kill(node: Node) -> None:
    """And wait for its end."""
    node.send(signal.SIGKILL)
    node.end()


def errors(node: Node) -> list[str]:
    """What a node has logged at ERROR, each with the lines that belong to it."""
    found: list[str] = []
    for line in node.log.splitlines():
        if line.startswith(("DEBUG ", "INFO ", "WARNING ", "ERROR ", "CRITICAL ")):
            found.append(line)
        elif found:
            found[-1] += "\n" + line
    return [text for text in found if text.startswith("ERROR ")]


def await_errors(node: Node, count: int, store: Session) -> list[str]:
    """Wait until so many are written and no death is left to be said by anybody."""
    eventually(lambda: len(errors(node)) >= count and not store.unreported("Dies", 10), 20.0)
    return errors(node)


def bury_unsaid(cluster: Cluster, office: SystemRef, count: int) -> list[str]:
    """Have a node bury jobs and kill it while it hangs before the first of their lines."""
    cluster.hold_log("one")
    one = cluster.start("one", DIES, lock_ttl=1)
    ids = [office.ask(Enqueue("Dies", {"number": number})) for number in range(count)]
    cluster.await_diary("held", 1)
    eventually(lambda: [q.dead for q in office.ask(GetStatus()).queues if q.name == "Dies"] == [count])
    kill(one)
    assert errors(one) == []
    return ids


def test_fault_100_a_node_is_killed_between_a_burial_and_its_line(
    cluster: Cluster, office: SystemRef, store: Session
) -> None:
    """The next leader writes the one ERROR, with all that a person needs; the leader after that has nothing to say."""
    (job_id,) = bury_unsaid(cluster, office, 1)
    two = cluster.start("two", DIES, lock_ttl=1)
    (text,) = await_errors(two, 1, store)
    first, *traceback, last = text.splitlines()
    assert first.startswith(f"ERROR job {job_id} (Dies, queue Dies) is dead after 1 failed attempt: it failed once")
    assert "whoever buried it ended before it could say so" in first
    assert traceback[0] == "Traceback (most recent call last):"
    assert traceback[-1] == "ValueError: number 0 can't be done"
    assert last == (
        f"To run it again: system.tell(RetryDead({job_id!r})); to delete it: system.tell(DeleteDead({job_id!r}))"
    )
    assert office.ask(GetJob(job_id)).state == "dead"

    kill(two)
    three = cluster.start("three", DIES, lock_ttl=1)
    other = office.ask(Enqueue("Dies", {"number": 1}))
    (text,) = await_errors(three, 1, store)
    assert other in text
    assert len(errors(two)) == 1


def test_a_node_is_killed_after_the_mark(cluster: Cluster, office: SystemRef, store: Session) -> None:
    """What it has said nobody says again, however it ends."""
    one = cluster.start("one", DIES, lock_ttl=1)
    first = office.ask(Enqueue("Dies", {"number": 1}))
    (text,) = await_errors(one, 1, store)
    assert first in text
    assert "whoever buried it" not in text
    kill(one)
    two = cluster.start("two", DIES, lock_ttl=1)
    second = office.ask(Enqueue("Dies", {"number": 2}))
    (text,) = await_errors(two, 1, store)
    assert second in text


def test_the_next_leader_has_not_started_the_queue(cluster: Cluster, office: SystemRef, store: Session) -> None:
    """It claims the queue all the same, and says what was left unsaid in it."""
    (job_id,) = bury_unsaid(cluster, office, 1)
    two = cluster.start("two", {"Quick": {}}, lock_ttl=1)
    (text,) = await_errors(two, 1, store)
    assert f"ERROR job {job_id} (Dies, queue Dies) is dead" in text


def test_many_deaths_are_left(cluster: Cluster, office: SystemRef, store: Session) -> None:
    """A page at a time, each of them once."""
    ids = bury_unsaid(cluster, office, MANY)
    two = cluster.start("two", DIES, lock_ttl=1)
    texts = await_errors(two, MANY, store)
    assert sorted(text.split()[2] for text in texts) == sorted(ids)


def test_the_log_of_a_node_hangs_while_it_stops(cluster: Cluster, office: SystemRef, store: Session) -> None:
    """What the next leader has said by the time that it goes on it does not say again, but for the line in hand."""
    cluster.hold_log("one")
    one = cluster.start("one", DIES)
    in_hand = office.ask(Enqueue("Dies", {"number": 0}))
    cluster.await_diary("held", 1)
    waits = office.ask(Enqueue("Dies", {"number": 1}))
    eventually(lambda: office.ask(GetJob(waits)).state == "dead")
    two = cluster.start("two", DIES)
    one.send(signal.SIGTERM)
    texts = await_errors(two, 2, store)
    assert sorted(text.split()[2] for text in texts) == sorted([in_hand, waits])
    cluster.release_log("one")
    assert one.end() == 0
    assert [text.split()[2] for text in errors(one)] == [in_hand]
