"""A web application in plain WSGI: POST /letters enqueues a letter, GET / counts what waits."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from letters import SendLetter

from exqueue import Enqueue, ExqueueError, ExqueueSystem, GetStatus

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# It enqueues, and works nothing. gunicorn imports this module in each of its worker processes, after the fork; with
# --preload it would do so before, and a system does not outlive a fork: then start it at the first request.
system = ExqueueSystem.start(namespace="web_app")


def enqueue_letter(environ: "WSGIEnvironment") -> tuple[str, str]:
    """Store one, and return status and body; 503 says that it is not stored, and to try again."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    form = parse_qs(environ["wsgi.input"].read(length).decode())
    if "to" not in form:
        return "400 Bad Request", "to whom? to=... is missing"
    try:
        job_id = system.ask(Enqueue(SendLetter, {"to": form["to"][0]}), timeout=5)
    except ExqueueError as error:
        return "503 Service Unavailable", str(error)
    return "202 Accepted", f"stored as {job_id}"


def count() -> tuple[str, str]:
    """Tell how many letters are to be sent."""
    queues = system.ask(GetStatus(), timeout=5).queues
    left = sum(queue.ready + queue.waiting + queue.running for queue in queues)
    return "200 OK", f"{left} to be sent"


def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """What gunicorn calls for each request."""
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "POST", "/letters":
            status, body = enqueue_letter(environ)
        case "GET", "/":
            status, body = count()
        case _:
            status, body = "404 Not Found", "not here"
    start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{body}\n".encode()]
