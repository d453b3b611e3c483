"""A system that the program has started before the test, as when it was imported, is answered for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exqueue import ConfigError, Enqueue, ExqueueSystem, ListJobs
from exqueue.testing import use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef


class Mail:
    """Does nothing."""

    def perform(self, *, to: str) -> None: ...


@pytest.fixture
def started() -> Iterator[SystemRef]:
    """What a program has in a module."""
    with ExqueueSystem.start("memory://") as system:
        yield system


def test_whoever_holds_it_talks_to_the_stand_in(started: SystemRef) -> None:
    """Until the end; then it is itself again."""
    imported_by_name = started
    with use(instead_of=started) as system:
        imported_by_name.enqueue(Mail, to="ann")
        started.tell(Enqueue(Mail, {"to": "bob"}))
        assert [one.kwargs["to"] for one in system.enqueued(Mail)] == ["ann", "bob"]
        assert len(started.ask(ListJobs("ready"))) == 2
        assert system.drain().succeeded == 2
        with started:
            assert started.is_alive()
        assert not started.is_alive()

    assert started.is_alive()
    assert started.ask(ListJobs("ready")) == ()
    with use("inline", instead_of=started) as system:
        started.enqueue(Mail, to="cas")
        assert len(system.enqueued()) == 1


def test_several_and_one_in_another(started: SystemRef) -> None:
    """The innermost answers."""
    with ExqueueSystem.start("memory://") as other, use(instead_of=[started, other]) as system:
        other.enqueue(Mail, to="ann")
        with use("real", instead_of=other) as inner:
            other.enqueue(Mail, to="bob")
            started.enqueue(Mail, to="cas")
            assert [one.kwargs["to"] for one in inner.enqueued()] == ["bob"]
            assert inner.drain().succeeded == 1
        other.enqueue(Mail, to="dan")
        assert [one.kwargs["to"] for one in system.enqueued()] == ["ann", "cas", "dan"]


@pytest.mark.parametrize("wrong", [[None], ["system"], "system"])
def test_what_is_no_system_is_refused(wrong: object, started: SystemRef) -> None:
    """And what was put in place before it is taken back."""
    with pytest.raises(ConfigError, match="instead_of takes"), use(instead_of=[started, *wrong]):  # type: ignore[misc]
        pass
    assert vars(started).keys().isdisjoint({"ask", "tell"})
