"""What a server's refusal is called, and whether anything may have been changed."""

import pytest
import redis
from redis._parsers.base import BaseParser

from exqueue.errors import Outage, StorageFull, StoreDamaged
from exqueue.persistence.redis.failures import broken

PASSING = [
    ("LOADING Redis is loading the dataset in memory", "reading its data"),
    (
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "script of somebody else",
    ),
    ("NOREPLICAS Not enough good replicas to write.", "fewer replicas"),
    ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "lost its primary"),
    ("TRYAGAIN Multiple keys request during rehashing of slot", "being moved"),
    ("CLUSTERDOWN The cluster is down", "cluster is down"),
]

REFUSALS = [
    ("READONLY You can't write against a read only replica.", "point the URL at the primary"),
    ("MISCONF Errors writing to the AOF file: No space left on device", "save its data to disk"),
    ("MOVED 3999 127.0.0.1:6381", "use a standalone server"),
    ("NOAUTH Authentication required.", "put user and password into the URL"),
    ("WRONGPASS invalid username-password pair or user is disabled.", "put the right ones into the URL"),
    ("NOPERM this user has no permissions to run the 'evalsha' command", "grant it"),
    ("ERR max number of clients reached", "maxclients allows; allow more"),
    (
        "ERR Error running script (call to f_1): @user_script:3: @user_script: 3: -READONLY You can't write",
        "point the URL at the primary",
    ),
]


def error_of(reply: str) -> redis.RedisError:
    """The error that redis-py makes of a reply."""
    error = BaseParser.parse_error(reply)  # type: ignore[no-untyped-call] # redis-py has no public way to it
    assert isinstance(error, redis.RedisError)
    return error


@pytest.mark.parametrize(("reply", "reason"), PASSING, ids=[reply.split()[0] for reply, _ in PASSING])
def test_what_passes_by_itself_is_no_refusal(reply: str, reason: str) -> None:
    """Nothing of it was executed, and nobody is told to do anything at once."""
    outage = broken(error_of(reply), "redis://host", sent=True, timeout=1)
    assert type(outage) is Outage
    assert (outage.sent, outage.refusal) == (False, "")
    assert outage.reason.startswith("the server at redis://host serves nobody for now")
    assert reason in outage.reason


@pytest.mark.parametrize(("reply", "step"), REFUSALS, ids=[reply.split()[0] for reply, _ in REFUSALS])
def test_a_refusal_says_what_to_do_and_nothing_was_changed(reply: str, step: str) -> None:
    """Nothing of it was executed, and a person reads what to do about it."""
    outage = broken(error_of(reply), "redis://host", sent=True, timeout=1)
    assert type(outage) is Outage
    assert not outage.sent
    assert outage.reason.startswith("the server at redis://host refuses: ")
    assert step in outage.reason
    assert step in outage.refusal
    assert outage.may_pass == ("READONLY" in reply)


def test_a_refusal_is_the_same_whatever_call_met_it() -> None:
    """The server's words name the script and its line; it would be said once for each of them."""
    said = "READONLY You can't write against a read only replica. script: {}, on @user_script:9."
    one, other = (broken(error_of(said.format(sha)), "host", sent=True, timeout=1) for sha in ("5ca1ab1e", "c0ffee"))
    assert one.reason != other.reason
    assert one.refusal == other.refusal


@pytest.mark.parametrize(
    "reply",
    [
        "OOM command not allowed when used memory > 'maxmemory'.",
        "OOM command not allowed when used memory > 'maxmemory'. script: 5ca1ab1e, on @user_script:9.",
        "ERR Error running script (call to f_1): @user_script:9: @user_script: 9: -OOM command not allowed",
    ],
)
def test_a_full_server_is_known_by_the_words_of_every_version(reply: str) -> None:
    """An error inside a script carries the inner one, each version in its own way."""
    assert isinstance(broken(error_of(reply), "redis://host", sent=True, timeout=1), StorageFull)


def test_a_wrong_type_inside_a_script_is_known_too() -> None:
    """As above."""
    reply = "WRONGTYPE Operation against a key holding the wrong kind of value script: 5ca1ab1e, on @user_script:9."
    assert isinstance(broken(error_of(reply), "redis://host", sent=True, timeout=1), StoreDamaged)


def test_a_permission_that_was_missing_inside_a_script_leaves_it_open_what_was_changed() -> None:
    """Permissions are checked command by command, so the script may have written before."""
    reply = "NOPERM User x has no permissions to run the 'zadd' command script: 5ca1ab1e, on @user_script:9."
    assert broken(error_of(reply), "redis://host", sent=True, timeout=1).sent


def test_an_unknown_error_is_passed_on() -> None:
    """Better the server's own words than none."""
    outage = broken(error_of("ERR something new"), "redis://host", sent=True, timeout=1)
    assert outage.sent
    assert "something new" in outage.reason
