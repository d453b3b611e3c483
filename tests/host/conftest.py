"""The persistences of the programs, and a system that looks at what they left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from exqueue import ExqueueSystem, GetStatus
from tests.host.programs import Ended, Program
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from exqueue import SystemRef


class Run(Protocol):
    """Runs a script to its end."""

    def __call__(self, script: str, **variables: str) -> Ended: ...


@pytest.fixture(params=["memory", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of a store for one process, or of one that is shared."""
    if request.param == "memory":
        return "memory://"
    address: str = request.getfixturevalue("redis_url")
    return address


@pytest.fixture
def run(tmp_path: Path, url: str, namespace: str) -> Run:
    """Run a script on that store, to its end."""

    def run(script: str, **variables: str) -> Ended:
        with Program(tmp_path, script, url, namespace, variables=variables) as program:
            return program.end()

    return run


@pytest.fixture
def observer(redis_url: str, namespace: str) -> Iterator[SystemRef]:
    """Another node in the programs' namespace on the real server; it works nothing."""
    with ExqueueSystem.start(redis_url, namespace=namespace, node="observer") as started:
        eventually(lambda: started.ask(GetStatus()).nodes == ("observer",))
        yield started
