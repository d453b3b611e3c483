"""A cluster, and a system of the test itself that only enqueues and looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exqueue import ExqueueSystem
from tests.checked import assert_sound
from tests.nodes.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from exqueue import SystemRef


@pytest.fixture(params=["redis", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store that processes can share."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    address: str = request.getfixturevalue("redis_url")
    return address


@pytest.fixture
def cluster(url: str, namespace: str, tmp_path: Path) -> Iterator[Cluster]:
    """Nodes on that store, which is sound when all of them are killed."""
    with Cluster(url, namespace, tmp_path) as nodes:
        yield nodes
    assert_sound(url, namespace)


@pytest.fixture
def office(url: str, namespace: str) -> Iterator[SystemRef]:
    """A system in this process that starts no queue, so that it never leads."""
    with ExqueueSystem.start(url, namespace=namespace, node="office") as started:
        yield started
