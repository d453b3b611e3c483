"""A started system on each persistence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exqueue import ExqueueSystem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from exqueue import SystemRef


@pytest.fixture(params=["memory", "redis", "sqlite"])
def url(request: pytest.FixtureRequest, namespace: str, tmp_path: Path) -> str:
    """The address of an empty store: memory that systems of this process share, the real server, or a file."""
    if request.param == "memory":
        return f"memory://{namespace}"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    address: str = request.getfixturevalue("redis_url")
    return address


@pytest.fixture
def system(url: str, namespace: str) -> Iterator[SystemRef]:
    """A started system, stopped at the end of the test."""
    with ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=5) as started:
        yield started
