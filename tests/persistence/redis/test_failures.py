"""What a server's refusal is called, and whether anything may have been changed."""

import pytest
import redis
from redis._parsers.base import BaseParser

from exqueue.errors import Outage, StorageFull, StoreDamaged
from exqueue.persistence.redis.failures import broken

REPLIES = [
    ("LOADING Redis is loading the dataset in memory", "reading its data"),
    (
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "script of somebody else",
    ),
    ("READONLY You can't write against a read only replica.", "replica that takes no writes"),
    ("MISCONF Errors writing to the AOF file: No space left on device", "save its data to disk"),
    ("NOREPLICAS Not enough good replicas to write.", "fewer replicas"),
    ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "lost its primary"),
    ("TRYAGAIN Multiple keys request during rehashing of slot", "being moved"),
    ("CLUSTERDOWN The cluster is down", "cluster is down"),
    ("MOVED 3999 127.0.0.1:6381", "Redis Cluster"),
    ("NOAUTH Authentication required.", "asks for a password"),
    ("WRONGPASS invalid username-password pair or user is disabled.", "password are wrong"),
    ("NOPERM this user has no permissions to run the 'evalsha' command", "lacks a permission"),
    ("ERR max number of clients reached", "maxclients"),
    (
        "ERR Error running script (call to f_1): @user_script:3: @user_script: 3: -READONLY You can't write",
        "replica that takes no writes",
    ),
]


def error_of(reply: str) -> redis.RedisError:
    """The error that redis-py makes of a reply."""
    error = BaseParser.parse_error(reply)  # type: ignore[no-untyped-call] # redis-py has no public way to it
    assert isinstance(error, redis.RedisError)
    return error


@pytest.mark.parametrize(("reply", "reason"), REPLIES, ids=[reply.split()[0] for reply, _ in REPLIES])
def test_a_refusal_has_a_reason_and_nothing_was_changed(reply: str, reason: str) -> None:
    """Nothing of it was executed, and a person reads what to do about it."""
    outage = broken(error_of(reply), "redis://host", sent=True, timeout=1)
    assert type(outage) is Outage
    assert not outage.sent
    assert reason in outage.reason
    assert "redis://host" in outage.reason


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
