"""A server of the test's own, and systems on it that are stopped before it goes."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import pytest
import redis

from exqueue import ExqueueSystem
from exqueue.errors import Outage
from tests.checked import assert_sound
from tests.servers import RealServer
from tests.system.helpers import Room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exqueue import SystemRef

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
"""A server that keeps what it acknowledged, also when it is killed."""

TTL_S = 2.0
"""The lock's: an outage is soon longer than it."""


@pytest.fixture
def is_damaged() -> bool:
    """Whether a test leaves damage behind that it did itself."""
    return False


@pytest.fixture
def server(needs_server: None, is_damaged: bool) -> Iterator[RealServer]:
    """A durable server, started; whatever became of it and of the systems on it, what it holds is sound."""
    own = RealServer(*DURABLE)
    try:
        own.start()
        yield own
        # Some are left dead, full of clients or with another password.
        if not is_damaged:
            with suppress(Outage):
                assert_sound(own.url)
    finally:
        own.remove()


@pytest.fixture
def client(server: RealServer) -> Iterator[redis.Redis]:
    """A plain client of it, to do harm with."""
    with redis.Redis.from_url(server.url, protocol=2, decode_responses=True) as plain:
        yield plain


@pytest.fixture
def start_on() -> Iterator[Callable[..., SystemRef]]:
    """Starts systems at an address; they are stopped at the end."""
    with ExitStack() as started:

        def begin(url: str, **options: Any) -> SystemRef:
            given: dict[str, Any] = {"lock_ttl": TTL_S, "shutdown_timeout": 2, **options}
            return started.enter_context(ExqueueSystem.start(url, **given))

        yield begin


@pytest.fixture
def start(server: RealServer, start_on: Callable[..., SystemRef]) -> Callable[..., SystemRef]:
    """Starts systems on the server, at another address of it if one is given."""
    return lambda url=None, **options: start_on(url or server.url, **options)


@pytest.fixture
def room() -> Iterator[Room]:
    """Holds jobs; opened at the end, before the systems are stopped."""
    with Room() as held:
        yield held
