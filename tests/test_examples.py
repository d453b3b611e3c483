"""The programs under examples/, run as a reader runs them: by the interpreter, against real servers."""

import contextlib
import email
import email.policy
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
from asyncio import AbstractServer
from collections.abc import Awaitable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from exqueue import ExqueueSystem, GetStatus
from tests.servers import real_server

EXAMPLES = Path(__file__).parent.parent / "examples"
DEADLINE_S = 60.0

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


def takeover(url: str | None) -> subprocess.CompletedProcess[str]:
    """Run that example; its two processes say on stderr that one of them is gone."""
    environment = {name: value for name, value in os.environ.items() if name != "EXQUEUE_URL"}
    environment |= {} if url is None else {"EXQUEUE_URL": url}
    command = [sys.executable, "-W", "error", str(EXAMPLES / "takeover.py")]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=DEADLINE_S)


def python(*arguments: str, url: str | None, smtp_port: int = 1) -> subprocess.CompletedProcess[str]:
    """Run an example in an empty directory, warnings being errors, and see that nothing is written to stderr.

    Args:
        arguments: the name of the example, or `-c` and a program.
        url: for $EXQUEUE_URL; ``None`` leaves it unset.
        smtp_port: for $SMTP_PORT.
    """
    environment = {name: value for name, value in os.environ.items() if name != "EXQUEUE_URL"}
    environment |= {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(smtp_port)} | (
        {} if url is None else {"EXQUEUE_URL": url}
    )
    program, *others = arguments
    command = [sys.executable, "-W", "error", str(EXAMPLES / program) if program != "-c" else program, *others]
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            command, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=DEADLINE_S
        )
    assert ended.stderr == "", ended.stdout
    return ended


def jobs_left_at(url: str) -> int:
    """How many jobs of the default namespace the store still has, dead ones included."""
    with ExqueueSystem.start(url) as system:
        queues = system.ask(GetStatus()).queues
    return sum(queue.ready + queue.waiting + queue.running + queue.dead for queue in queues)


@pytest.fixture
def empty_server(needs_server: None) -> Iterator[str]:
    """A server of one's own: an ordinary program uses the default namespace, which nobody else may use then."""
    with real_server() as server:
        yield server.url


@pytest.fixture(params=["no URL", "redis"])
def mail_url(request: pytest.FixtureRequest) -> str | None:
    """Where the mail program keeps its jobs: as it chooses itself, and on an empty real server."""
    if request.param == "no URL":
        return None
    url: str = request.getfixturevalue("empty_server")
    return url


@pytest.fixture(params=["no URL", "redis"])
def demo_url(request: pytest.FixtureRequest) -> str | None:
    """Where the demo keeps its jobs; its namespace is its own."""
    if request.param == "no URL":
        return None
    url: str = request.getfixturevalue("redis_url")
    return url


def test_a_mail_is_received_as_it_was_enqueued(mail_url: str | None) -> None:
    """The mail arrives once, word for word; the one to a refused address is retried, reported once and deleted."""
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        ended = python("send_email.py", url=mail_url, smtp_port=port)

    assert ended.returncode == 0, ended.stdout
    assert mailbox.received == [THE_MAIL]
    assert mailbox.envelopes == [(THE_MAIL[0], [THE_MAIL[1]])]
    assert [int(n) for n in re.findall(r"attempt (\d): 'Hello\?' to no@body", ended.stdout)] == [1, 2, 3]
    assert len(re.findall(r"^ERROR job .* is dead after 3 failed attempts", ended.stdout, re.MULTILINE)) == 1
    assert ended.stdout.count("5.1.3 Error: malformed address") >= 3
    assert "the dead job is deleted" in ended.stdout


def test_a_mail_refused_for_now_is_sent_later_and_once(mail_url: str | None) -> None:
    """A 451 is a failure like any other: the same mail comes again, under the same id, and is taken exactly once."""
    mailbox = Mailbox(refusals=1)
    with mail_server(mailbox) as port:
        ended = python("send_email.py", url=mail_url, smtp_port=port)

    assert ended.returncode == 0, ended.stdout
    assert mailbox.received == [THE_MAIL]
    assert [one["Message-ID"] for one in mailbox.refused] == [one["Message-ID"] for one in mailbox.mails]
    assert re.search(r"INFO job .* failed at attempt 1, tried again in 0\.1 s: .*451.*Try again later", ended.stdout)


def test_a_mail_outlives_the_program_that_could_not_send_it(empty_server: str) -> None:
    """On Redis, what one run could not send since no mail server listened, the next run sends; then nothing is left."""
    mailbox = Mailbox()
    with nobody_listens() as port:
        first = python("send_email.py", url=empty_server, smtp_port=port)
    with mail_server(mailbox) as port:
        second = python("send_email.py", url=empty_server, smtp_port=port)

    assert (first.returncode, second.returncode) == (1, 0), first.stdout + second.stdout
    assert "Connection refused" in first.stdout
    assert "kept as a dead job" in first.stdout
    assert "1 dead from an earlier run" in second.stdout
    assert mailbox.received == [THE_MAIL] * 2
    assert len({one["Message-ID"] for one in mailbox.mails}) == 2
    assert jobs_left_at(empty_server) == 0


def test_the_demo_shows_crashes_a_death_and_the_account(demo_url: str | None) -> None:
    """It ends well, and shows the ERROR of the death, the tree in columns with its two restarts, and the table."""
    ended = python("demo.py", url=demo_url)

    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.count("log | ERROR job ") == 1
    assert "log | ConnectionError: the bank does not answer" in ended.stdout
    assert re.search(r"To run it again: system.tell\(RetryDead\('[^']+'\)\)", ended.stdout)
    tree = ended.stdout.partition("SendMail      QueueSupervisor")[2].partition("ChargeCard")[0].splitlines()[1:-1]
    assert tree[0].startswith("            fetcher   Fetcher          restarts: 1")
    assert [re.sub(r"job \S+$", "job ...", line) for line in tree[1:]] == [
        "            worker-1  Worker           restarts: 1  job ...",
        "            worker-2  Worker                        job ...",
        "            worker-3  Worker                        job ...",
        "            worker-4  Worker                        job ...",
    ]
    table = [line.split() for line in ended.stdout.partition("job class ")[2].splitlines()[1:4]]
    assert table == [
        ["SendMail", "40", "40", "0", "0", "40", "0"],
        ["ChargeCard", "1", "3", "1", "1", "1", "0"],
        ["write_report", "5", "5", "0", "0", "5", "0"],
    ]
    assert "WRONG" not in ended.stdout


def test_a_killed_process_is_taken_over_from(demo_url: str | None) -> None:
    """What was interrupted runs again, the rest once, within the promised time; the table says so."""
    ended = takeover(demo_url)

    assert ended.returncode == 0, ended.stdout
    table = [line.split() for line in ended.stdout.partition("attempt\n")[2].splitlines()[:6]]
    assert [(row[0], row[1], row[-1]) for row in table] == [
        ("0", "yes", "2"),
        ("1", "yes", "2"),
        ("2", "yes", "2"),
        ("3", "no", "1"),
        ("4", "no", "1"),
        ("5", "no", "1"),
    ]
    assert re.search(r"taken over after \d\.\d\d s, promised are 3 s", ended.stdout)


def test_a_takeover_needs_a_store_that_processes_share() -> None:
    """Memory is not one, and the program says so instead of failing."""
    ended = takeover("memory://")

    assert ended.returncode == 0
    assert "memory can't be shared with another process" in ended.stdout


A_LOST_MAIL = """
def all_but_one(jobs):
    return EnqueueMany([one for one in jobs if one.kwargs != {"number": 7}])
demo.EnqueueMany = all_but_one
"""
A_MAIL_SENT_TWICE = """
once = demo.SendMail.perform
def twice(self, *, number):
    once(self, number=number)
    if number == 7:
        once(self, number=number)
demo.SendMail.perform = twice
"""
PAGES_OUT_OF_TURN = """
def backwards_if_pages(jobs):
    jobs = list(jobs)
    return EnqueueMany(jobs[::-1] if "page" in jobs[0].kwargs else jobs)
demo.EnqueueMany = backwards_if_pages
"""
A_CHARGE_LEFT_IN_THE_STORE = """
judge = demo.judge
def after_another_charge(system, *rest):
    system.ask(Enqueue(demo.ChargeCard, {"card": "4712"}, delay=60))
    return judge(system, *rest)
demo.judge = after_another_charge
"""
A_CRASH_TOO_MANY = """
crash = demo.crash
def crash_another_too(system, path):
    crash(system, path)
    if path.endswith("worker-1"):
        crash(system, "queues/write_report/fetcher")
demo.crash = crash_another_too
"""
A_SECOND_ERROR = """
judge = demo.judge
def after_an_error(*everything):
    logging.getLogger("exqueue.actors.reporter").error("job P7 (ChargeCard) is dead")
    return judge(*everything)
demo.judge = after_an_error
"""


@pytest.mark.parametrize(
    ("breakage", "found"),
    [
        pytest.param(A_LOST_MAIL, "waited 2 s in vain: all mails", id="a mail is lost"),
        pytest.param(A_MAIL_SENT_TWICE, "SendMail 7 ran 2 times", id="a mail is sent twice"),
        pytest.param(PAGES_OUT_OF_TURN, "the pages were not written one after another", id="pages out of turn"),
        pytest.param(A_CHARGE_LEFT_IN_THE_STORE, "ChargeCard: the numbers are not those of 1 jobs", id="a job is left"),
        pytest.param(A_CRASH_TOO_MANY, "not exactly the two crashed actors were started again", id="too many restarts"),
        pytest.param(A_SECOND_ERROR, "there was not one ERROR, of the dead job, but 2", id="reported twice"),
    ],
)
def test_the_demo_finds_what_is_wrong(breakage: str, found: str) -> None:
    """The demo's own checks can fail: with anything made wrong it says what, and exits with 1."""
    program = f"""
import logging, sys
sys.path.insert(0, {str(EXAMPLES)!r})
import demo
from exqueue import Enqueue, EnqueueMany
demo.PATIENCE_S = 2.0
{breakage}
sys.exit(demo.main())
"""
    ended = python("-c", program, url=None)

    assert ended.returncode == 1, ended.stdout
    assert f"WRONG: {found}" in ended.stdout
    assert "Nothing was lost" not in ended.stdout


def test_a_double_charge_is_found_and_repaired() -> None:
    """The naive job charges twice when its node stands still between look and charge; the fenced one never."""
    ran = subprocess.run(
        [sys.executable, str(EXAMPLES / "charge_once.py")],
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
    )
    naive, how, fenced = ran.stdout.splitlines()
    assert naive == "Charge: charged 2 times"
    assert how == "Exqueue simulated this with the node frozen at place 1 of 4:"
    page = (EXAMPLES.parent / "docs" / "simulate.md").read_text()
    assert how in page
    assert naive.removeprefix("Charge: ") in page
    assert re.fullmatch(r"ChargeOnce: charged once in each of 39 runs with \d+ crashes", fenced)
