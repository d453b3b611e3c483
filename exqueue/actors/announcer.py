"""What a Fetcher tells the Reporter of runs whose end the persistence has confirmed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from exqueue.actors.newer import NewerRecords
from exqueue.actors.protocol import BeatNow, DeathsNoted, Say
from exqueue.actors.tables import DeathKey, deaths_table, subscribers_table
from exqueue.execution import shown_of
from exqueue.messages import JobDied, JobFailed, JobInterrupted, JobSucceeded
from exqueue.persistence.values import Recovered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exqueue.actors.runs import Lost
    from exqueue.actors.tables import RunKey, RunningRow
    from exqueue.clock import Clock
    from exqueue.execution import Outcome, Run
    from exqueue.persistence.values import Settlement
    from exqueue.supervision import Board

NAMED = 10
"""How many jobs one line of the log names."""


def _named(runs: Mapping[RunKey, Run | None]) -> str:
    return ", ".join(job_id for job_id, _ in tuple(runs)[:NAMED]) + (" ..." if len(runs) > NAMED else "")


class Announcer:
    """Makes events of settled runs: those of failures and deaths always, the rest only while somebody listens."""

    def __init__(self, queue: str, node: str, board: Board, clock: Clock, tell: Callable[[str, object], bool]) -> None:
        self._queue = queue
        self._node = node
        self._clock = clock
        self._tell = tell
        self._newer = NewerRecords(queue, board, clock)
        self._deaths = deaths_table(board)
        self._subscribers = subscribers_table(board)

    def ended(self, key: RunKey, outcome: Outcome) -> None:
        """The persistence has taken the settlement of a run that ended by itself."""
        if outcome.verdict == "succeeded":
            if self._subscribers:
                self._succeeded(key, outcome)
        elif outcome.verdict == "failed":
            self._failed(key, outcome)
        elif outcome.verdict == "died":
            self._died(key, outcome)
        elif outcome.reason is not None:
            self._warn(f"job {key[0]} in queue {self._queue} waits for a newer Exqueue: {outcome.reason}")
            if self._newer.met(outcome.reason):
                self._tell("listener", BeatNow())

    def interrupted(self, key: RunKey, settlement: Settlement, run: Run | None) -> None:
        """The persistence has taken a run back that did not end by itself."""
        if isinstance(settlement, Recovered):
            reason = "its worker was lost in mid-run"
            self._warn(f"job {key[0]} in queue {self._queue}: {reason}, it is run again")
        else:
            reason = "it was not begun, or a stop interrupted it"
        if self._subscribers:
            self._interrupted(key, run, reason)

    def _interrupted(self, key: RunKey, run: Run | None, reason: str) -> None:
        job, attempt = ("", 0) if run is None else shown_of(run)
        event = JobInterrupted(
            id=key[0],
            job=job,
            queue=self._queue,
            node=self._node,
            attempt=attempt,
            reason=reason,
            at=self._clock.time(),
        )
        self._tell("reporter", event)

    def superseded(self, lost: Lost) -> None:
        """This node does not own the queue any more, and these runs, which it began, are another leadership's."""
        lost_it = f"queue {self._queue} was lost to another leadership"
        if lost.going_on:
            self._warn(
                f"{lost_it} while {len(lost.going_on)} of its jobs execute on {self._node}: they go on executing here, "
                f"superseded: whoever leads runs them again, and how they end here counts for nothing: "
                f"{_named(lost.going_on)}"
            )
        if lost.ended:
            self._warn(
                f"{lost_it} before {len(lost.ended)} of its jobs were settled that had ended on {self._node}: their "
                f"outcome is refused, and whoever leads runs them again: {_named(lost.ended)}"
            )
        if self._subscribers:
            for key, run in (lost.going_on | lost.ended).items():
                self._interrupted(key, run, "its queue was lost to another leadership")

    def out_of_time(self, runs: Mapping[RunKey, RunningRow], *, is_answered: bool) -> None:
        """The queue or the system is being stopped, and the time for these runs is over.

        Args:
            runs: that go on executing.
            is_answered: whether the persistence answers, so that it can be told.
        """
        back = "it is given back by its place, uncounted"
        if not is_answered:
            back += " (if the persistence answers in time; else the next leadership recovers it)"
        for (job_id, _), row in runs.items():
            name = shown_of(row.run)[0]
            self._warn(
                f"job {job_id} of class {name or 'unknown'} in queue {self._queue} has run for "
                f"{self._clock.time() - row.started_at:.1f} s and did not end within shutdown_timeout: {back}; its "
                "thread executes on until the process ends, and how it ends counts for nothing"
            )

    def went_back(self, sign: str) -> None:
        """The persistence is in a state in which it was before: it lost what it had acknowledged since then."""
        line = (
            f"queue {self._queue}: {sign}: the persistence went back to an older state, and what it had acknowledged "
            "since then may be lost or happen again; the queue goes on with what there is"
        )
        self._tell("reporter", Say(logging.CRITICAL, line))

    def refused(self, key: RunKey) -> None:
        """The persistence has refused a settlement: the run was over for it before."""
        self._warn(
            f"job {key[0]} in queue {self._queue}: this run was superseded, its outcome on {self._node} counts for "
            "nothing"
        )

    def _warn(self, line: str) -> None:
        """By the Reporter: a log handler that hangs must not hold up the queue."""
        self._tell("reporter", Say(logging.WARNING, line))

    def _succeeded(self, key: RunKey, outcome: Outcome) -> None:
        event = JobSucceeded(
            id=key[0],
            job=outcome.job,
            queue=self._queue,
            node=self._node,
            attempt=outcome.attempt,
            duration_s=outcome.duration_s,
            at=self._clock.time(),
        )
        self._tell("reporter", event)

    def _failed(self, key: RunKey, outcome: Outcome) -> None:
        assert outcome.error is not None  # noqa: S101 - a failure has its error
        assert outcome.retry_in_s is not None  # noqa: S101 - and its retry
        event = JobFailed(
            id=key[0],
            job=outcome.job,
            queue=self._queue,
            node=self._node,
            attempt=outcome.attempt,
            failures=outcome.failures,
            error=outcome.error,
            retry_in_s=outcome.retry_in_s,
            at=self._clock.time(),
            note=outcome.reason,
        )
        self._tell("reporter", event)

    def _died(self, key: RunKey, outcome: Outcome) -> None:
        # On the board first: a Reporter that crashes finds it there again.
        self._deaths[DeathKey(self._queue, *key)] = JobDied(
            id=key[0],
            job=outcome.job,
            queue=self._queue,
            node=self._node,
            attempts=outcome.failures,
            recoveries=outcome.recoveries,
            reason=outcome.reason or "",
            error=outcome.error,
            at=self._clock.time(),
        )
        self._tell("reporter", DeathsNoted())
