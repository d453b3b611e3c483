"""The rules that conftest.py lays upon every test, tried on small test files in a pytest of their own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

THREADS = """
import threading

def test_that_leaves_a_thread():
    threading.Thread(target=threading.Event().wait, name="forgotten", daemon=True).start()

def test_whose_thread_ends_a_little_later():
    threading.Thread(target=threading.Event().wait, args=(0.1,)).start()
"""

NO_SERVER_HERE = """
import pytest
import tests.conftest
from tests.servers import NoServer

@pytest.fixture(autouse=True, scope="session")
def machine_without_a_server():
    def nothing():
        raise NoServer("no server on this machine")
    tests.conftest.server_binary = nothing

def test_that_needs_a_server(redis_url):
    pass
"""


def pytest_on(folder: Path, source: str, **environment: str) -> str:
    """Run pytest with our conftest on one file of tests; return its closing line."""
    file = folder / "test_it.py"
    file.write_text(source)
    inherited = {name: value for name, value in os.environ.items() if name not in {"CI", "EXQUEUE_TEST_REDIS_URL"}}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-o", "addopts=", str(file)],
        cwd=ROOT,
        env=inherited | environment,
        check=False,
        capture_output=True,
        text=True,
    )
    return ended.stdout.splitlines()[-1]


def test_only_a_thread_that_stays_fails_its_test(tmp_path: Path) -> None:
    """A thread that outlives its test is an error of that test; one that is about to end is waited for."""
    assert "2 passed, 1 error" in pytest_on(tmp_path, THREADS)


def test_a_missing_server_skips_on_a_laptop(tmp_path: Path) -> None:
    """Without a server and without CI the test is skipped."""
    assert "1 skipped" in pytest_on(tmp_path, NO_SERVER_HERE)


def test_a_missing_server_fails_in_ci(tmp_path: Path) -> None:
    """With CI=true nothing is skipped for want of a server."""
    assert "1 error" in pytest_on(tmp_path, NO_SERVER_HERE, CI="true")
