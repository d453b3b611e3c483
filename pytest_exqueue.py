"""The pytest plugin of Exqueue. It imports nothing of Exqueue before a test asks for it."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue.testing import RealSystem, StandIn, VirtualClock


REDIS_URL = "EXQUEUE_TEST_REDIS_URL"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what may stand in the configuration of a suite."""
    parser.addini("exqueue_redis_url", f"the server of the fixture exqueue_redis, unless ${REDIS_URL} names one")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "exqueue(mode='manual'): how the stand-in of this test runs jobs; or 'inline', 'real'"
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """A test with the marker has the stand-in in place, whether it names the fixture or not."""
    names: Any = getattr(item, "fixturenames", None)
    if names is not None and item.get_closest_marker("exqueue") is not None and "exqueue" not in names:
        names.append("exqueue")


@pytest.fixture
def exqueue_clock() -> VirtualClock:
    """The clock of the fixture ``exqueue``."""
    clock: VirtualClock = importlib.import_module("exqueue.testing").VirtualClock()
    return clock


@pytest.fixture
def exqueue(request: pytest.FixtureRequest, exqueue_clock: VirtualClock) -> Iterator[StandIn | RealSystem]:
    """The system of this test, which ``ExqueueSystem.start(...)`` answers with too; see `exqueue.testing.use`."""
    marker = request.node.get_closest_marker("exqueue")
    args, options = ((), {}) if marker is None else (marker.args, marker.kwargs)
    with importlib.import_module("exqueue.testing").use(*args, clock=exqueue_clock, **options) as system:
        yield system


@pytest.fixture
def exqueue_redis(request: pytest.FixtureRequest) -> Iterator[RealSystem]:
    """A system of mode ``real`` on a real server, under a namespace of its own that is erased at the end."""
    url = os.environ.get(REDIS_URL) or request.config.getini("exqueue_redis_url")
    if not url:
        pytest.skip(f"exqueue_redis needs a server: set ${REDIS_URL}, or exqueue_redis_url in pytest's configuration")
    with importlib.import_module("exqueue.testing.on_redis").use_redis(url) as system:
        yield system
