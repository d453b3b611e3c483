"""Jobs that the tests of this room run: what they do is written down in `done`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import exqueue

if TYPE_CHECKING:
    from exqueue import SystemRef

done: list[object] = []


class SendEmail:
    """Fails for ``nobody``."""

    def perform(self, *, to: str, title: str = "Hello") -> None:
        if to == "nobody":
            raise ValueError("no such address")
        done.append(to)


@exqueue.job(max_retries=1, backoff=10)
def fragile(name: str) -> None:
    """Fails always, and is tried again once, after ten seconds."""
    done.append(name)
    raise LookupError(name)


@exqueue.job
async def in_a_loop(name: str) -> None:
    """Is a coroutine."""
    done.append((name, exqueue.current_job() is not None))


@exqueue.job
def where() -> None:
    """Notes in which thread it runs."""
    done.append(threading.current_thread())


class Chain:
    """Enqueues the next until ``left`` is 0."""

    system: SystemRef

    def perform(self, *, left: int) -> None:
        done.append(f"begin {left}")
        if left:
            self.system.enqueue(Chain, left=left - 1)
        done.append(f"end {left}")
