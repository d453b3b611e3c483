"""The numbers of those who call: what was answered once is answered again, and never done again."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, Final

from exqueue.errors import StaleCall
from exqueue.persistence.sqlite.queue import UnreadableError
from exqueue.persistence.values import CALLER_KEPT_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.sqlite.connection import Step

_FIND: Final = "SELECT n, reply, until FROM callers WHERE queue = ? AND caller = ?"
_KEEP: Final = "INSERT OR REPLACE INTO callers (queue, caller, n, reply, until) VALUES (?, ?, ?, ?, ?)"
_FORGET: Final = "DELETE FROM callers WHERE until <= ?"


def once(step: Step, queue: int, caller: str, n: int, act: Callable[[], Any]) -> Any:
    """Do ``act`` under the caller's number; an equal number is answered again, a lower one is `StaleCall`.

    Returns:
        What ``act`` returned: ``None``, a text or texts; of JSON, so that a tuple comes back as a list.

    Raises:
        StaleCall: a higher number was answered already.
        UnreadableError: what was answered under this number is not there to read.
    """
    row = step.db.execute(_FIND, (queue, caller)).fetchone()
    if row is None:
        # Callers are new at each start of an actor: seldom enough to look for old ones.
        step.db.execute(_FORGET, (step.now,))
    elif row[2] > step.now:
        last, reply = row[:2]
        if n == last:
            return _reply(reply)
        if n < last:
            raise StaleCall(f"call {n} of this caller came after its call {last}; nothing was changed")
    answer = act()
    kept = "null" if answer is None else json.dumps(answer)
    step.db.execute(_KEEP, (queue, caller, n, kept, step.now + CALLER_KEPT_S))
    return answer


def _reply(kept: str) -> Any:
    with contextlib.suppress(ValueError, RecursionError):
        reply = json.loads(kept)
        texts = reply if isinstance(reply, list) else [reply or ""]
        if all(isinstance(text, str) for text in texts):
            return reply
    raise UnreadableError(f"callers.reply is {kept[:40]!r}")
