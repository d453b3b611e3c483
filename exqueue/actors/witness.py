"""When the node that leads is provably gone, so that its lease need not be waited for: a pure decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exqueue.persistence.values import Holder, Presence

ABSENT_FOR_S = 1.5
"""How long a holder that was present before has to be absent, without a renewal, until it counts as gone.

A living Leader whose subscription is down renews every half second, so it never is.
"""


class Witness:
    """Remembers what was seen of one holder: present first, then absent at every look under the same run of a server.

    Somebody who was never seen may just not be able to listen; what a restarted server sees may be a holder that has
    not subscribed again yet. Of both nothing is concluded: their lease ends by itself.
    """

    def __init__(self) -> None:
        self._seen: tuple[str, str] | None = None
        self._absent: tuple[str, int] | None = None
        self._since = 0.0

    @property
    def is_in_doubt(self) -> bool:
        """Whether the holder was absent at the last look, but not for long enough."""
        return self._absent is not None

    def is_gone(self, holder: Holder, presence: Presence, now: float) -> bool:
        """Note one look at the holder of the lock, at ``now`` (monotonic); say whether it is provably gone."""
        who = (holder.token, presence.server)
        if presence.state == "gone":
            return True
        if presence.state == "present":
            self._seen = who
        if presence.state != "absent" or self._seen != who:
            self._absent = None
            return False
        lease = (holder.token, holder.renewal)
        if self._absent != lease:
            self._absent, self._since = lease, now
        return now - self._since >= ABSENT_FOR_S
