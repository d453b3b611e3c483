"""`docs/storage.md` shows the stores as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from exqueue.persistence.redis.keys import ROLES
from tests.docs.small_store import redis_dump, sqlite_dump
from tests.servers import real_server

STORAGE = Path(__file__).parents[2] / "docs" / "storage.md"


def shown(marker: str) -> str:
    """The block that follows a marker of the document."""
    found = re.search(rf"<!-- {marker} -->\n```text\n(.*?)```", STORAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1].rstrip("\n")


def test_the_keys_in_redis_are_those_of_the_document() -> None:
    """Each key of a small store, with its type and its members."""
    with real_server() as server:
        assert redis_dump(server.url) == shown("the keys")


def test_the_rows_in_sqlite_are_those_of_the_document(tmp_path: Path) -> None:
    """Each row of the same store."""
    assert sqlite_dump(tmp_path) == shown("the rows")


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_key_is_explained(role: str) -> None:
    """Also those that a small store does not have."""
    table = [line.split("|")[1] for line in STORAGE.read_text().splitlines() if line.startswith("| `")]
    assert any(f"`{role}`" in keys or f"`{role}:" in keys for keys in table)
