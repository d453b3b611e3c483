"""The job of all measurements: it leaves a record, at most after a short sleep."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from benchmarks.rig.records import write
from exqueue.codec import default_codec
from exqueue.record import encode_record

TO, TITLE = "info@example.com", "Hello"
RECORD_BYTES = 75


class Send:
    """As a job that sends mail would be, without the mail."""

    sleep_s: ClassVar[float] = 0.0

    def perform(self, *, to: str, title: str, text: str) -> None:
        """Leave a record; ``text`` begins with what is to stand in it, and a colon."""
        begun_ns = time.monotonic_ns()
        if self.sleep_s:
            time.sleep(self.sleep_s)
        write(int(text.partition(":")[0]), begun_ns, time.monotonic_ns())


def job_of(queue: str, sleep_s: float = 0.0) -> type[Send]:
    """The job, in this queue."""
    return type("Send", (Send,), {"queue": queue, "name": f"Send-{queue}", "sleep_s": sleep_s})


def arguments(mark: int, size: int = 0) -> dict[str, Any]:
    """Those of one job.

    Args:
        mark: what it writes beside its times.
        size: bytes of its text; 0 for the length that makes a record of `RECORD_BYTES`.
    """
    return {"to": TO, "title": TITLE, "text": f"{mark}:".ljust(size or TEXT_BYTES, ".")}


def _text_bytes() -> int:
    """How long the text is in a record of `RECORD_BYTES`; the record of a job of queue ``q`` counts."""
    plain = {"to": TO, "title": TITLE, "text": ""}
    return RECORD_BYTES - len(encode_record("Send-q", plain, time.time(), default_codec()))


TEXT_BYTES = _text_bytes()
