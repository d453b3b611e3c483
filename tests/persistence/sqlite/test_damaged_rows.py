"""A row that somebody else wrote to: its queue is damaged and named, and no other is the worse for it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from exqueue.errors import StoreDamaged
from exqueue.persistence.values import Fence
from tests.persistence.conformance.play import Client, Owner, bring_into

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
