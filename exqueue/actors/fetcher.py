"""The Fetcher: owns one queue on the leading node, hands its jobs to Workers, settles what they end."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from exqueue.actors.abandoned import AbandonedThreads
from exqueue.actors.announcer import Announcer
from exqueue.actors.call import Call
from exqueue.actors.claim import Claim
from exqueue.actors.pace import LAPSED_PAUSE_S, MOST_A_CALL, Pace
from exqueue.actors.protocol import (
    Audit,
    BeginRun,
    FenceRefused,
    JobDue,
    Lead,
    LookForDeaths,
    Nudge,
    PatienceEnds,
    Quiesce,
    Quiet,
    ReportIn,
    RunEnded,
    SettingsChanged,
    StandDown,
    Swept,
    TryAgain,
    Wake,
    WorkerReady,
)
from exqueue.actors.runs import Runs
from exqueue.actors.settings import VERB_TIMEOUT_S
from exqueue.actors.suspects import SuspectLeave
from exqueue.actors.tables import (
    NO_SLOTS,
    ROOT,
    RunTables,
    lead_table,
    queues_table,
    quiescing_of,
    worker_of,
)
from exqueue.actors.weather import Weather
from exqueue.errors import Fenced, Outage, StaleCall
from exqueue.execution import Run
from exqueue.persistence.values import NO_LEAVE, SUSPECT_AFTER
from exqueue.supervision import Actor, ActorContext

if TYPE_CHECKING:
    from exqueue.actors.protocol import FetcherMessage
    from exqueue.actors.settings import NodeSettings
    from exqueue.actors.tables import QueueSettings, Quiescing
    from exqueue.persistence.values import Exchanged, Fence


class Fetcher(Actor):
    """Works one queue while this node leads.

    Messages only change what it knows; at the end of a turn, when its inbox is empty, it makes at most one call: a
    claim, or one exchange that settles all that ended and fetches as many jobs as Workers wait. So what ends while a
    call is under way goes together into the next one.

    It holds nothing that its successor could not find again: which runs there are is asked of the persistence
    (`claim`), in whose hands they are stands on the board.
    """

    def __init__(self, context: ActorContext, *, settings: NodeSettings, queue: str) -> None:
        super().__init__(context)
        self._queue = queue
        self._session = settings.persistence.session(timeout=VERB_TIMEOUT_S, pooled=True)
        self._weather = Weather(self.name, self.board, context.runtime, queue)
        self._lead = lead_table(self.board)
        self._queues = queues_table(self.board)
        self._abandoned = AbandonedThreads(queue, self.board, settings.config.max_abandoned)
        self._tables = RunTables(self.board, queue)
        self._runs = Runs(self._tables, self._may_bring_an_outcome)
        self._suspect_leave = SuspectLeave(queue, self.board, self.tell)
        self._announce = Announcer(queue, settings.config.node, self.board, self.clock, self.tell)
        self._fence: Fence | None = None
        self._claim = Claim(queue, self.board, self.clock)
        self._was_stale = False
        self._call: Call | None = None
        self._pace = Pace(self.clock, self.send_after, self.cancel_timer)
        self._quiescing: Quiescing | None = None
        self._resume_timer: int | None = None
        self._patience_timer: int | None = None

    def on_start(self) -> None:
        """Find out which Workers wait and whether this node leads."""
        self._ask_workers()
        self._obey_quiescing()
        fence = self._lead.get("fence")
        if fence is not None:
            self.tell_self(Lead(fence))

    def on_stop(self) -> None:
        """Nothing is owed: who comes next claims the queue."""
        self._claim.conceal()
        self._weather.leave()
        self._session.close()

    def on_receive(self, message: FetcherMessage) -> None:
        """Handle a message; see `exqueue.actors.protocol`."""
        match message:
            case RunEnded():
                self._on_run_ended(message)
            case WorkerReady():
                self._on_worker_ready(message)
            case Nudge():
                pass
            case Wake():
                self._pace.woken()
            case JobDue():
                self._pace.job_due()
            case TryAgain():
                self._resume_timer = None
            case Lead():
                self._on_lead(message.fence)
            case StandDown():
                self._drop_ownership()
                self._fence = None
                self._weather.leave()
            case Swept():
                self._on_swept(message)
            case SettingsChanged():
                self._on_settings_changed()
            case Quiesce():
                self._obey_quiescing()
            case PatienceEnds():
                if self._quiescing is not None:
                    is_answered = not self._weather.is_stormy
                    self._announce.out_of_time(self._runs.interrupt_all(), is_answered=is_answered)
            case Audit():
                self._on_audit()
            case _:
                assert_never(message)

    # -- messages: they change what is known, and leave the calling to the end of the turn
    def _on_run_ended(self, ended: RunEnded) -> None:
        if ended.key not in self._runs:
            self._suspect_leave.ended(ended.key)
        self._runs.run_ended(ended.key, ended.worker, is_claimed=self._claim.is_held)

    def _on_worker_ready(self, ready: WorkerReady) -> None:
        key = self._runs.worker_waits(ready.worker, ready.urn)
        run = None if key is None else self._runs.handed(key)
        if run is not None:
            self.tell(ready.worker, BeginRun(run))

    def _on_lead(self, fence: Fence) -> None:
        if fence == self._fence and self._claim.is_held:
            return
        if self._fence is not None and fence != self._fence:
            # A Fetcher that has just begun knows of no fence, and what stands on the board may be its predecessor's
            # under this very one: its claim will tell.
            self._drop_ownership()
        self._fence = fence

    def _drop_ownership(self) -> None:
        """The fence is lost or another one: first of all, nothing is begun under the old one."""
        self._claim.withdraw()
        self._announce.superseded(self._runs.lose_all())
        self._suspect_leave.give_back()
        self._suspect_leave.wanted(is_wanted=False)
        self._was_stale = False
        self._call = None

    def _on_swept(self, swept: Swept) -> None:
        fence = self._fence
        is_known = (
            fence is not None and self._claim.is_held and self._call is None and swept.owned == self._claim.owned(fence)
        )
        if is_known and swept.verdict == "stale":
            # Another leadership's, or the store lost what it knew: the claim tells which.
            self._was_stale = True
            self._claim_anew()
        else:
            # A call that is unanswered may have been applied long ago: what came since then is not in its answer.
            self._pace.look = True

    def _on_settings_changed(self) -> None:
        # A queue that is started again while it is being stopped goes on.
        self._obey_quiescing()
        self._ask_workers()
        self._pace.look = True

    def _ask_workers(self) -> None:
        """Work with those Workers that the queue has slots for: each says that it waits, once it does."""
        workers = [worker_of(self._queue, number) for number in range(1, self._settings().concurrency + 1)]
        self._runs.keep_workers(workers)
        for worker in workers:
            self.tell(worker, ReportIn())

    def _obey_quiescing(self) -> None:
        """While the queue is being stopped: begin nothing, and give back what runs when its time is over."""
        self._quiescing = row = quiescing_of(self.board, self._queue)
        self.cancel_timer(self._patience_timer)
        if row is None:
            return
        for key in self._runs.listed():
            self._runs.withdraw(key)
        self._patience_timer = self.send_after(row.until - self.clock.monotonic(), PatienceEnds())

    def _on_audit(self) -> None:
        self._pace.audited(has_runs=len(self._runs) > 0)
        if self._claim.is_held and self._call is None:
            self._runs.audit()

    # -- the end of a turn: at most one call
    def on_turn_end(self) -> None:
        """Claim, or exchange, if there is a reason to."""
        fence = self._fence
        if fence is not None and self._resume_timer is None:
            try:
                self._make_a_call(fence)
            except Outage as outage:
                self._rest(self._weather.storm(outage))
            except (Fenced, StaleCall) as refusal:
                self._weather.calm()
                self._on_refused(fence, refusal)
            else:
                self._weather.calm()
        self._say_if_quiet()

    def _say_if_quiet(self) -> None:
        """Tell who stops the queue, once it is known that nothing runs."""
        row = self._quiescing
        if row is None or len(self._runs) or not self._knows_what_runs():
            return
        quiet = Quiet(self._queue, row.until)
        self.tell("queues", quiet)
        self.tell(ROOT, quiet)

    def _knows_what_runs(self) -> bool:
        """Not as long as a call is unanswered, or nothing is claimed.

        But for a damaged store, which does not mend itself: there what this node has in hand counts. A run that an
        earlier, lost answer may have handed out is in nobody's hands, and the next leadership recovers it.
        """
        if self._fence is None or (self._claim.is_held and self._call is None):
            return True
        return self._weather.is_damage and self._tables.is_empty()

    def _rest(self, seconds: float) -> None:
        if self._resume_timer is None:
            self._resume_timer = self.send_after(seconds, TryAgain())

    def _claim_anew(self) -> None:
        self._claim.give_up()
        self._call = None
        self.tell_self(Nudge())

    def _on_refused(self, fence: Fence, refusal: Fenced | StaleCall) -> None:
        if isinstance(refusal, StaleCall):
            if self._claim.is_held:
                # Nobody else counts under this seat.
                self._announce.went_back("another call is due than the one that comes next")
            self._claim_anew()
            return
        self._drop_ownership()
        if refusal.epoch < fence.epoch:
            self._announce.went_back(f"it is claimed with epoch {refusal.epoch} although {fence.epoch} was granted")
            self.tell_self(Nudge())
            return
        self._fence = None
        self.tell("leader", FenceRefused(fence, refusal.epoch))

    def _make_a_call(self, fence: Fence) -> None:
        if not self._claim.is_held:
            self._claim_queue(fence)
            return
        call = self._call or self._next_call()
        if call is not None:
            self._exchange(fence, call)

    def _claim_queue(self, fence: Fence) -> None:
        self.doing("claim")
        claimed = self.call(self._session.claim, self._queue, fence, self._claim.begin())
        if self._was_stale:
            self._announce.went_back("it does not know of the last call that it answered")
        self._was_stale = False
        self._claim.granted(fence, claimed.call)
        self.tell("reporter", LookForDeaths())
        self._runs.take_over(claimed.runs)
        self._suspect_leave.keep_if_in(self._runs, self._tables.running)
        # What an earlier Fetcher had handed out was not known here when the stop was heard of.
        self._obey_quiescing()
        self._pace.look = True
        self.doing("")
        self.tell_self(Nudge())

    def _next_call(self) -> Call | None:
        settlements = self._runs.settlements(MOST_A_CALL)
        want = self._want(len(settlements))
        if not settlements and not (self._pace.look and want):
            return None
        leave = self._suspect_leave.take() if want and self._pace.suspect_waits else NO_LEAVE
        self._pace.called(want)
        return Call(self._claim.number + 1, settlements, want, leave)

    def _want(self, settled: int) -> int:
        """How many jobs may be fetched now; never more than the concurrency leaves, whatever Workers wait."""
        settings = self._settings()
        if self._quiescing is not None or self._abandoned.are_too_many():
            return 0
        if settings.serial and self._runs.has_strays():
            return 0
        if self.clock.boottime() > self._lead.get("lease_until", 0.0):
            # Perhaps another node leads by now: the Leader's next renewal tells, and settling goes on meanwhile.
            self._rest(LAPSED_PAUSE_S)
            return 0
        slots = 1 if settings.serial else settings.concurrency
        return max(0, min(self._runs.idle_count, slots - len(self._runs) + settled, MOST_A_CALL))

    def _exchange(self, fence: Fence, call: Call) -> None:
        self.doing("exchange")
        self._call = call
        answer = self.call(
            self._session.exchange,
            self._queue,
            fence,
            self._claim.seat,
            call.number,
            [settlement for _, settlement in call.settlements],
            call.want,
            serial=self._settings().serial,
            leave=call.leave,
        )
        self._call = None
        self._claim.answered(fence, call.number)
        self._settled(call, answer)
        self._hand_out(fence, call, answer)
        self._pace.answered(call.want, answer, has_runs=len(self._runs) > 0)
        self._suspect_leave.wanted(is_wanted=answer.suspect_waits and not answer.paused)
        if self._runs.ended_count or (self._pace.look and self._want(0)):
            self.tell_self(Nudge())
        self.doing("")

    def _settled(self, call: Call, answer: Exchanged) -> None:
        for position, (key, settlement) in enumerate(call.settlements):
            run, outcome = self._runs.confirmed(key)
            if key not in self._tables.running:
                self._suspect_leave.ended(key)
            if position in answer.refused:
                self._announce.refused(key)
            elif outcome is None or outcome.settlement is not settlement:
                self._announce.interrupted(key, settlement, run)
            else:
                self._announce.ended(key, outcome)

    def _hand_out(self, fence: Fence, call: Call, answer: Exchanged) -> None:
        for job in answer.jobs:
            is_poison = call.leave.is_poison(job.recoveries)
            run = Run(
                self._queue, job.id, job.run, job.record, job.trail, job.recoveries,
                fence.epoch, self._claim.seat, call.number, is_poison,
            )  # fmt: skip
            if job.recoveries >= SUSPECT_AFTER and not is_poison:
                self._suspect_leave.hold(run.key)
            worker = self._runs.assign(run)
            if self._quiescing is not None or worker is None or not self.tell(worker, BeginRun(run)):
                # The queue is being stopped by now, fewer Workers wait, or this one is gone for good: it goes back.
                self._runs.withdraw(run.key)
        if call.leave.suspect:
            self._suspect_leave.give_back()

    # -- what it looks up
    def _settings(self) -> QueueSettings:
        settings: QueueSettings = self._queues.get(self._queue, NO_SLOTS)
        return settings

    def _may_bring_an_outcome(self, urn: str) -> bool:
        return urn in self._abandoned or self.is_alive(urn)
