"""The interface of a persistence: small, atomic, repeatable verbs, and what each of them promises.

Every backend passes ``tests/persistence/conformance/``; `exqueue.persistence.memory` is the reference meaning.

Rules that hold for every verb:

- It is atomic: all of it happens or nothing.
- It may be sent twice and late. The second time changes nothing and answers the same.
- Time is the persistence's own; no node's clock decides anything here.
- It raises `Outage` when the persistence does not answer or refuses (`Outage.sent` tells whether it may have been
  applied), `StorageFull` when there is no room, `StoreDamaged` when an entry is not what Exqueue wrote there.
- It never silently retries: the caller sends the same call again under the same number.

Numbers that make a verb repeatable:

- *Anyone's* verbs carry ``(caller, n)``: ``caller`` is random, drawn at each start of an actor; its ``n`` only grows.
  Per queue and caller the last ``n`` and its reply are kept for `CALLER_KEPT_S`: an equal ``n`` is answered again,
  a lower one raises `StaleCall`, a higher one is applied.
- The *owner's* verbs carry ``(fence, seat, call)``, see `Session.claim` and `Session.exchange`.

What goes in and out is in `exqueue.persistence.values`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from exqueue.persistence.values import NO_LEAVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.errors import ExqueueError
    from exqueue.persistence.values import (
        Claimed,
        Danger,
        Exchanged,
        Fence,
        Holder,
        Leave,
        Mark,
        Overview,
        Owned,
        Presence,
        Push,
        Removed,
        Settlement,
        Signal,
        State,
        StoredJob,
        Unreported,
        Verdict,
    )


class Session(Protocol):
    """One user of the persistence; not shared between threads (but for sessions opened as ``pooled``).

    After any `Outage` the session drops its connection, so that an answer is read only by the call that asked; the
    next verb connects again.
    """

    # -- anyone
    def push(self, caller: str, pushes: Sequence[Push]) -> tuple[ExqueueError | None, ...]:
        """Store jobs, each `Push` atomically, all of them in one round trip.

        An id that is still stored in the queue (in whatever state) is left as it is, so asking again is harmless.
        A ready job wakes the queue's owner if it is hungry, a delayed one if it is due before all others: once, as what
        follows before the owner's next exchange finds it awake. (`sweep` makes up for a signal that got lost.)

        Returns:
            One entry a push: ``None`` when it is stored, else why it is not (`StaleCall`, `StorageFull`, `Outage`).

        Raises:
            Outage: the persistence did not answer at all.
        """
        ...

    def retry_dead(self, queue: str, caller: str, n: int, ids: Sequence[str]) -> tuple[str, ...]:
        """Revive those of ``ids`` that are dead: they join the end of the line, a serial head returns to the head.

        Recoveries are forgotten; the trail is kept as it is (a trail written by `Bury` on a job that is not dead means
        that it was revived, see `exqueue.record.Trail`). Wakes the owner. Returns the ids that were revived.
        """
        ...

    def delete_dead(self, queue: str, caller: str, n: int, ids: Sequence[str]) -> tuple[str, ...]:
        """Delete those of ``ids`` that are dead; a serial head is cleared. Wakes the owner. Returns the ids deleted."""
        ...

    def cancel(self, queue: str, caller: str, n: int, job_id: str) -> Removed | None:
        """Remove a job that is ready, waiting or dead; a serial head is cleared. Wakes the owner.

        Returns:
            The state it was in; ``"running"`` when it runs (then nothing was changed); ``None`` when it is not there.
        """
        ...

    def set_paused(self, queue: str, caller: str, n: int, paused: bool) -> None:
        """Stop (or let) the owner fetch: stored, so it holds over nodes and restarts. Wakes the owner."""
        ...

    def queues(self) -> tuple[str, ...]:
        """The names of all queues that were ever pushed to, claimed or paused, sorted."""
        ...

    def overview(self, queues: Sequence[str]) -> Overview:
        """The lock and the counts of ``queues``, in one round trip; a queue unknown here is all zeros."""
        ...

    def list_jobs(self, queue: str, state: State, limit: int, offset: int) -> tuple[StoredJob, ...]:
        """Jobs of one state, in the order in which they will run, fall due, started or died. ``limit`` <= `MAX_BATCH`.

        ``ready`` lists what went back to the line (by place) before the fresh ones.
        """
        ...

    def get_jobs(self, job_id: str, queues: Sequence[str]) -> tuple[StoredJob, ...]:
        """The job of this id in each of ``queues`` that has one, in one round trip."""
        ...

    def unreported(self, queue: str, limit: int) -> tuple[Unreported, ...]:
        """Dead jobs whose death nobody has said to be `reported`, in any order. ``limit`` <= `MAX_BATCH`.

        `Bury` marks a death in its own step, so that it is found however the node ends that was to report it. The mark
        goes with the death: reviving, deleting or cancelling the job removes it.
        """
        ...

    def reported(self, queue: str, marks: Sequence[Mark]) -> None:
        """These deaths are in the log: remove their marks, at most `MAX_BATCH`. Anyone may say so, twice and late.

        A mark of another run, of a later death, stays.
        """
        ...

    def beat(self, node: str, info: bytes, ttl: float) -> None:
        """Note that ``node`` lives; ``info`` is forgotten after ``ttl`` seconds without another beat."""
        ...

    def nodes(self) -> tuple[tuple[str, bytes], ...]:
        """The nodes whose beat is not forgotten, with their info, sorted by name."""
        ...

    def forget(self, node: str) -> None:
        """Take back the beat of a node that stops."""
        ...

    # -- the lock
    def acquire(self, node: str, token: str, ttl: float, at_least: int) -> Fence | Holder:
        """Take the lock, or take it up again.

        While a lease of another token stands: its `Holder`. Otherwise (free, or mine): when the last fence carries
        my token and its epoch is above ``at_least``, it goes on unchanged; else the epoch is
        ``max(last, at_least) + 1``. The lease then ends ``ttl`` seconds from now, and says whether its holder is
        present (`Holder.seen_by`).

        Args:
            node: the name of the node, for people.
            token: this system's, the same for its whole life.
            ttl: seconds.
            at_least: 0, or the highest epoch with which a queue or a holder refused this node.
        """
        ...

    def renew(self, fence: Fence, ttl: float) -> bool:
        """Prolong the lease that is mine to ``ttl`` seconds from now, and note in it whether its holder is present.

        ``False``, and nothing is changed, when it is not mine.
        """
        ...

    def release(self, fence: Fence) -> bool:
        """Give the lock up: ends the lease and erases the token, so that the next leadership has a new epoch.

        Signals `LockReleased`. Returns whether the lease or the last fence was this one.
        """
        ...

    def evict(self, seen: Holder, presence: Presence) -> bool:
        """End the lease of a holder that is provably gone.

        The backend looks once more, in the same step: ``False``, and nothing is changed, when the lease is another one
        by now or was renewed since, when the system of ``seen.token`` is not as absent as ``presence`` says, or when
        another run of the server says it.
        """
        ...

    def presence(self, token: str) -> Presence:
        """Whether the system of this token is there: it listens (`Persistence.subscribe`), or its process lives."""
        ...

    # -- the owner of a queue
    def claim(self, queue: str, fence: Fence, seat: int) -> Claimed:
        """Take the queue over with ``fence``, or take a new ``seat`` under the same fence.

        - A lower epoch than the queue's, or the same with another token: `Fenced`.
        - Another fence than the queue's: all that ran is put back by place with ``recoveries + 1``, seat and call
          are set to ``seat`` and 0. ``runs`` is empty.
        - The same fence: a lower seat than the queue's raises `StaleCall` (seat 0 just reads); the same seat changes
          nothing; a higher one becomes the queue's and the call 0. What runs is listed and left alone.
        """
        ...

    def exchange(
        self,
        queue: str,
        fence: Fence,
        seat: int,
        call: int,
        settlements: Sequence[Settlement],
        want: int,
        *,
        serial: bool,
        leave: Leave = NO_LEAVE,
    ) -> Exchanged:
        """Settle what ended and fetch up to ``want`` jobs that fit, in one step.

        - Another fence than the queue's: `Fenced`. Another seat, or a call that is neither the last nor the next:
          `StaleCall`. The last call again: nothing is applied and the same is answered (``jobs`` are those that this
          call handed out and that still run).
        - A settlement whose run is not the job's running one is refused and changes nothing.
        - At most `MAX_PROMOTED` waiting jobs that are due join the line (a serial head returns to the head).
        - Nothing is handed out while the queue is paused. Jobs that went back go first, by place.
        - ``serial``: at most one job, and none while any job of the queue runs. The job handed out becomes the head,
          and while there is a head nothing else is offered; only `Done`, delete and cancel clear it.
        - ``leave``: for (at most) one suspect in this call, and for all that are poison (looked for among the first
          `MAX_WEIGHED` that are held back, and what is fresh). They go by place, too; all others are held back.
        - A run is named by its seat and call; its place is the number of the job's first fetch.

        Args:
            queue: the queue.
            fence: of this leadership.
            seat: of this owner's claim.
            call: the last call + 1, or the last call to hear its answer again.
            settlements: at most `MAX_BATCH`.
            want: 0 to `MAX_BATCH`.
            serial: see above.
            leave: see above.
        """
        ...

    def sweep(self, owned: Sequence[Owned]) -> tuple[Verdict, ...]:
        """Compare what idle owners believe with the queues, in one call.

        ``stale``: fence, seat or call differ (claim again). ``due``: there is something to hand out now (a job that
        is ready, returned or due, while not paused and, in a serial queue, allowed by its head). Else ``fine``.
        """
        ...

    # -- the connection
    def diagnose(self) -> tuple[Danger, ...]:
        """What in the persistence's own settings endangers the promises, as far as one may see them."""
        ...

    def close(self) -> None:
        """Close what this session holds open; harmless when called twice."""
        ...


class Subscription(Protocol):
    """Signals of the namespace, as hints: they may be lost. Holds the presence of a token while it is open."""

    def next(self, timeout: float) -> Signal | None:
        """Wait up to ``timeout`` seconds for a signal; ``None`` when there was none.

        Raises:
            Outage: the subscription is broken; close it and subscribe again.
        """
        ...

    def close(self) -> None:
        """End the subscription, from any thread; a waiting `next` then raises `Outage` or returns ``None`` soon."""
        ...


class Persistence(Protocol):
    """A store of one namespace. Safe to share between threads; connects when first used."""

    @property
    def address(self) -> str:
        """The address for people: the URL without user and password."""
        ...

    @property
    def namespace(self) -> str:
        """The namespace, `[A-Za-z0-9_.-]`, 1-64 characters."""
        ...

    def session(self, *, timeout: float, pooled: bool = False) -> Session:
        """Open a session.

        Args:
            timeout: seconds that one verb may take, connecting included.
            pooled: share a bounded number of connections with the other pooled sessions, a connection a call.
        """
        ...

    def subscribe(self, token: str, *, timeout: float) -> Subscription:
        """Listen to the namespace's signals, and be present as ``token``: while listening, or longer, until `close`."""
        ...

    def close(self) -> None:
        """Close every connection; harmless when called twice."""
        ...
