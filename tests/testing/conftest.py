"""Each test of this room begins with nothing done."""

import pytest

from tests.testing.jobs import done


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    """Empty the list that the jobs write into."""
    done.clear()
