"""A proxy between a client and a server that can lose a reply: the request is executed, the answer never comes."""

import contextlib
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

BUFFER = 65_536


class LosingProxy:
    """Listens on a unix socket and passes everything on, until it is told to lose the next reply."""

    def __init__(self, url: str) -> None:
        self._server = redis.ConnectionPool.from_url(url).connection_kwargs
        self._folder = Path(tempfile.mkdtemp(prefix="exqueue-", dir="/tmp"))
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._folder / "p"))
        self._listener.listen()
        self._loses_next = threading.Event()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return f"unix://{self._folder / 'p'}"

    def lose_the_next_reply(self) -> None:
        """The next reply of any connection is swallowed, and that connection closed."""
        self._loses_next.set()

    @property
    def has_lost_it(self) -> bool:
        return not self._loses_next.is_set()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # A listening socket that is only closed does not wake its accept.
        for sock in (self._listener, *self._open):
            _end(sock)
        for thread in self._threads:
            thread.join()
        shutil.rmtree(self._folder)

    def _start(self, target: Callable[..., None], *args: socket.socket) -> None:
        thread = threading.Thread(target=target, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._connect()
                self._open += [client, server]
                self._start(self._pass_requests, client, server)
                self._start(self._pass_replies, server, client)

    def _connect(self) -> socket.socket:
        if "path" in self._server:
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server["path"])
            return server
        return socket.create_connection((self._server["host"], self._server.get("port", 6379)))

    def _pass_requests(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(BUFFER):
                server.sendall(data)
        _end(server)

    def _pass_replies(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(BUFFER):
                if self._loses_next.is_set():
                    self._loses_next.clear()
                    break
                client.sendall(data)
        _end(client)


def _end(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
