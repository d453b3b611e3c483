"""Exqueue's fixtures for pytest: `exqueue`, `exqueue_redis`, `exqueue_clock`, and the marker `exqueue`.

It lies beside the package, not in it, and loads it when a test asks for a fixture: a suite that uses none of them does
not pay for importing it.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue.testing import MovableClock, StandIn

MARKER = (
    'exqueue(mode="manual", check=True): how the fixture `exqueue` works: mode is "manual", "inline" or "real"; '
    "check=False lets jobs fail without failing the test"
)

REDIS_URL = "EXQUEUE_TEST_REDIS_URL"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what may stand in the configuration of a suite."""
    parser.addini("exqueue_mode", "the mode of the fixture `exqueue` where no marker names one", default="manual")
    parser.addini("exqueue_redis_url", f"the server of the fixture `exqueue_redis`, unless ${REDIS_URL} names one")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def exqueue_clock() -> MovableClock:
    """The clock by which the jobs of the fixture `exqueue` fall due: ``now()``, ``advance(seconds)``."""
    clock: MovableClock = importlib.import_module("exqueue.testing").MovableClock()
    return clock


@pytest.fixture
def exqueue(request: pytest.FixtureRequest, exqueue_clock: MovableClock) -> Iterator[StandIn]:
    """A system for one test, see `exqueue.testing.StandIn`; meanwhile `ExqueueSystem.start` answers it."""
    settings = {"mode": request.config.getini("exqueue_mode"), **_settings(request)}
    with importlib.import_module("exqueue.testing").use(clock=exqueue_clock, **settings) as stand_in:
        yield stand_in


@pytest.fixture
def exqueue_redis(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    """The same in mode ``real`` on a real server, under a namespace that no other test uses."""
    url = os.environ.get(REDIS_URL) or request.config.getini("exqueue_redis_url")
    if not url:
        pytest.skip(f"exqueue_redis needs a server: set ${REDIS_URL}, or exqueue_redis_url in pytest's configuration")
    settings = {name: value for name, value in _settings(request).items() if name != "mode"}
    with importlib.import_module("exqueue.testing.on_redis").use_redis(url, **settings) as stand_in:
        yield stand_in


def _settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the markers of a test say, the nearest last."""
    settings: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("exqueue"))):
        foreign = set(marker.kwargs) - {"mode", "check"}
        if marker.args or foreign:
            pytest.fail(f"the marker takes mode= and check= by name only: {MARKER}", pytrace=False)
        settings |= marker.kwargs
    return settings
