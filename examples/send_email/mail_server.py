"""A mail server for trying things out: it prints what it is sent."""

import email
import email.policy
import logging
import socket
from asyncio import AbstractServer
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Printer:
    """Takes each mail and prints its head line."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Take one."""
        mail = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)  # type: ignore[arg-type]
        print(f"mail server: got {mail['Subject']!r} for {mail['To']}", flush=True)
        return "250 OK"


class OnFreePort(Controller):
    """Listens on a port that the system chooses."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        super().__init__(Printer(), hostname="127.0.0.1", port=self.socket.getsockname()[1])

    def _create_server(self) -> Awaitable[AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self.socket)


@contextmanager
def local_mail_server() -> Iterator[tuple[str, int]]:
    """Run one, and give its host and port."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # Else each line of each conversation is logged.
    server = OnFreePort()
    server.start()
    try:
        yield server.hostname, server.port
    finally:
        server.stop()
