"""The server of a customer, who wants to be told of orders. It is not always well."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

failures_left = {"/flaky": 2, "/down": 1_000}  # How many more requests each address answers with 503.


class Customer(BaseHTTPRequestHandler):
    """Takes what is posted, or does not."""

    def do_POST(self) -> None:
        """Answer 503 as often as is set, then 204."""
        order = self.rfile.read(int(self.headers["Content-Length"])).decode()
        fails = failures_left.get(self.path, 0) > 0
        if fails:
            failures_left[self.path] -= 1
        print(f"customer: {self.path} {order} {'refused' if fails else 'taken'}", flush=True)
        self.send_response(503 if fails else 204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        """Say nothing more."""


@contextmanager
def customers_server() -> Iterator[int]:
    """Run the server and give its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Customer)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
