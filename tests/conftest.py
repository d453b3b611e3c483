"""Fixtures for every test: a real server, a namespace of one's own, and the rule that nothing is left behind."""

import gc
import os
import secrets
import signal
import threading
import time
from collections.abc import Iterator

import hypothesis
import pytest

from tests.servers import NoServer, real_server, server_binary

THREADS_END_WITHIN_S = 2.0
THREADS_OF_THE_TOOLS = ("pytest_timeout",)

# Of a program that was started in the background of a shell: its children would ignore Ctrl-C and SIGQUIT, too, and
# many tests are about them. What is handled here is back to its default in a child.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)

# No deadline an example: on a busy machine it fails what is right.
hypothesis.settings.register_profile("exqueue", deadline=None, print_blob=True)
hypothesis.settings.load_profile("exqueue")


def pytest_collection_finish() -> None:
    """Take what was collected out of the sight of the garbage collector: thousands of items, and all of it stays.

    Each full collection would go through it, and the tests about leaks have hundreds.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_threads_left_behind() -> Iterator[None]:
    """Fail a test whose threads outlive it by more than `THREADS_END_WITHIN_S`."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + THREADS_END_WITHIN_S
    left = [t for t in threading.enumerate() if t not in before and not t.name.startswith(THREADS_OF_THE_TOOLS)]
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    alive = [thread.name for thread in left if thread.is_alive()]
    if alive:
        pytest.fail(f"the test left threads behind: {', '.join(sorted(alive))}")


@pytest.fixture(scope="session")
def needs_server() -> None:
    """Skip what needs a server of its own on a machine without one; fail there when CI=true."""
    try:
        server_binary()
    except NoServer as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that the tests of this session share: `EXQUEUE_TEST_REDIS_URL`, else one of our own."""
    if url := os.environ.get("EXQUEUE_TEST_REDIS_URL"):
        yield url
        return
    request.getfixturevalue("needs_server")
    with real_server() as server:
        yield server.url


@pytest.fixture
def namespace() -> str:
    """A namespace that no other test uses, so that tests may share a server."""
    return f"test-{secrets.token_hex(8)}"
