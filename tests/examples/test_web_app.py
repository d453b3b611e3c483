"""The web application and its node, started by their one command, asked as its README asks them."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.examples.running import DEADLINE_S, EXAMPLES, blocks, environment, is_like
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVE, CURL = blocks(EXAMPLES / "web_app" / "README.md", "sh")
ANSWER, SAID = blocks(EXAMPLES / "web_app" / "README.md", "text")
ANSWER_S = 20.0
"""A request that takes longer hangs."""


class Served:
    """The application on a socket in a directory of its own, and what both processes say."""

    def __init__(self, folder: Path, url: str | None) -> None:
        self._socket = folder / "http"
        self._log = folder / "log"
        (folder / "examples").symlink_to(EXAMPLES)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                shlex.split(SERVE),
                cwd=folder,
                env=environment(url, BIND=f"unix:{self._socket}"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def said(self) -> list[str]:
        """The lines by now."""
        return self._log.read_text().splitlines()

    @property
    def printed(self) -> list[str]:
        """Without warnings, as that of a new file."""
        return [line for line in self.said if "WARNING" not in line]

    def await_open(self) -> None:
        """Wait until the node is ready and the application listens."""
        eventually(lambda: "node: ready" in self.said and self._socket.exists(), DEADLINE_S)

    def request(self, method: str, path: str, body: str = "") -> tuple[int, str]:
        """Ask once; returns the status and the body."""
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(ANSWER_S)
            connection.connect(str(self._socket))
            head = f"{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall((head + body).encode())
            answer = b""
            while piece := connection.recv(4096):
                answer += piece
        lines, _, text = answer.decode().partition("\r\n\r\n")
        return int(lines.split()[1]), text

    def children(self) -> dict[str, int]:
        """The two processes that it has started, by what they run."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_text() for pid in found}
        return {"node" if "node.py" in command else "gunicorn": pid for pid, command in commands.items()}


@pytest.fixture
def served(url: str | None) -> Iterator[Served]:
    """Both, until the test is over. Under /tmp, since the path of a socket has at most about 100 characters."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        started = Served(Path(folder), url)
        try:
            yield started
        finally:
            started.process.terminate()
            started.process.wait(DEADLINE_S)


def test_what_is_posted_is_stored_and_sent_by_the_node(served: Served) -> None:
    """As the README shows: the request is answered with the job's id, the node prints the letter; both end well."""
    served.await_open()
    option, body, address = re.fullmatch(r"curl (-d) (\S+) (\S+)\n", CURL).groups()  # type: ignore[union-attr]
    assert option == "-d"
    status, text = served.request("POST", address.removeprefix("localhost:8000"), body)

    assert status == 202
    assert is_like(text.strip(), ANSWER.strip())
    with contextlib.suppress(AssertionError):
        eventually(lambda: len(served.printed) >= len(SAID.splitlines()), DEADLINE_S)
    assert served.printed == SAID.splitlines(), served.said
    eventually(lambda: served.request("GET", "/") == (200, "0 to be sent\n"))
    assert served.request("POST", "/letters", "from=Ann")[0] == 400
    assert served.request("GET", "/letters")[0] == 404
    served.process.terminate()
    assert served.process.wait(DEADLINE_S) == 0, served.said


@pytest.mark.parametrize("url", ["no URL"], indirect=True)
@pytest.mark.parametrize("killed", ["node", "gunicorn"])
def test_when_one_process_is_killed_the_other_is_ended(served: Served, killed: str) -> None:
    """So that whoever has started it sees that something is wrong, and no half of it stays behind."""
    served.await_open()
    children = served.children()
    os.kill(children[killed], signal.SIGKILL)

    assert served.process.wait(DEADLINE_S) != 0
    assert [name for name, pid in children.items() if Path(f"/proc/{pid}").exists()] == []
