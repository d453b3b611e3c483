"""Faults of who works a queue: Fetcher, Workers, and the board between them."""

from __future__ import annotations

from tests.mutants.edit import Edit
from tests.mutants.mutant import Mutant
from tests.proof.plan import Fault

FETCHER = "exqueue.actors.fetcher:Fetcher"
RUNS = "exqueue.actors.runs:Runs"
WORKER = "exqueue.actors.worker:Worker"
LEAVE = "exqueue.actors.suspects:SuspectLeave"
RECALLS = "if key not in tables.ended and tables.handed.pop(key, None) is not None:"

LEFT_BEHIND = tuple(Fault(at_s, "raise in message", 0.0, 0.36, "running", 0.36) for at_s in (4.0, 7.0, 10.0, 13.0))
"""The supervisor of the queue `fast` crashes, and leaves behind what runs."""

MUTANTS = (
    Mutant(
        "a worker that forgets its outcome at once",
        "An outcome leaves the board when the Fetcher is told of it, and not when it is settled.",
        (
            Edit(
                f"{RUNS}.run_ended",
                "self._tables.ended.get(key)",
                "self.__dict__.setdefault('told', {}).setdefault(key, self._tables.ended.pop(key, None))",
            ),
            Edit(f"{RUNS}.confirmed", "return run, ", "return run, self.__dict__.get('told', {}).pop(key, None) or "),
        ),
        model="forget",
        needs=("raise in call: fetcher",),
    ),
    Mutant(
        "a dead worker's run not settled",
        "A run whose Worker died in it stays as it is.",
        (Edit(f"{RUNS}.look_at", "if row is not None and self._is_alive(row.urn):", "if row is not None:"),),
        model="norecovered",
        tests=("tests/actors/test_run_bookkeeping.py",),
    ),
    Mutant(
        "orphans not given back",
        "A run that nobody holds is not given back.",
        (
            Edit(
                f"{RUNS}.look_at",
                "if row is not None:\n",
                "if row is None:\n                return\n            if row is not None:\n",
            ),
            Edit(f"{RUNS}._recall", RECALLS, "if False:"),
        ),
        model="noorphan",
        needs=("raise in call: fetcher",),
    ),
    Mutant(
        "workers asked instead of the board",
        "A new Fetcher takes a run for nobody's whose Worker has not answered it, since it is busy.",
        (
            Edit(f"{RUNS}._recall", "row = tables.running.get(key)", "row = tables.running.pop(key, None)"),
            Edit(f"{RUNS}._recall", "if row is not None and self._is_alive(row.urn):", "if False:"),
        ),
        model="text:ask",
        needs=("raise in call: fetcher",),
    ),
    Mutant(
        "only the workers of the present supervisor",
        "A Worker's thread that was left behind is not waited for.",
        (Edit(f"{FETCHER}._may_bring_an_outcome", "urn in self._abandoned or ", ""),),
        model="text:oldgen",
        needs=("lasts long",),
        faults=LEFT_BEHIND,
    ),
    Mutant(
        "want = idle workers",
        "A Fetcher asks for as many jobs as Workers wait, whatever runs.",
        (Edit(f"{FETCHER}._want", "slots - len(self._runs) + settled, ", ""),),
        model="wantidle",
        needs=("lasts long",),
        faults=LEFT_BEHIND,
    ),
    Mutant(
        "an abandoned thread does not stop a serial queue",
        "A serial queue goes on while a thread executes a run of it that is over for the persistence.",
        (Edit(f"{FETCHER}._want", "if settings.serial and self._runs.has_strays():", "if False:"),),
        model="serialzombie",
        tests=(
            "tests/simulation/test_started_and_stopped.py::test_a_serial_queue_waits_for_a_thread_that_was_left_behind",
        ),
    ),
    Mutant(
        "no seat on the board",
        "A Worker begins a run of an earlier seat.",
        (Edit(f"{WORKER}._on_begin_run", "if self._seats.get(self._queue) != run.seat:", "if False:"),),
        tests=("tests/actors/test_worker.py",),
    ),
    Mutant(
        "handed not taken",
        "A Worker begins a run that the Fetcher has withdrawn.",
        (
            Edit(
                f"{WORKER}._on_begin_run",
                "if self._tables.handed.pop(key, None) is None:",
                "self._tables.handed.pop(key, None)\n    if False:",
            ),
        ),
        tests=("tests/actors/test_worker.py",),
    ),
    Mutant(
        "a lost answer forgotten",
        "An exchange that was not answered is not sent again as it was: the next one has the next number.",
        (Edit(f"{FETCHER}._make_a_call", "self._call or self._next_call()", "self._next_call()"),),
        needs=("lost answers",),
    ),
    Mutant(
        "a stop that gives back what ended",
        "When the patience of a stop is over, also what has ended is given back.",
        (
            Edit(f"{RUNS}.interrupt_all", "if key in self._over or self.withdraw(key):", "if self.withdraw(key):"),
            Edit(f"{RUNS}.interrupt_all", "self.look_at(key)\n", "pass\n"),
            Edit(f"{RUNS}.interrupt_all", "if key not in self._over:", "if True:"),
        ),
        tests=("tests/actors/test_run_bookkeeping.py",),
    ),
    Mutant(
        "a stopping queue that fetches",
        "A queue that is being stopped goes on fetching.",
        (
            Edit(f"{FETCHER}._want", "self._quiescing is not None or ", ""),
            Edit(f"{FETCHER}._hand_out", "self._quiescing is not None or ", ""),
        ),
        tests=("tests/system/test_starting.py::test_a_stopped_queue_ends_what_runs_and_begins_nothing",),
    ),
    Mutant(
        "a queue that is started in a stop",
        "A queue that is only started while the system stops fetches, and nobody waits for what it runs.",
        (
            Edit("exqueue.actors.queues:Queues._on_start_worker", "if is_stopping(self.board):", "if False:"),
            Edit(
                "exqueue.actors.root:ExqueueRoot._on_stop_system",
                "self._awaited.update(dict.fromkeys(queues_table(self.board)))\n",
                "self._awaited.update(dict.fromkeys(queues_table(self.board)))\n"
                "    stop_table(self.board)['queues'] = tuple(self._awaited)\n",
            ),
            Edit(
                "exqueue.actors.fetcher:quiescing_of",
                'stop_table(board).get("system", quiescing_table(board).get(queue))',
                "(stop_table if queue in stop_table(board).get('queues', ()) else quiescing_table)(board)"
                ".get('system', quiescing_table(board).get(queue))",
            ),
        ),
        tests=("tests/simulation/test_stopped_while_starting.py",),
    ),
    Mutant(
        "a stop that does not wait for a start",
        "Of queues whose start is under way the stop does not wait for what runs.",
        (Edit("exqueue.actors.root:ExqueueRoot._is_there", 'status != "parked"', 'status == "running"'),),
        tests=("tests/system/test_stopping.py::test_a_queue_that_is_still_being_started_is_waited_for",),
    ),
    Mutant(
        "leave forgotten at a claim",
        "A Fetcher that claims anew forgets that a suspect of its queue still runs.",
        (Edit(f"{LEAVE}.keep_if_in", "key not in runs and key not in running", "True"),),
        tests=("tests/actors/test_suspects.py",),
    ),
    Mutant(
        "suspects side by side",
        "Every queue has leave to run a suspect.",
        (Edit(f"{LEAVE}._take", "if any(queue != self._queue for queue in list(self._rows)):", "if False:"),),
    ),
    Mutant(
        "losses that nobody counts",
        "A job is run again however often it was lost with its node.",
        (Edit("exqueue.actors.worker:perform", "if run.is_poison or is_poison(", "if False and is_poison("),),
        needs=("kills its node",),
    ),
    Mutant(
        "outage counted as a crash",
        "A Fetcher that meets an outage ends.",
        (Edit(f"{FETCHER}.on_turn_end", "except Outage as outage:\n", "except ZeroDivisionError as outage:\n"),),
        needs=("outage",),
    ),
)
