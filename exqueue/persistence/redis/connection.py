"""One connection: packed commands out, replies in, and never a second thought about a reply that did not come."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from weakref import WeakSet

import redis

from exqueue.errors import NewerStore, Outage, StoreDamaged, SystemStopped
from exqueue.persistence.redis.failures import broken, refusal
from exqueue.persistence.redis.keys import ROLES, queue_of, role_of
from exqueue.persistence.redis.text import bytes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exqueue.persistence.redis.scripts import Script

LAYOUT = 1
"""The version of the layout of the keys (`exqueue.persistence.redis.keys`) that this version reads and writes."""

NEEDS = "0.1.0"
"""The oldest version of Exqueue that knows `LAYOUT`; it stands beside it, for those that do not know it."""

FRESH_S = 0.25
"""A connection that was used within this time is used again without a look: the look costs a tenth of a call."""

LAST_STANDARD_DESCRIPTOR = 2

MOST_DIALS = 3
"""So often a connection is made anew because the process forked meanwhile; then it is kept."""

Args = tuple["bytes | str | int", ...]
Reply = Any
"""What redis-py makes of a reply: bytes, int, None, or a list of those."""


class RawConnection(Protocol):
    """The part of redis-py's `Connection` that is used here; its types are not exported, hence this copy."""

    def connect(self) -> None:
        """Connect, authenticate, select the database."""

    def disconnect(self) -> None:
        """Close the socket."""

    def pack_command(self, *args: bytes | str | float) -> list[bytes]:
        """Encode one command."""

    def send_packed_command(self, command: Sequence[bytes]) -> None:
        """Send what was encoded."""

    def read_response(self) -> Reply:
        """Read one reply; an error that the server replied is raised."""

    def can_read(self, timeout: float = ...) -> bool:
        """Wait until there is something to read."""


class Endpoint:
    """Where to connect to; shared by all connections of a persistence.

    Args:
        connect: makes a connection that is not connected yet, whose connect, writes and reads each take at most the
            given number of seconds, and which does not retry.
        address: for people.
        layout: the key of the layout's version.
    """

    # A forked child inherits the sockets; while it held them, a parent that died would look alive.
    _made: ClassVar[WeakSet[RawConnection]] = WeakSet()
    _forks: ClassVar[int] = 0

    def __init__(self, connect: Callable[[float], RawConnection], address: str, layout: bytes) -> None:
        self.address = address
        self.breaks = 0
        """How often a connection broke or did not come about: what a session remembers of the store from before may not
        be so any more. Written by every wire, read by every session; that it changes is all that counts."""
        self._connect = connect
        self._layout = layout

    def connected(self, timeout: float) -> RawConnection:
        """Make a connection to a store of a layout that this version knows.

        Raises:
            Outage: the server can't be reached or refuses.
            NewerStore: the store is of a newer layout.
        """
        connection = self._connect(timeout)
        self._made.add(connection)
        is_ready = False
        try:
            self._dial(connection)
            self._check_layout(connection)
            is_ready = True
        except (redis.RedisError, OSError) as error:
            raise broken(error, self.address, sent=False, timeout=timeout) from error
        finally:
            if not is_ready:
                self.breaks += 1
                connection.disconnect()
        return connection

    def _dial(self, connection: RawConnection) -> None:
        """Connect; anew where the process forked meanwhile: what the child has a copy of, nobody there can name."""
        _take_standard_descriptors()
        for _ in range(MOST_DIALS):
            forks = self._forks
            connection.connect()
            if forks == self._forks:
                return
            connection.disconnect()
        connection.connect()

    @classmethod
    def note_fork(cls) -> None:
        """Before each fork of this process."""
        cls._forks += 1

    @classmethod
    def leave_to_parent(cls) -> None:
        """In a forked child: close its copies of the sockets, without a word to the server."""
        inherited, cls._made = list(cls._made), WeakSet()
        for connection in inherited:
            # It closes without shutting down, as it knows its process. What it says of it is nobody's.
            with contextlib.suppress(Exception):
                connection.disconnect()

    def _check_layout(self, connection: RawConnection) -> None:
        connection.send_packed_command(connection.pack_command(b"GET", self._layout))
        try:
            version = connection.read_response()
        except redis.ResponseError as error:
            outage = refusal(error, self.address)
            is_damaged = isinstance(outage, StoreDamaged)
            raise (damaged(self._layout, "something else", self.address) if is_damaged else outage) from error
        if version is None:
            connection.send_packed_command(connection.pack_command(b"SET", self._layout, f"{LAYOUT} {NEEDS}", b"NX"))
            # Refused, for instance by a full server: it is written by a later connection.
            with contextlib.suppress(redis.ResponseError):
                connection.read_response()
            return
        layout, _, needs = version.decode(errors="replace").partition(" ")
        if not layout.isdecimal():
            raise damaged(self._layout, f"{layout[:20]!r}", self.address)
        if int(layout) > LAYOUT:
            raise NewerStore(self.address, int(layout), LAYOUT, needs)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=Endpoint.note_fork, after_in_child=Endpoint.leave_to_parent)


class Wire:
    """A connection that is closed after whatever is not a reply, and connects again at its next use.

    Not for two threads at once.

    Args:
        endpoint: where to.
        timeout: seconds that one conversation may take, connecting included.
    """

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self.timeout = timeout
        self._endpoint = endpoint
        self._connection: RawConnection | None = None
        self._pid = os.getpid()
        self._used_at = 0.0
        self._breaks = 0

    def fit(self, timeout: float) -> None:
        """See `exqueue.persistence.lending.Connection`: the time-out of a socket is that of its connection."""
        if timeout != self.timeout:
            self.close()
            self.timeout = timeout

    def run(self, script: Script, keys: tuple[bytes, ...], args: Args) -> Reply:
        """Run one script.

        Raises:
            Outage: see `Wire.talk`; `StorageFull` and `StoreDamaged` among them.
        """
        command = (b"EVALSHA", script.sha, len(keys), *keys, *args)
        reply = self.talk((command,))[0]
        if isinstance(reply, redis.exceptions.NoScriptError):
            # With the text itself, not loaded before: it may be forgotten between two commands.
            reply = self.talk(((b"EVAL", script.source, len(keys), *keys, *args),))[0]
        if isinstance(reply, redis.RedisError):
            raise self.explain(reply, keys)
        return reply

    def command(self, name: bytes, key: bytes, *args: bytes | str | int) -> Reply:
        """One plain command on one key.

        Raises:
            Outage: see `Wire.talk`; `StorageFull` and `StoreDamaged` among them.
        """
        reply = self.talk(((name, key, *args),))[0]
        if isinstance(reply, redis.RedisError):
            raise self.explain(reply, (key,))
        return reply

    def talk(self, commands: Sequence[Args]) -> list[Reply]:
        """Send commands in one piece and read their replies; an error that the server replied stands in its place.

        Raises:
            Outage: not every command was answered.
            NewerStore: the store is of a newer layout.
            SystemStopped: in a forked child.
        """
        replies, outage = self.talk_partly(commands)
        if outage is not None:
            raise outage
        return replies

    def talk_partly(self, commands: Sequence[Args]) -> tuple[list[Reply], Outage | None]:
        """As `talk`, but with the replies that were read before the connection broke, and why it did."""
        if os.getpid() != self._pid:
            raise SystemStopped(
                f"this connection to {self._endpoint.address} belongs to process {self._pid}; open a persistence of "
                f"your own after a fork (this is process {os.getpid()})"
            )
        connection, until = self._connection, 0.0
        if connection is not None and self._is_stale(connection):
            self.close()
            connection = None
        if connection is None:
            until = time.monotonic() + self.timeout
            connection = self._connection = self._endpoint.connected(self.timeout)
        packed = _packed(connection, commands)
        replies: list[Reply] = []
        outage: Outage | None = None
        is_whole = False
        try:
            connection.send_packed_command(packed)
            while len(replies) < len(commands):
                replies.append(_read(connection, until))
            is_whole = True
            self._used_at, self._breaks = time.monotonic(), self._endpoint.breaks
        except (redis.RedisError, OSError) as error:
            outage = broken(error, self._endpoint.address, sent=True, timeout=self.timeout)
            outage.__cause__ = error
        except (AttributeError, TypeError, ValueError):
            # What a connection says that another thread closed in the midst of the conversation.
            if self._connection is connection:
                raise
            outage = Outage(f"the connection to the server at {self._endpoint.address} was closed here")
        finally:
            if not is_whole:
                self._endpoint.breaks += 1
                self.close()
        return replies, outage

    def _is_stale(self, connection: RawConnection) -> bool:
        """Whether the server has closed it since it was last used.

        What is sent on a closed connection looks like a call that may have been carried out, and like an outage.
        """
        if self._breaks == self._endpoint.breaks and time.monotonic() - self._used_at < FRESH_S:
            return False
        try:
            # Between two conversations there is nothing to read but the end.
            is_stale = connection.can_read(0.0)
        except (redis.RedisError, OSError):
            is_stale = True
        if is_stale:
            self._endpoint.breaks += 1
        return is_stale

    def close(self) -> None:
        """Close the connection; harmless when there is none."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()

    def explain(self, error: redis.RedisError, keys: Sequence[bytes]) -> Outage:
        """Say what a refusal means; a key of a wrong type is looked for and named."""
        outage = refusal(error, self._endpoint.address)
        outage.__cause__ = error
        if not isinstance(outage, StoreDamaged):
            return outage
        for key, kind in zip(keys, self.talk([(b"TYPE", key) for key in keys]), strict=True):
            found = kind.decode() if isinstance(kind, bytes) else str(kind)
            if found not in (ROLES.get(role_of(key)), "none"):
                return damaged(key, found, self._endpoint.address)
        return outage


def damaged(key: bytes, found: str, address: str) -> StoreDamaged:
    """Name the key that is of a wrong type."""
    role = role_of(key)
    return StoreDamaged(
        f"the key {key.decode()!r} at {address} is a {found}, and Exqueue keeps {role!r} in a {ROLES.get(role)}: "
        "somebody else wrote it; remove or rename it. Nothing was changed.",
        queue_of(key),
    )


def _take_standard_descriptors() -> None:
    """Where 0, 1 or 2 is closed, let it be /dev/null: a socket of that number would be sent whatever is printed."""
    with contextlib.suppress(OSError):
        while (descriptor := os.open(os.devnull, os.O_RDWR)) <= LAST_STANDARD_DESCRIPTOR:
            pass
        os.close(descriptor)


def _packed(connection: RawConnection, commands: Sequence[Args]) -> list[bytes]:
    packed: list[bytes] = []
    for command in commands:
        try:
            packed += connection.pack_command(*command)
        except UnicodeEncodeError:
            # Rare, so it costs nothing else anything: an id among them is one of somebody else's, see `text_of`.
            packed += connection.pack_command(*(bytes_of(part) if isinstance(part, str) else part for part in command))
    # One write: with several small ones the server may answer in several small ones.
    return packed if len(packed) == 1 else [b"".join(packed)]


def _read(connection: RawConnection, until: float) -> Reply:
    if until and not connection.can_read(max(0.0, until - time.monotonic())):
        raise TimeoutError
    try:
        return connection.read_response()
    except redis.ResponseError as error:
        return error.with_traceback(None)
