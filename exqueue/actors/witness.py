"""When the node that leads is provably gone, so that its lease need not be waited for: a pure decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exqueue.persistence.values import Holder, Presence

ABSENT_FOR_S = 1.5
"""How long a holder that was seen before has to be absent, without a renewal, until it counts as gone.

A living Leader whose subscription is down renews every half second, so it never is.
"""


def would_be_seen(holder: Holder, presence: Presence) -> bool:
    """Whether a holder that lives would be seen: its last renewal was, by the same run of the server."""
    return presence.state in ("present", "absent") and holder.seen_by == presence.server


class Witness:
    """Remembers how long a holder has been absent: at every look, under one renewal, which the same server had seen.

    Whoever was not seen at its last renewal may not be able to listen, or have lost its subscription; what a restarted
    server sees may be a holder that has not subscribed again yet. Of these nothing is concluded: their lease ends by
    itself. It need not have been this witness that saw the holder: its lease says so.

    Args:
        after_outage_s: how long it has to be absent instead of `ABSENT_FOR_S` when a look failed before: by then a
            holder that lives has renewed again.
    """

    def __init__(self, after_outage_s: float) -> None:
        self._after_outage_s = max(after_outage_s, ABSENT_FOR_S)
        self._for_s = ABSENT_FOR_S
        self._absent: Holder | None = None
        self._since = 0.0

    @property
    def is_in_doubt(self) -> bool:
        """Whether the holder was absent at the last look, but not for long enough."""
        return self._absent is not None

    def is_gone(self, holder: Holder, presence: Presence, now: float) -> bool:
        """Note one look at the holder of the lock, at ``now`` (monotonic); say whether it is provably gone."""
        if presence.state == "gone":
            return True
        if presence.state != "absent" or not would_be_seen(holder, presence):
            self._absent = None
            if presence.state == "present":
                self._for_s = ABSENT_FOR_S
            return False
        if self._absent is None:
            self._absent, self._since = holder, now
        elif (self._absent, self._absent.renewal) != (holder, holder.renewal):
            # It has renewed, so nothing keeps it from it any more.
            self._absent, self._since, self._for_s = holder, now, ABSENT_FOR_S
        return now - self._since >= self._for_s

    def look_failed(self) -> None:
        """Begin anew: what kept this node from looking may keep the holder from renewing, and for a while longer."""
        self._absent = None
        self._for_s = self._after_outage_s
