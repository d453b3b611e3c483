"""Where the examples keep their jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.servers import real_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def empty_server(needs_server: None) -> Iterator[str]:
    """A server of one's own: an example's namespace has a fixed name, which nobody else may use then."""
    with real_server() as server:
        yield server.url


@pytest.fixture(params=["no URL", "redis"])
def url(request: pytest.FixtureRequest) -> str | None:
    """As the program chooses itself, and an empty real server."""
    if request.param == "no URL":
        return None
    address: str = request.getfixturevalue("empty_server")
    return address
