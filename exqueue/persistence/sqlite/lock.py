"""The verbs of the lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from exqueue.persistence.sqlite.presence import lives
from exqueue.persistence.sqlite.verbs import Verbs
from exqueue.persistence.values import UNKNOWN, Fence, Holder, Presence

if TYPE_CHECKING:
    from exqueue.persistence.sqlite.connection import Step

RELEASED: Final = "!released"
"""Among the names of ``signals``: the lock is free. No queue can have this name."""

_STANDING: Final = """
    SELECT lease_epoch, lease_token, lease_node, renewals FROM locks
    WHERE namespace = ? AND lease_boot = ? AND lease_until > ?
"""
_TAKE: Final = """
    INSERT INTO locks (namespace, epoch, token, lease_epoch, lease_token, lease_node, lease_until, lease_boot)
    VALUES (:namespace, :epoch, :token, :epoch, :token, :node, :until, :boot)
    ON CONFLICT (namespace) DO UPDATE SET
      epoch = :epoch, token = :token,
      lease_epoch = :epoch, lease_token = :token, lease_node = :node, lease_until = :until, lease_boot = :boot,
      renewals = renewals + 1
"""
_PROLONG: Final = "UPDATE locks SET lease_until = ?, renewals = renewals + 1 WHERE namespace = ?"
_END: Final = "UPDATE locks SET lease_epoch = NULL, lease_token = NULL, lease_until = NULL WHERE namespace = ?"


class Lock(Verbs):
    """See `exqueue.persistence.base.Session`, "the lock"."""

    def acquire(self, node: str, token: str, ttl: float, at_least: int) -> Fence | Holder:
        """See `Session.acquire`. An epoch survives a power cut: who was fenced off by it elsewhere must stay so."""
        self._file.check()
        self._life.show(token)
        return self._write(lambda step: _acquire(step, node, token, ttl, at_least), durable=True)

    def renew(self, fence: Fence, ttl: float) -> bool:
        """See `Session.renew`."""

        def prolong(step: Step) -> bool:
            if not _holds(holder(step), fence):
                return False
            until = step.lease_now + ttl
            step.db.execute(_PROLONG, (until, step.namespace))
            return True

        return self._write(prolong)

    def release(self, fence: Fence) -> bool:
        """See `Session.release`."""
        return self._write(lambda step: _release(step, fence))

    def evict(self, seen: Holder, presence: Presence) -> bool:
        """See `Session.evict`."""

        def end(step: Step) -> bool:
            found = holder(step)
            if found is None or (found, found.renewal) != (seen, seen.renewal):
                return False
            if presence.state != "gone" or self.presence(seen.token) != presence:
                return False
            step.db.execute(_END, (step.namespace,))
            return True

        return self._write(end)

    def presence(self, token: str) -> Presence:
        """See `Session.presence`: a system that can't be seen has ended, since it is seen before it holds a lease."""
        self._file.check()
        is_there = lives(self._file.path, self._namespace, token)
        return UNKNOWN if is_there is None else Presence("present" if is_there else "gone")


def holder(step: Step) -> Holder | None:
    """Whose lease stands now: one of another boot of the host has ended with that.

    Its holder was seen: it shows that it lives before it acquires, and until its persistence is closed.
    """
    row = step.db.execute(_STANDING, (step.namespace, step.boot, step.lease_now)).fetchone()
    if row is None:
        return None
    epoch, token, node, renewal = row
    return Holder(epoch, token, node, renewal, seen_by="")


def _acquire(step: Step, node: str, token: str, ttl: float, at_least: int) -> Fence | Holder:
    standing = holder(step)
    if standing is not None and standing.token != token:
        return standing
    asked = "SELECT epoch, token FROM locks WHERE namespace = ?"
    last_epoch, last_token = step.db.execute(asked, (step.namespace,)).fetchone() or (0, None)
    goes_on = last_token == token and last_epoch > at_least
    epoch = last_epoch if goes_on else max(last_epoch, at_least) + 1
    lease = {"namespace": step.namespace, "epoch": epoch, "token": token, "node": node}
    step.db.execute(_TAKE, {**lease, "until": step.lease_now + ttl, "boot": step.boot})
    return Fence(epoch, token)


def _release(step: Step, fence: Fence) -> bool:
    holds = _holds(holder(step), fence)
    if holds:
        step.db.execute(_END, (step.namespace,))
    erased = "UPDATE locks SET token = NULL WHERE namespace = ? AND epoch = ? AND token = ?"
    is_last = step.db.execute(erased, (step.namespace, fence.epoch, fence.token)).rowcount > 0
    if holds or is_last:
        step.signal(RELEASED)
    return holds or is_last


def _holds(standing: Holder | None, fence: Fence) -> bool:
    return standing is not None and (standing.epoch, standing.token) == (fence.epoch, fence.token)
