"""A server of one's own, which can be put on either CPU and says what it was asked for."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from typing import TYPE_CHECKING, Any

import redis

from benchmarks.rig.modes import pin
from tests.servers import RealServer, real_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.rig.modes import Mode

SENT = re.compile(rb"\+[0-9.]+ \[\d+ (?!lua\])")
"""How a line of MONITOR begins for a command that a client sent, and no script."""


class Server:
    """A running server.

    Args:
        process: its process.
        url: where it listens.
    """

    def __init__(self, process: RealServer, url: str) -> None:
        self.url = url
        self._process = process
        self._client = redis.Redis.from_url(url)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def pin(self, mode: Mode) -> None:
        """Put it where the mode wants it."""
        pin(self.pid, mode.server_cpu)

    def flush(self) -> None:
        """Forget everything, and give the memory back before the next one is measured."""
        self._client.flushall()
        self._client.config_set("slowlog-max-len", 10_000)

    def used_bytes(self) -> int:
        """The memory of its data."""
        return int(self._client.info("memory")["used_memory"])

    def version(self) -> str:
        """Its name and version."""
        info: dict[str, Any] = self._client.info("server")
        return f"{info.get('server_name', 'redis')} {info.get('valkey_version') or info['redis_version']}"

    def client_commands_within(self, seconds: float) -> int:
        """How many commands clients send within so many seconds; what scripts do is not counted."""
        counted = 0
        deadline = time.monotonic() + seconds
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.url.removeprefix("unix://"))
            connection.sendall(b"MONITOR\r\n")
            rest = b""
            while (left := deadline - time.monotonic()) > 0:
                connection.settimeout(left)
                with contextlib.suppress(TimeoutError):
                    *lines, rest = (rest + connection.recv(1 << 16)).split(b"\r\n")
                    counted += sum(SENT.match(line) is not None for line in lines)
        return counted

    def watch_scripts(self, slower_than_us: int) -> None:
        """Keep each command from now on that takes longer than this."""
        self._client.config_set("slowlog-log-slower-than", slower_than_us)
        self._client.slowlog_reset()

    def longest_script_s(self) -> float:
        """The longest call of a script since `watch_scripts`; 0 when none took longer than asked."""
        entries = self._client.slowlog_get(10_000)
        scripts = [entry["duration"] for entry in entries if entry["command"].upper().startswith((b"EVAL", b"FCALL"))]
        return max(scripts, default=0) / 1_000_000

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()


@contextlib.contextmanager
def private_server(*arguments: str) -> Iterator[Server]:
    """A server that ends with the block; nothing but a unix socket leads to it.

    Args:
        *arguments: further ones of its command line.

    Raises:
        tests.servers.NoServer: this machine has no binary; the message says how to get one.
    """
    with real_server(*arguments) as process:
        server = Server(process, process.url)
        try:
            server.flush()
            yield server
        finally:
            server.close()
