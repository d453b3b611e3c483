"""A row that somebody else wrote to: its queue is damaged and named, and no other is the worse for it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from exqueue.errors import StoreDamaged
from exqueue.persistence.values import Fence, NewJob, Push
from tests.persistence.conformance.play import Client, Owner, bring_into, done

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from exqueue.persistence.sqlite.session import SqliteSession

LATER = Fence(9, "later")

VERBS: dict[str, Callable[[SqliteSession], object]] = {
    "overview": lambda session: session.overview(["sound", "q"]),
    "list_jobs": lambda session: session.list_jobs("q", "running", 10, 0),
    "get_jobs": lambda session: session.get_jobs("a", ["sound", "q"]),
    "claim": lambda session: session.claim("q", LATER, 1),
}


@pytest.mark.parametrize(
    ("column", "value", "verbs"),
    [
        pytest.param("recovered", "nonsense", ["overview", "list_jobs", "get_jobs", "claim"], id="its recoveries"),
        pytest.param("run", b"nonsense", ["list_jobs", "get_jobs"], id="its run"),
    ],
)
def test_what_can_not_be_read_is_damage_of_its_queue(
    session: SqliteSession, path: Path, column: str, value: object, verbs: list[str]
) -> None:
    """It names the queue, the column and the next step; it is no crash, and nothing is changed."""
    owner, client = Owner(session), Client(session)
    Client(session, "sound").push("b")
    bring_into("running", owner, client, "a")
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"UPDATE jobs SET {column} = ? WHERE id = 'a'", (value,))  # noqa: S608 - a constant
        other.commit()
    for verb in verbs:
        with pytest.raises(StoreDamaged, match=rf"row of queue q .*jobs\.{column} is b?'nonsense'.*mend or") as damage:
            VERBS[verb](session)
        assert (damage.value.queue, damage.value.sent) == ("q", False), verb
    assert session.overview(["sound"]).queues[0].ready == 1


def write(path: Path, sql: str, *values: object) -> None:
    """As somebody else would."""
    with closing(sqlite3.connect(path)) as other:
        other.execute(sql, values)
        other.commit()


REPEATED: dict[str, Callable[[SqliteSession], object]] = {
    "retry_dead": lambda session: session.retry_dead("q", "caller", 1, ["a"]),
    "delete_dead": lambda session: session.delete_dead("q", "caller", 1, ["a"]),
    "cancel": lambda session: session.cancel("q", "caller", 1, "a"),
    "set_paused": lambda session: session.set_paused("q", "caller", 1, True),
}


@pytest.mark.parametrize("reply", ["nonsense", "[1]", '{"a": 1}', "7", "[" * 100_000, "\udcff"])
@pytest.mark.parametrize("verb", REPEATED)
def test_an_answer_that_can_not_be_given_again_is_damage_of_its_queue(
    session: SqliteSession, path: Path, verb: str, reply: str
) -> None:
    """It is neither made up nor done again; another number is answered as ever."""
    REPEATED[verb](session)
    write(path, "UPDATE callers SET reply = CAST(? AS TEXT)", reply.encode("utf-8", "surrogateescape"))
    with pytest.raises(StoreDamaged, match=r"row of queue q .*callers\.reply is .*mend or") as damage:
        REPEATED[verb](session)
    assert (damage.value.queue, damage.value.sent) == ("q", False)
    assert session.cancel("q", "caller", 2, "nowhere") is None


def test_a_push_beside_one_that_can_not_be_answered_again_is_stored(session: SqliteSession, path: Path) -> None:
    """Each queue is answered for itself."""
    damaged, sound = Push("q", 1, (NewJob("a", b""),)), Push("sound", 1, (NewJob("b", b""),))
    assert session.push("caller", [damaged]) == (None,)
    write(path, "UPDATE callers SET reply = 'nonsense'")
    refused, stored = session.push("caller", [damaged, sound])
    assert isinstance(refused, StoreDamaged)
    assert (refused.queue, stored) == ("q", None)
    assert [queue.ready for queue in session.overview(["q", "sound"]).queues] == [1, 1]


@pytest.mark.parametrize("run", [b"nonsense", None], ids=["garbage", "nothing"])
def test_a_run_that_nobody_knows_holds_no_exchange_up(session: SqliteSession, path: Path, run: bytes | None) -> None:
    """What its worker settles is refused, the others are handed out, and a repeated call is answered as before."""
    owner, client = Owner(session), Client(session)
    client.push("a", "b")
    (job,) = owner.fetch(1)
    write(path, "UPDATE jobs SET run = ? WHERE id = 'a'", run)
    answer = owner.exchange(done(job), want=1)
    assert (answer.refused, [other.id for other in answer.jobs]) == ((0,), ["b"])
    owner.call -= 1
    assert owner.exchange(done(job), want=1) == answer
    write(path, "UPDATE queues SET refused = 'nonsense'")
    owner.call -= 1
    with pytest.raises(StoreDamaged, match=r"row of queue q .*queues\.refused is 'nonsense'"):
        owner.exchange(done(job), want=1)
