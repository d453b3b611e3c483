"""Sentry and Honeybadger hear of each death, from their real clients; a service that is down harms no node."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from exqueue.contrib.frames import Frame, frames_of
from tests.contrib.program import DEATHS, KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ENDS_WITHIN_S = 30.0
SERVICES = ("sentry", "honeybadger")


class Received(NamedTuple):
    """A request."""

    path: str
    headers: dict[str, str]
    body: bytes


class Server(ThreadingHTTPServer):
    """Accepts every request with the status that the test has chosen, and notes it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[Received] = []
        self.status = 201

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.received.append(Received(self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    """A service on this host."""
    with Server() as it:
        thread = threading.Thread(target=it.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield it
        it.shutdown()
        thread.join()


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of one that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def down() -> str:
    """The address of one that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def run(service: str, address: str) -> str:
    """Run the program to its end; what it logged."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.contrib.program", service, address],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
        timeout=ENDS_WITHIN_S,
    )
    return done.stderr


def died(log: str) -> int:
    """How many lines about deaths there are."""
    return log.count("ERROR job mail-")


def sentry_events(server: Server) -> list[dict[str, Any]]:
    """The events in the envelopes: a line of its header before each."""
    events = []
    for request in server.received:
        assert request.path == "/api/1/envelope/"
        assert KEY in request.headers["X-Sentry-Auth"]
        _, *lines = request.body.splitlines()
        heads = iter(lines)
        events += [json.loads(body) for head, body in zip(heads, heads, strict=True) if b'"type":"event"' in head]
    return events


def test_sentry_hears_of_each_death_once(server: Server) -> None:
    """With type, message, lines of code, tags and the line that retries it; not from the log once more."""
    server.status = 200
    assert died(run("sentry", server.address)) == DEATHS
    events = sentry_events(server)
    assert sorted(event["contexts"]["exqueue"]["id"] for event in events) == [f"mail-{n}" for n in range(DEATHS)]
    event = events[0]
    (exception,) = event["exception"]["values"]
    assert (exception["type"], exception["value"]) == ("ConnectionRefusedError", "mail.example.com refused it")
    assert exception["stacktrace"]["frames"][-1]["function"] == "perform"
    assert exception["stacktrace"]["frames"][-1]["filename"].endswith("tests/contrib/program.py")
    assert event["level"] == "error"
    assert event["fingerprint"] == ["exqueue", "SendEmail", "ConnectionRefusedError"]
    tags = {"exqueue.job": "SendEmail", "exqueue.queue": "SendEmail", "exqueue.node": "office", "exqueue.attempts": "1"}
    assert event["tags"] == tags
    context = event["contexts"]["exqueue"]
    assert context["traceback"].startswith("Traceback (most recent call last):")
    assert context["retry"] == f"system.tell(RetryDead('{context['id']}'))"
    assert b"tea-at-dawn" not in b"".join(request.body for request in server.received)


def test_honeybadger_hears_of_each_death_once(server: Server) -> None:
    """As Sentry does."""
    assert died(run("honeybadger", server.address)) == DEATHS
    assert {(one.path, one.headers["X-Api-Key"]) for one in server.received} == {("/v1/notices/", KEY)}
    notices = [json.loads(one.body) for one in server.received]
    contexts = [notice["request"]["context"] for notice in notices]
    assert sorted(context["id"] for context in contexts) == [f"mail-{n}" for n in range(DEATHS)]
    error = notices[0]["error"]
    assert (error["class"], error["message"]) == ("ConnectionRefusedError", "mail.example.com refused it")
    assert error["backtrace"][0]["method"] == "perform"
    assert error["backtrace"][0]["file"].endswith("tests/contrib/program.py")
    assert error["fingerprint"] == "exqueue SendEmail ConnectionRefusedError"
    assert sorted(error["tags"]) == ["SendEmail", "exqueue"]
    assert (contexts[0]["job"], contexts[0]["node"], contexts[0]["attempts"]) == ("SendEmail", "office", 1)
    assert contexts[0]["traceback"].startswith("Traceback (most recent call last):")
    assert b"tea-at-dawn" not in b"".join(one.body for one in server.received)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_down_harms_no_node(service: str, down: str) -> None:
    """Each death is in the log, and the program ends in good order."""
    assert died(run(service, down)) == DEATHS


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_hangs_harms_no_node(service: str, silent: str) -> None:
    """Not at the end of the program either."""
    assert died(run(service, silent)) == DEATHS


def test_a_report_that_honeybadger_refuses_is_said_once(server: Server) -> None:
    """With its answer."""
    server.status = 403
    log = run("honeybadger", server.address)
    assert len(server.received) == DEATHS
    (line,) = [line for line in log.splitlines() if line.startswith("WARNING")]
    assert line.startswith("WARNING report= raised for job mail-")
    assert "HTTP Error 403" in line


@pytest.mark.parametrize(("service", "package"), [("sentry", "sentry_sdk"), ("honeybadger", "honeybadger")])
def test_a_client_that_is_not_installed_is_named(service: str, package: str) -> None:
    """With what installs it."""
    code = f"import sys; sys.modules[{package!r}] = None; import exqueue.contrib.{service}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    assert f"pip install 'exqueue[{service}]'" in done.stderr.splitlines()[-1]


def test_the_lines_of_code_are_those_of_the_last_exception() -> None:
    """What it came from stands before; a line that was cut, or is none, is passed over."""
    text = (
        "Traceback (most recent call last):\n"
        '  File "/a.py", line 1, in one\n'
        "    raise KeyError\n"
        "KeyError\n\n"
        "During handling of the above exception, another exception occurred:\n\n"
        "Traceback (most recent call last):\n"
        '  File "/b.py", line 20, in Thing.two\n'
        "    say('  File \"/c.py\", line 3, in no')\n"
        "[... 1,000 characters cut ...]\n"
        '  File "/d.py", line 4, in <lambda>\n'
        "ValueError: not so\n"
    )
    assert frames_of(text) == (Frame("/b.py", 20, "Thing.two"), Frame("/d.py", 4, "<lambda>"))
    assert frames_of("") == ()
