"""Huey on Redis or SQLite: one process, as many threads as slots, results off.

Settings: https://huey.readthedocs.io/en/latest/consumer.html (`--workers`, `--worker-type thread`, `--delay`,
`--max-delay`) and https://huey.readthedocs.io/en/latest/api.html (`results`, blocking reads of Redis; for SQLite the
write-ahead log is the default, and `fsync` is off). SQLite is polled: at most 0.1 s apart, where the default is 10 s.
"""

import os

from console import become
from huey import RedisHuey, SqliteHuey
from peer import run

URL = os.environ["PEER_URL"]
IS_SQLITE = URL.startswith("sqlite:")

app = (
    SqliteHuey("peers", filename=URL.removeprefix("sqlite:///"), results=False)
    if IS_SQLITE
    else RedisHuey("peers", url=URL, results=False)
)


@app.task()
def send(*, to: str, title: str, text: str) -> None:
    """Do the job."""
    run(text)


def enqueue(arguments: dict[str, str]) -> None:
    """Store one job."""
    send(**arguments)


def work(slots: int) -> None:
    """Work until SIGTERM."""
    polls = ("--delay", "0.1", "--max-delay", "0.1") if IS_SQLITE else ()
    become("huey_consumer", "program.app", "--workers", str(slots), "--worker-type", "thread", "--quiet", *polls)
