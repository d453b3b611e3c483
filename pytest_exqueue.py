"""The pytest plugin of Exqueue. It imports nothing of Exqueue before a test asks for it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue.testing import StandIn, VirtualClock


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "exqueue(mode='manual'): how the stand-in of this test runs jobs; or 'inline'")


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
def exqueue(request: pytest.FixtureRequest, exqueue_clock: VirtualClock) -> Iterator[StandIn]:
    """The system of this test, which ``ExqueueSystem.start(...)`` answers with too; see `exqueue.testing.use`."""
    marker = request.node.get_closest_marker("exqueue")
    args, options = ((), {}) if marker is None else (marker.args, marker.kwargs)
    with importlib.import_module("exqueue.testing").use(*args, clock=exqueue_clock, **options) as system:
        yield system
