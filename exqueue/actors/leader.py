"""The Leader: takes, renews and releases the lock, and claims every queue for the node that leads."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, assert_never

from exqueue.actors.beat import decode_beat
from exqueue.actors.damage import QueueDamage, known_damage, past_damage
from exqueue.actors.protocol import (
    FenceRefused,
    Heartbeat,
    Lead,
    LockFree,
    LookForDeaths,
    QueuesChanged,
    Say,
    Seen,
    StandDown,
    Unseen,
)
from exqueue.actors.standby import StandbyNotice
from exqueue.actors.tables import epochs_table, fetcher_of, lead_table, queues_table, seen_table, unswept_table
from exqueue.actors.unworked import FIRST_LOOK_AFTER_S, SAID_EVERY_S, unworked, warning
from exqueue.actors.weather import LONGEST_PAUSE_S, Weather
from exqueue.actors.witness import Witness
from exqueue.errors import Fenced, Outage, StaleCall, StoreDamaged
from exqueue.messages import LeadershipGained, LeadershipLost
from exqueue.persistence.values import Fence
from exqueue.supervision import Actor, ActorContext

if TYPE_CHECKING:
    from exqueue.actors.settings import NodeSettings
    from exqueue.persistence.values import Holder

STANDBY_PAUSE_S = 0.75
"""How often a standby looks at least whether the lock is free, and whether the holder is there."""

DOUBT_PAUSE_S = 0.25
"""How often it looks while the holder is absent."""

AT_ONCE_S = 0.5
"""A release that fails later than this met a server that does not answer: it is not tried again."""

MARGIN_S = 0.5
"""Besides a call that hangs to its time-out and the longest pause after it: the time of a round trip or two."""

UNSEEN_PAUSE_S = 0.5
"""How often a leader renews that others can't see: often enough not to be taken for dead, see `ABSENT_FOR_S`."""

LeaderMessage = QueuesChanged | FenceRefused | LockFree | Seen | Unseen | Heartbeat


class Leader(Actor):
    """Keeps the lock while any queue is started here, and tells the Fetchers under which fence they work.

    It acquires with the system's one token, so that after a crash it goes on under the same fence. The lease is counted
    from before its renewal was sent. An outage changes nothing: it keeps trying, and when nobody else took the lock the
    same fence goes on, however long it lasted.

    While another node leads it watches that one: of a holder that is provably gone it ends the lease at once.
    """

    def __init__(self, context: ActorContext, *, settings: NodeSettings) -> None:
        super().__init__(context)
        self._config = settings.config
        self._token = settings.token
        self._session = settings.persistence.session(timeout=settings.config.lock_ttl / 4)
        self._lead = lead_table(self.board)
        self._queues = queues_table(self.board)
        self._epochs = epochs_table(self.board)
        self._seen = seen_table(self.board)
        self._unswept = unswept_table(self.board)
        self._weather = Weather("leader", self.board, context.runtime)
        self._damage = QueueDamage(self.board, self.clock)
        self._fence: Fence | None = None
        self._at_least = 0
        self._claimed: set[str] = set()
        self._holder: Holder | None = None
        # So long after an outage a holder that lives may need to renew: until then it is left alone, also when the lock
        # has run out meanwhile, so that it goes on with its running jobs.
        self._grace_s = settings.config.lock_ttl / 4 + LONGEST_PAUSE_S + MARGIN_S
        self._witness = Witness(self._grace_s)
        self._notice = StandbyNotice(settings.config.node)
        self._look_at_queues_at: float | None = None
        self._waits_until = 0.0
        self._timer: int | None = None

    def on_start(self) -> None:
        """Look at once whether there is a lock to take."""
        self.tell_self(Heartbeat())

    def on_stop(self) -> None:
        """Give the lock up; every run was settled or given back before the supervisor stops the Leader."""
        try:
            self._release_at_last()
        except Outage as outage:
            self._warn(f"the lock could not be released, it ends by itself: {outage.reason}")
        self._weather.leave()
        self._session.close()

    def on_receive(self, message: LeaderMessage) -> None:
        """Handle a message; see `exqueue.actors.protocol`."""
        match message:
            case Heartbeat() | QueuesChanged() | Seen() | Unseen():
                self._on_heartbeat()
            case LockFree():
                self._waits_until = 0.0
                self._on_heartbeat()
            case FenceRefused():
                self._on_fence_refused(message)
            case _:
                assert_never(message)

    def _on_heartbeat(self) -> None:
        self.cancel_timer(self._timer)
        try:
            pause_s = self._beat()
            self._weather.calm()
        except Outage as outage:
            pause_s = self._weather.storm(outage)
            self._witness.look_failed()
            if self._holder is not None:
                self._waits_until = self.clock.monotonic() + self._grace_s
        self._timer = self.send_after(pause_s, Heartbeat())

    def _on_fence_refused(self, refused: FenceRefused) -> None:
        if refused.fence == self._fence:
            self._at_least = max(self._at_least, refused.epoch)
            self._fence = None
            self._on_heartbeat()

    def _beat(self) -> float:
        """Do what is due; returns the seconds until the next time."""
        ttl = self._config.lock_ttl
        if not self._queues:
            if self._fence is not None:
                self._release()
            else:
                self._weather.leave()
            return ttl / 3
        if not self._is_held_by_another() and (self._fence is None or not self._renew()):
            if self.clock.monotonic() < self._waits_until:
                return min(ttl / 3, DOUBT_PAUSE_S)
            self._acquire()
        if self._fence is None and self._is_holder_gone():
            self._acquire()
        if self._fence is None:
            self._look_at_queues()
            return min(ttl / 3, DOUBT_PAUSE_S if self._witness.is_in_doubt else STANDBY_PAUSE_S)
        pause_s = ttl / 3 if self._seen.get("listening") else min(ttl / 3, UNSEEN_PAUSE_S)
        # Many queues, or a slow network: the lock is renewed in between, or a standby would have it meanwhile.
        return pause_s if self._claim_others(self.clock.monotonic() + pause_s) else 0.0

    def _is_held_by_another(self) -> bool:
        """Whether a standby still sees the lock held.

        It only reads until then: anything else that it sent to a server that hangs, the server would carry out when it
        wakes up, before it hears the holder.
        """
        if self._fence is not None or self._holder is None:
            return False
        standing = self.call(self._session.overview, ()).holder
        if standing is None:
            return False
        if standing.token == self._token:
            # The lock was granted to this very node, and the answer got lost.
            self._waits_until = 0.0
            return False
        self._met(standing)
        return True

    def _renew(self) -> bool:
        assert self._fence is not None  # noqa: S101 - asked by the caller
        self.doing("renew")
        sent_at = self.clock.boottime()
        if not self.call(self._session.renew, self._fence, self._config.lock_ttl):
            return False
        self._lead["lease_until"] = sent_at + self._config.lock_ttl
        return True

    def _acquire(self) -> None:
        self.doing("acquire")
        sent_at = self.clock.boottime()
        answer = self.call(self._session.acquire, self._config.node, self._token, self._config.lock_ttl, self._at_least)
        if isinstance(answer, Fence):
            self._lead["lease_until"] = sent_at + self._config.lock_ttl
            self._holder = self._look_at_queues_at = None
            self._gained(answer)
        else:
            self._met(answer)
            self._lost(f"{answer.node} leads with epoch {answer.epoch}")

    def _met(self, holder: Holder) -> None:
        self._holder = holder
        self._epochs["leader"] = holder.epoch
        self._at_least = max(self._at_least, holder.epoch)

    def _gained(self, fence: Fence) -> None:
        if fence != self._lead.get("fence"):
            self._tell_reporter(LeadershipGained(node=self._config.node, fence=fence, at=self.clock.time()))
        self._fence = fence
        # A persistence that has lost its record of this leadership grants it anew, not one with a lower epoch.
        self._at_least = max(self._at_least, fence.epoch - 1)
        self._claimed.clear()
        self._lead["fence"] = fence
        self._epochs["leader"] = fence.epoch
        for queue in tuple(self._queues):
            self.tell(fetcher_of(queue), Lead(fence))

    def _lost(self, why: str) -> None:
        self._fence = None
        fence = self._lead.pop("fence", None)
        if fence is None:
            return
        self._tell_reporter(LeadershipLost(node=self._config.node, fence=fence, reason=why, at=self.clock.time()))
        for queue in known_damage(self.board):
            if queue not in self._queues:
                self._damage.forget(queue)
        for queue in tuple(self._queues):
            self.tell(fetcher_of(queue), StandDown())

    def _is_holder_gone(self) -> bool:
        """Look whether who leads is still there; end the lease of one that provably is not."""
        holder = self._holder
        if holder is None:
            return False
        self.doing("stand by")
        presence = self.call(self._session.presence, holder.token)
        now = self.clock.monotonic()
        if self._witness.is_gone(holder, presence, now) and self.call(self._session.evict, holder, presence):
            self._warn(f"node {holder.node}, which led, is gone: its lease is ended before its time")
            return True
        line = self._notice.line(holder, presence, now)
        if line is not None:
            self.tell("reporter", Say(logging.INFO, line))
        return False

    def _look_at_queues(self) -> None:
        """Say, now and then, which queues are started here while the node that leads has not started them."""
        now, holder = self.clock.monotonic(), self._holder
        if holder is None or self._look_at_queues_at is None:
            self._look_at_queues_at = now + FIRST_LOOK_AFTER_S
        elif now >= self._look_at_queues_at:
            beats = dict(self.call(self._session.nodes))
            beat = decode_beat(beats[holder.node]) if holder.node in beats else None
            queues = unworked(tuple(self._queues), beat)
            if queues:
                overview, _ = past_damage(lambda sound: self.call(self._session.overview, sound), queues)
                if overview.queues:
                    self._warn(warning(overview.queues, self._config.node, holder.node))
            self._look_at_queues_at = now + (SAID_EVERY_S if queues else FIRST_LOOK_AFTER_S)

    def _claim_others(self, until: float) -> bool:
        """Claim the queues that nobody started here, so that an ex-leader is shut out there too and no run hangs.

        Returns:
            Whether there are none left; ``False`` when that takes longer than ``until`` (monotonic).
        """
        self.doing("claim")
        fence = self._fence
        assert fence is not None  # noqa: S101 - asked by the caller
        for queue in self.call(self._session.queues):
            if queue in self._claimed or queue in self._queues:
                continue
            if self.clock.monotonic() >= until:
                return False
            try:
                self.call(self._session.claim, queue, fence, 0)
            except Fenced as fenced:
                self._at_least = max(self._at_least, fenced.epoch)
                self._acquire()
                return False
            except StaleCall:
                pass
            except StoreDamaged as damage:
                if damage.queue != queue:
                    raise
                # Tried again at each heartbeat; the queues behind it must not wait for that.
                self._damage.met(queue, damage)
                continue
            self._claimed.add(queue)
            self._damage.over(queue)
            self._unswept[queue] = self.clock.monotonic()
            self.tell("reporter", LookForDeaths())
        self.doing("")
        return True

    def _release(self) -> None:
        fence = self._fence
        assert fence is not None  # noqa: S101 - asked by the caller
        self.doing("release")
        self._lost("the lock is given back")
        self.call(self._session.release, fence)

    def _warn(self, line: str) -> None:
        self.tell("reporter", Say(logging.WARNING, line))

    def _release_at_last(self) -> None:
        """Release the lock, if need be on a new connection: of a broken one nothing was heard until it is used."""
        fence = self._fence
        if fence is None:
            return
        begun_at = self.clock.monotonic()
        try:
            self._release()
        except Outage:
            if self.clock.monotonic() - begun_at > AT_ONCE_S:
                raise
            self.call(self._session.release, fence)

    def _tell_reporter(self, event: LeadershipGained | LeadershipLost) -> None:
        """Also for the log: a handler that hangs must not cost the lock."""
        self.tell("reporter", event)
