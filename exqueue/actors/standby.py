"""What a node that stands by waits for, said once for each node that holds the lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from exqueue.actors.witness import ABSENT_FOR_S, would_be_seen

if TYPE_CHECKING:
    from exqueue.persistence.values import Holder, Presence

UNSEEN_FOR_S = 2.0
"""How long a holder has to stay unseen until that is said: it may just be subscribing."""

Why = Literal["leads", "absent", "unseen"]

_SENTENCES: dict[Why, str] = {
    "leads": "it leads",
    "absent": f"it is not there, and when that lasts {ABSENT_FOR_S:g} s its lease is ended",
    "unseen": "it can't be seen, so its lease is waited for, which ends by itself if the node is gone",
}


class StandbyNotice:
    """Remembers what was said of one holder of the lock.

    Args:
        node: the one that stands by.
    """

    def __init__(self, node: str) -> None:
        self._node = node
        self._holder: Holder | None = None
        self._said: set[Why] = set()
        self._unseen_since: float | None = None

    def line(self, holder: Holder, presence: Presence, now: float) -> str | None:
        """What a person is to be told after a look at ``now`` (monotonic); ``None`` when it was said, or is not yet."""
        if holder != self._holder:
            self._holder, self._unseen_since = holder, None
            self._said.clear()
        why = _why(holder, presence)
        if why != "unseen":
            self._unseen_since = None
        elif self._unseen_since is None:
            self._unseen_since = now
        is_too_soon = self._unseen_since is not None and now - self._unseen_since < UNSEEN_FOR_S
        # Of a leader that goes absent the end is said, or nothing when it comes back.
        if is_too_soon or why in self._said or (why == "absent" and self._said):
            return None
        self._said.add(why)
        held = f"node {holder.node} holds the lock with epoch {holder.epoch}"
        return f"{self._node} stands by: {held}, and {_SENTENCES[why]}"


def _why(holder: Holder, presence: Presence) -> Why:
    if presence.state in ("present", "gone"):
        return "leads"
    return "absent" if would_be_seen(holder, presence) else "unseen"
