"""What a test can say of what was enqueued, and what it is told when it is wrong."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from unittest.mock import ANY

import pytest

from exqueue import ArgumentsError, Enqueue, job
from exqueue.testing import use
from tests.testing.jobs import SendEmail, fragile

TOMORROW = datetime.now(UTC) + timedelta(days=1)


def test_what_was_enqueued_is_found() -> None:
    """By class and any of its arguments; it is returned."""
    with use() as system:
        job_id = system.enqueue(SendEmail, to="ann", title="Hi")
        for wanted in ({}, {"to": "ann"}, {"title": "Hi"}, {"to": "ann", "title": "Hi"}, {"to": ANY}, {"id": job_id}):
            assert system.assert_enqueued(SendEmail, **wanted).id == job_id
        assert system.assert_enqueued("SendEmail", to="ann").queue == "SendEmail"


@pytest.mark.parametrize("wanted", [{"to": "bob"}, {"title": "Hello"}, {"delay": 60}, {"id": "another"}])
def test_what_was_not_enqueued_is_not_found(wanted: dict[str, object]) -> None:
    """An argument that was not given is no default of the class."""
    with use() as system:
        system.enqueue(SendEmail, to="ann")
        with pytest.raises(AssertionError, match="expected to be enqueued"):
            system.assert_enqueued(SendEmail, **wanted)
        system.refute_enqueued(SendEmail, **wanted)


def test_what_was_enqueued_is_refuted() -> None:
    """The error shows it."""
    with use() as system:
        system.enqueue(SendEmail, to="ann")
        system.refute_enqueued(fragile)
        with pytest.raises(AssertionError, match=r"(?s)was once: SendEmail with to='ann'.*id="):
            system.refute_enqueued(SendEmail, to="ann")


def test_times_are_found_as_they_were_given() -> None:
    """``delay=`` and ``at=``."""
    with use() as system:
        system.ask(Enqueue(SendEmail, {"to": "ann"}, delay=60))
        system.ask(Enqueue(SendEmail, {"to": "bob"}, at=TOMORROW))
        system.assert_enqueued(SendEmail, to="ann", delay=60)
        system.assert_enqueued(SendEmail, to="bob", at=TOMORROW)
        system.refute_enqueued(SendEmail, to="bob", delay=60)
        system.refute_enqueued(SendEmail, at=TOMORROW + timedelta(seconds=1))


def test_an_argument_may_have_the_name_of_an_option() -> None:
    """Then it is the argument; the option is named in an `Enqueue`."""

    @job
    def wait(delay: int) -> None:
        del delay

    with use() as system:
        system.ask(Enqueue(wait, {"delay": 3}, delay=60))
        system.assert_enqueued(wait, delay=3)
        system.refute_enqueued(wait, delay=60)
        system.assert_enqueued(Enqueue(wait, {"delay": 3}, delay=60))
        system.refute_enqueued(Enqueue(wait, {"delay": 3}, delay=61))


def test_a_misspelt_argument_is_refused() -> None:
    """It would never be found, which a test that refutes would take for success."""
    with use() as system:
        for method in (system.assert_enqueued, system.refute_enqueued, system.assert_dead):
            with pytest.raises(ArgumentsError, match=r"SendEmail takes no 'too': perform\(\*, to"):
                method(SendEmail, too="ann")


def test_the_difference_is_shown() -> None:
    """The most similar job first, each with what is different, and what else there was."""
    with use() as system:
        system.enqueue(SendEmail, to="bob", title="Hello")
        system.enqueue(SendEmail, to="ann", title="Hello")
        system.enqueue(fragile, name="a")
        with pytest.raises(AssertionError) as failed:
            system.assert_enqueued(SendEmail, to="ann", title="Bye")

    lines = str(failed.value).splitlines()
    assert lines[0] == "expected to be enqueued, and was not: SendEmail with to='ann', title='Bye'"
    assert lines[1] == "SendEmail was enqueued 2 times, the most similar first:"
    assert lines[2].startswith("  to='ann', title='Hello', id=")
    assert lines[3] == "      title: expected 'Bye', was 'Hello'"
    assert lines[5:7] == ["      to: expected 'ann', was 'bob'", "      title: expected 'Bye', was 'Hello'"]
    assert lines[7] == "other jobs that were enqueued: fragile (once)"


def test_long_values_are_compared_line_by_line() -> None:
    """As a diff."""
    long = {f"key {number}": "x" * 20 for number in range(10)}
    with use() as system:
        system.ask(Enqueue(loose, {"value": long}))
        with pytest.raises(AssertionError) as failed:
            system.assert_enqueued(loose, value=long | {"key 3": "y" * 20})

    changed = [line.strip() for line in str(failed.value).splitlines() if line.strip().startswith(("- ", "+ "))]
    assert changed == [f"-  'key 3': '{'y' * 20}',", f"+  'key 3': '{'x' * 20}',"]


def test_nothing_at_all_is_said() -> None:
    """The difference between a wrong job and none."""
    with use() as system:
        with pytest.raises(AssertionError, match="nothing at all was enqueued"):
            system.assert_enqueued(SendEmail)
        system.enqueue(fragile, name="a")
        with pytest.raises(AssertionError, match=r"other jobs that were enqueued: fragile \(once\)"):
            system.assert_enqueued(SendEmail)


@dataclass
class Address:
    """An argument of the user's own type."""

    name: str


@job
def loose(value: object) -> None:
    """Takes anything."""
    del value


def test_arguments_are_those_that_come_out_of_the_store() -> None:
    """Later changes of what was given do not count, and types are what a worker gets."""
    given = ["a"]
    with use() as system:
        system.enqueue(loose, value=given)
        given.append("b")
        system.assert_enqueued(loose, value=["a"])
        system.enqueue(loose, Address("ann"))
        system.assert_enqueued(loose, value=Address("ann"))
        system.refute_enqueued(loose, value=Address("bob"))


def test_what_has_run_was_enqueued() -> None:
    """So that the same is asserted in all modes; `clear` forgets it."""
    with use("inline") as system:
        system.enqueue(SendEmail, to="ann")
        system.assert_enqueued(SendEmail, to="ann")
        assert len(system.enqueued(SendEmail)) == len(system.enqueued()) == 1
        assert system.enqueued(fragile) == ()
        system.clear()
        assert system.enqueued() == ()


def test_what_is_stored_already_is_not_enqueued_again() -> None:
    """An id of one's own is stored once, as long as its job is."""
    with use() as system:
        for to in ("ann", "bob"):
            system.ask(Enqueue(SendEmail, {"to": to}, id="one"))
        assert [each.kwargs for each in system.enqueued()] == [{"to": "ann"}]
        system.drain()
        system.ask(Enqueue(SendEmail, {"to": "bob"}, id="one"))
        assert [each.kwargs for each in system.enqueued()] == [{"to": "ann"}, {"to": "bob"}]


def test_dead_jobs_are_named() -> None:
    """Those that there are, with their last error."""
    with use(check=False) as system:
        with pytest.raises(AssertionError, match="no job is dead"):
            system.assert_dead(fragile)
        system.enqueue(fragile, name="a")
        system.drain(scheduled=True)
        assert system.assert_dead(fragile, name="a").failures == 2
        with pytest.raises(AssertionError, match=r"fragile with name='a', id='.*': LookupError: a"):
            system.assert_dead(fragile, name="b")
