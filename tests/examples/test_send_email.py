"""The example that sends mail, against mail servers that take, refuse and are not there."""

from __future__ import annotations

import contextlib
import email
import email.policy
import re
import socket
import threading
from email.message import EmailMessage
from typing import TYPE_CHECKING

from aiosmtpd.controller import Controller

from exqueue import ExqueueSystem, GetStatus
from tests.examples.running import EXAMPLES, python

if TYPE_CHECKING:
    import subprocess
    from asyncio import AbstractServer
    from collections.abc import Awaitable, Iterator
    from pathlib import Path

    from aiosmtpd.smtp import SMTP, Envelope, Session

THE_MAIL = ("shop@example.com", "info@example.com", "Hello", "Hello, there!\n")


class Mailbox:
    """Takes mail for a mail server; the first ``refusals`` mails are refused for the time being (451)."""

    def __init__(self, refusals: int = 0) -> None:
        self._lock = threading.Lock()
        self._refusals_left = refusals
        self.mails: list[EmailMessage] = []
        self.refused: list[EmailMessage] = []
        self.envelopes: list[tuple[str | None, list[str]]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Take a mail, or not."""
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, EmailMessage, policy=email.policy.default)
        with self._lock:
            if self._refusals_left > 0:
                self._refusals_left -= 1
                self.refused.append(mail)
                return "451 4.3.0 Try again later"
            self.mails.append(mail)
            self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
            return "250 OK"

    @property
    def received(self) -> list[tuple[str, str, str, str]]:
        """Sender, recipient, subject and text of each mail taken, in the order of their coming."""
        return [(one["From"], one["To"], one["Subject"], one.get_content().replace("\r\n", "\n")) for one in self.mails]


class OnFreePort(Controller):
    """A mail server on a port that it holds from the start: nobody else can take it between the choice and the use."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        super().__init__(mailbox, hostname="127.0.0.1", port=self.socket.getsockname()[1])

    def _create_server(self) -> Awaitable[AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self.socket)


@contextlib.contextmanager
def mail_server(mailbox: Mailbox) -> Iterator[int]:
    """A real mail server; gives its port."""
    controller = OnFreePort(mailbox)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@contextlib.contextmanager
def nobody_listens() -> Iterator[int]:
    """A port that is taken, so that nobody comes to listen there, and refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def send(folder: Path, url: str | None, port: int) -> subprocess.CompletedProcess[str]:
    """Run the example with the mail server of this port."""
    program = str(EXAMPLES / "send_email" / "send_email.py")
    ended = python(program, folder=folder, url=url, SMTP_HOST="127.0.0.1", SMTP_PORT=str(port))
    assert "Exception ignored" not in ended.stderr
    return ended


def jobs_left_at(url: str) -> int:
    """How many jobs of the default namespace the store still has, dead ones included."""
    with ExqueueSystem.start(url) as system:
        queues = system.ask(GetStatus()).queues
    return sum(queue.ready + queue.waiting + queue.running + queue.dead for queue in queues)


def test_a_mail_is_received_as_it_was_enqueued(tmp_path: Path, url: str | None) -> None:
    """The mail arrives once, word for word; the one to a refused address is retried, reported once and deleted."""
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        ended = send(tmp_path, url, port)

    assert ended.returncode == 0, ended.stderr
    assert mailbox.received == [THE_MAIL]
    assert mailbox.envelopes == [(THE_MAIL[0], [THE_MAIL[1]])]
    assert [int(n) for n in re.findall(r"attempt (\d): 'Hello\?' to no@body", ended.stdout)] == [1, 2, 3]
    assert len(re.findall(r"^ERROR job .* is dead after 3 failed attempts", ended.stderr, re.MULTILINE)) == 1
    assert ended.stderr.count("5.1.3 Error: malformed address") >= 3
    assert "the dead job is deleted" in ended.stdout


def test_a_mail_refused_for_now_is_sent_later_and_once(tmp_path: Path, url: str | None) -> None:
    """A 451 is a failure like any other: the same mail comes again, under the same id, and is taken exactly once."""
    mailbox = Mailbox(refusals=1)
    with mail_server(mailbox) as port:
        ended = send(tmp_path, url, port)

    assert ended.returncode == 0, ended.stderr
    assert mailbox.received == [THE_MAIL]
    assert [one["Message-ID"] for one in mailbox.refused] == [one["Message-ID"] for one in mailbox.mails]
    assert re.search(r"INFO job .* failed at attempt 1, tried again in 0\.1 s: .*451.*Try again later", ended.stderr)


def test_a_mail_outlives_the_program_that_could_not_send_it(tmp_path: Path, empty_server: str) -> None:
    """On Redis, what one run could not send since no mail server listened, the next run sends; then nothing is left."""
    mailbox = Mailbox()
    with nobody_listens() as port:
        first = send(tmp_path, empty_server, port)
    with mail_server(mailbox) as port:
        second = send(tmp_path, empty_server, port)

    assert (first.returncode, second.returncode) == (1, 0), first.stdout + second.stdout
    assert "Connection refused" in first.stderr
    assert "kept as a dead job" in first.stdout
    assert "1 dead from an earlier run" in second.stdout
    assert mailbox.received == [THE_MAIL] * 2
    assert len({one["Message-ID"] for one in mailbox.mails}) == 2
    assert jobs_left_at(empty_server) == 0
