"""Draining: waiting until the started queues of a node have nothing to do."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from exqueue.actors.protocol import CatchUp, Flush, WhatIsLeft
from exqueue.errors import AskTimeout

if TYPE_CHECKING:
    from exqueue.asking import Asking
    from exqueue.supervision import Runtime

ONE_LOOK_S = 1.0
"""How long the first look may take, however short the time-out."""


def wait_until_drained(asking: Asking, runtime: Runtime, patience_s: float) -> None:
    """Wait until nothing is ready, running or due, also of what is enqueued meanwhile.

    Raises:
        AskTimeout: there still is something after ``patience_s`` seconds, or the persistence does not answer.
        SystemStopped: the system was stopped.
    """
    deadline = runtime.clock.monotonic() + patience_s

    def look(recipient: str, message: object) -> Any:
        reply = asking.send(recipient, message, runtime.reply())
        left_s = deadline - runtime.clock.monotonic()
        return asking.wait(reply, message, recipient, max(left_s, ONE_LOOK_S))

    pause = threading.Event()
    pause_s = 0.005
    look("queues", CatchUp())
    while True:
        pushes = look("producer", Flush())
        left = look("operator", WhatIsLeft())
        # What the last jobs told is stored after they have ended: it counts only if nothing was stored meanwhile.
        if not left and look("producer", Flush()) == pushes:
            return
        left_s = deadline - runtime.clock.monotonic()
        if left_s <= 0:
            what = left or "jobs were enqueued meanwhile"
            raise AskTimeout(f"the started queues still have jobs to run after {patience_s:g} s: {what}")
        pause.wait(min(pause_s, left_s))
        pause_s = min(0.1, pause_s * 1.5)
