"""What a Fetcher knows of its runs and Workers: bookkeeping over the board, without any I/O or message."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from exqueue.persistence.values import GiveBack, Recovered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from exqueue.actors.tables import RunKey, RunningRow, RunTables
    from exqueue.execution import Outcome, Run
    from exqueue.persistence.values import RunningEntry, Settlement


class Lost(NamedTuple):
    """Runs that are another leadership's, with the run unless an earlier Fetcher handed it out.

    ``going_on``: those that execute here. ``ended``: those that had ended here and were not settled.
    """

    going_on: dict[RunKey, Run | None]
    ended: dict[RunKey, Run | None]


class Runs:
    """The runs that the persistence lists for one queue, in whose hands each is, and which Workers wait.

    Args:
        tables: the queue's tables of the board, which outlive this.
        is_alive: whether an actor's thread of this urn may still bring an outcome.
    """

    def __init__(self, tables: RunTables, is_alive: Callable[[str], bool]) -> None:
        self._tables = tables
        self._is_alive = is_alive
        self._mine: dict[RunKey, Run | None] = {}
        self._over: dict[RunKey, Settlement] = {}
        self._assigned: dict[str, RunKey] = {}
        self._idle: dict[str, None] = {}
        self._wanted: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self._mine)

    def __contains__(self, key: object) -> bool:
        return key in self._mine

    @property
    def idle_count(self) -> int:
        """How many Workers wait."""
        return len(self._idle)

    @property
    def ended_count(self) -> int:
        """How many runs are over and not settled yet."""
        return len(self._over)

    def settlements(self, most: int) -> tuple[tuple[RunKey, Settlement], ...]:
        """The settlements that are due, at most ``most``, in the order in which the runs ended."""
        if len(self._over) <= most:
            return tuple(self._over.items())
        return tuple(self._over.items())[:most]

    # -- Workers
    def worker_waits(self, worker: str, urn: str) -> RunKey | None:
        """Note that a Worker waits. Returns the run that it is to begin and perhaps never heard of."""
        key = self._assigned.get(worker)
        if key is not None and key in self._mine and key not in self._over:
            if key in self._tables.handed:
                return key
            self.look_at(key)
            row = self._tables.running.get(key)
            if key not in self._over and row is not None and row.urn == urn:
                # It said so before it took this run: its next word counts.
                return None
        self._assigned.pop(worker, None)
        self._note_idle(worker)
        return None

    def keep_workers(self, workers: Iterable[str]) -> None:
        """From now on only these are handed runs; others are forgotten as soon as they wait."""
        self._wanted = frozenset(workers)
        self._idle = {worker: None for worker in self._idle if worker in self._wanted}

    def _note_idle(self, worker: str) -> None:
        if worker in self._wanted:
            self._idle[worker] = None

    def assign(self, run: Run) -> str | None:
        """Hand a fetched run to the Worker that has waited longest: written on the board first. Returns its name."""
        key = run.key
        if key in self._mine:
            return None
        self._mine[key] = run
        self._tables.handed[key] = run
        worker = next(iter(self._idle), None)
        if worker is not None:
            del self._idle[worker]
            self._assigned[worker] = key
        return worker

    def handed(self, key: RunKey) -> Run | None:
        """The run, while no Worker has begun it."""
        run: Run | None = self._tables.handed.get(key)
        return run

    # -- runs
    def run_ended(self, key: RunKey, worker: str | None, *, is_claimed: bool) -> None:
        """Note that the outcome of a run stands on the board.

        Until the queue is claimed nobody knows whose the run is, so its outcome must stay there for `take_over`.
        """
        if worker is not None and self._assigned.get(worker, key) == key:
            self._assigned.pop(worker, None)
            self._note_idle(worker)
        outcome: Outcome | None = self._tables.ended.get(key)
        if key in self._mine:
            if outcome is not None and key not in self._over:
                self._over[key] = outcome.settlement
        elif is_claimed:
            self._tables.ended.pop(key, None)

    def take_over(self, listed: Iterable[RunningEntry]) -> None:
        """Begin anew with what the persistence lists, looking each run up on the board; drop what it does not list."""
        self._mine = {(entry.id, entry.run): None for entry in listed}
        self._over.clear()
        self._assigned.clear()
        for key in self._mine:
            self._recall(key)
        self._drop_others()

    def _recall(self, key: RunKey) -> None:
        tables = self._tables
        if key not in tables.ended and tables.handed.pop(key, None) is not None:
            self._over[key] = GiveBack(*key)
            return
        row = tables.running.get(key)
        if row is not None and self._is_alive(row.urn):
            self._assigned[row.worker] = key
        self.look_at(key)

    def _drop_others(self) -> None:
        for table in (self._tables.handed, self._tables.ended):
            for key in list(table):
                if key not in self._mine:
                    table.pop(key, None)
        for key in list(self._tables.running):
            if key not in self._mine:
                self._tables.superseded[key] = True

    def look_at(self, key: RunKey) -> None:
        """Find out in whose hands a run is, and what is to be settled when it is in nobody's.

        The order matters: a Worker writes ``running`` before it takes ``handed``, and ``ended`` before it removes
        ``running``.
        """
        tables = self._tables
        if key in self._over:
            return
        outcome: Outcome | None = tables.ended.get(key)
        if outcome is None:
            if key in tables.handed:
                return
            row = tables.running.get(key)
            if row is not None and self._is_alive(row.urn):
                return
            # Whoever had it may have ended between the two looks.
            outcome = tables.ended.get(key)
            if outcome is None:
                if row is not None:
                    tables.running.pop(key, None)
                self._over[key] = GiveBack(*key) if row is None else Recovered(*key)
                return
        self._over[key] = outcome.settlement

    def audit(self) -> None:
        """Look at every run: also at what no message told of. A run handed to a Worker that is gone is taken back."""
        waiting_for = set(self._assigned.values())
        for key in tuple(self._mine):
            if key in self._over:
                continue
            if key in self._tables.handed and key not in waiting_for:
                self.withdraw(key)
            else:
                self.look_at(key)
        for key in list(self._tables.superseded):
            if key not in self._tables.running:
                self._tables.superseded.pop(key, None)

    def withdraw(self, key: RunKey) -> bool:
        """Take a run back that no Worker has begun: it is given back uncounted. ``False`` when one has begun it."""
        if self._tables.handed.pop(key, None) is None:
            return False
        self._over[key] = GiveBack(*key)
        return True

    def interrupt_all(self) -> dict[RunKey, RunningRow]:
        """Give everything back that is not over: what was begun is superseded, its late outcome will be refused.

        Returns:
            What goes on executing.
        """
        interrupted: dict[RunKey, RunningRow] = {}
        for key in tuple(self._mine):
            if key in self._over or self.withdraw(key):
                continue
            self.look_at(key)
            if key not in self._over:
                row = self._tables.running.get(key)
                self._tables.superseded[key] = True
                self._over[key] = GiveBack(*key)
                if row is not None:
                    interrupted[key] = row
        return interrupted

    def confirmed(self, key: RunKey) -> tuple[Run | None, Outcome | None]:
        """The persistence has taken (or refused) the settlement of this run: forget it.

        Returns:
            The run, unless an earlier Fetcher handed it out, and its outcome, unless it brought none.
        """
        run = self._mine.pop(key, None)
        self._over.pop(key, None)
        return run, self._tables.ended.pop(key, None)

    def lose_all(self) -> Lost:
        """The fence is lost or another one: nothing here is ours. What no Worker has begun is withdrawn.

        Returns:
            What was begun here although it is over for the persistence.
        """
        tables = self._tables
        lost = Lost({}, {})
        for key, run in self._mine.items():
            # The order matters, as in `look_at`.
            if key in tables.running:
                lost.going_on[key] = run
            elif key in tables.ended:
                lost.ended[key] = run
        self._mine.clear()
        self._over.clear()
        self._assigned.clear()
        self._drop_others()
        return lost

    def has_strays(self) -> bool:
        """Whether a thread here still executes a run that is over for the persistence."""
        return any(key not in self._mine for key in list(self._tables.running))

    def listed(self) -> tuple[RunKey, ...]:
        """The runs that the persistence lists, as far as known here."""
        return tuple(self._mine)
