"""The servers that the tests stand on."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.servers import RealServer, real_server

DEADLINE_S = 10.0
ROOT = Path(__file__).parent.parent

ASK_THE_SERVER = """
import os, sys, redis
with redis.Redis.from_url(os.environ["EXQUEUE_URL"]) as client:
    print(client.ping(), os.environ["EXQUEUE_URL"], *sys.argv[1:])
"""


@contextlib.contextmanager
def client_of(url: str) -> Iterator[redis.Redis]:
    """A client that is closed at the end of the block and hides no error by trying again."""
    with redis.Redis.from_url(url, retry=None, decode_responses=True) as client:
        yield client


def is_running(pid: int) -> bool:
    """Whether the process exists; a server that ended is reaped at once by the shell that guards it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_shared_server_runs_scripts(redis_url: str, namespace: str) -> None:
    """The session's server speaks the Redis protocol and runs Lua."""
    with client_of(redis_url) as client:
        reply = client.eval("redis.call('SET', KEYS[1], 'x', 'EX', 10) return redis.call('GET', KEYS[1])", 1, namespace)

    assert reply == "x"


@pytest.mark.usefixtures("needs_server")
def test_a_killed_server_starts_again_empty_under_the_same_url() -> None:
    """Between stop and start a server does not answer; afterwards it does, and has forgotten everything."""
    with real_server() as server, client_of(server.url) as client:
        client.set("key", "value")
        first = server.pid
        server.stop()
        with pytest.raises(redis.ConnectionError):
            client.get("key")
        server.start()

        assert client.get("key") is None
        assert server.pid != first


@pytest.mark.usefixtures("needs_server")
def test_arguments_reach_the_server() -> None:
    """Further arguments stand after our own, and so win."""
    with real_server("--maxmemory", "64mb", "--appendonly", "yes") as server, client_of(server.url) as client:
        assert client.config_get("maxmemory") == {"maxmemory": str(64 * 1024 * 1024)}
        assert client.config_get("appendonly") == {"appendonly": "yes"}


@pytest.mark.usefixtures("needs_server")
def test_a_server_that_can_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of a failed start carries the server's own words."""
    monkeypatch.setattr("tests.servers.START_DEADLINE_S", 0.5)
    server = RealServer("--no-such-option", "1")
    try:
        with pytest.raises(RuntimeError, match="no-such-option"):
            server.start()
    finally:
        server.remove()


@pytest.mark.usefixtures("needs_server")
def test_a_server_does_not_outlive_a_killed_test_process() -> None:
    """SIGKILL of the process that started a server ends the server too, and removes its directory."""
    program = (
        "from tests.servers import RealServer; s = RealServer(); s.start(); print(s.pid, s.url, flush=True); input()"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid_text, url = owner.stdout.readline().split()
    with client_of(url) as client:
        assert client.ping()

    os.kill(owner.pid, signal.SIGKILL)
    owner.communicate()

    deadline = time.monotonic() + DEADLINE_S
    folder = Path(url.removeprefix("unix://")).parent
    while (is_running(int(pid_text)) or folder.exists()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(int(pid_text))
    assert not folder.exists()


def run_with_server(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as `.ci/run` does."""
    return subprocess.run(
        [sys.executable, "-m", "tests.servers", *command],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )


@pytest.mark.usefixtures("needs_server")
def test_a_command_runs_with_a_server_of_its_own() -> None:
    """The command finds a server that answers at $EXQUEUE_URL, gets its arguments, and the server ends with it."""
    ended = run_with_server(sys.executable, "-c", ASK_THE_SERVER, "--flag", "two words")

    answer, url, *arguments = ended.stdout.split()
    assert (ended.returncode, answer, arguments) == (0, "True", ["--flag", "two", "words"])
    assert not Path(url.removeprefix("unix://")).parent.exists()


@pytest.mark.usefixtures("needs_server")
@pytest.mark.parametrize(
    ("command", "code"),
    [(("sh", "-c", "exit 3"), 3), (("sh", "-c", "kill -TERM $$"), 143), (("/no/such/program",), 127)],
)
def test_the_exit_code_of_the_command_is_passed_on(command: tuple[str, ...], code: int) -> None:
    """What failed under the server fails for its caller."""
    assert run_with_server(*command).returncode == code


def test_no_command_is_said_to_be_wrong() -> None:
    """Without a command there is nothing to run, and that is no success."""
    ended = run_with_server()

    assert ended.returncode == 1
    assert "usage: python -m tests.servers COMMAND" in ended.stderr
