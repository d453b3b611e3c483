"""Faults of what the store does with one queue: calls, settlements, lines."""

from __future__ import annotations

from tests.mutants.edit import Edit
from tests.mutants.mutant import Mutant

OWNER = "exqueue.persistence.memory.owner"
QUEUE = "exqueue.persistence.memory.queue:Queue"
SESSION = "exqueue.persistence.memory.session:MemorySession"
SETTLE = f"{OWNER}:_settle"
IS_FREE = "if not (queue.serial and queue.head is not None):"

MUTANTS = (
    Mutant(
        "the same call applied again",
        "An exchange under the number of the last one is carried out once more.",
        (Edit(f"{OWNER}:exchange", "if request.call == queue.call:", "if False:"),),
        model="nocall",
        needs=("lost answers",),
    ),
    Mutant(
        "the same call answered with nothing",
        "An exchange that is sent again is not told what it had handed out.",
        (Edit(f"{OWNER}:exchange", "== this}", "== ()}"),),
        model="norebuild",
        needs=("lost answers",),
    ),
    Mutant(
        "no seat",
        "A claim under the present fence changes nothing, and an exchange is known by its call alone.",
        (
            Edit(f"{OWNER}:claim", "elif seat > queue.seat:", "elif False:"),
            Edit(f"{OWNER}:claim", "elif 0 < seat < queue.seat:", "elif False:"),
            Edit(f"{OWNER}:exchange", "request.seat != queue.seat or not queue", "not queue"),
        ),
        model="text:noseat",
        tests=(
            "tests/persistence/conformance/test_claim.py::test_a_lower_seat_is_stale[memory]",
            "tests/persistence/conformance/test_exchange.py::test_another_seat_is_stale[memory-4]",
        ),
    ),
    Mutant(
        "a random seat",
        "Seats do not grow, so that a late claim of an earlier Fetcher takes the queue back.",
        (
            Edit(f"{OWNER}:claim", "elif seat > queue.seat:", "elif seat and seat != queue.seat:"),
            Edit(
                "exqueue.actors.claim:Claim.begin",
                'self._board.next_number("seat")',
                '1 + self._board.next_number("seat") * 7919 % 104729',
            ),
        ),
        model="randseat",
        tests=("tests/persistence/conformance/test_claim.py::test_a_lower_seat_is_stale[memory]",),
    ),
    Mutant(
        "the seat kept after StaleCall",
        "A Fetcher whose call was refused as stale claims with the same seat again.",
        (Edit("exqueue.actors.claim:Claim.give_up", "self.seat = 0", "pass"),),
        model="sameseat",
        needs=("go back",),
    ),
    Mutant(
        "settle without run",
        "A settlement names the job, and not the run of it.",
        (Edit(SETTLE, "if run is None or run.name != ended.run:", "if run is None:"),),
        model="norun",
        tests=(
            "tests/persistence/conformance/test_settlements.py::test_a_settlement_of_another_run_is_refused[memory-done]",
        ),
    ),
    Mutant(
        "runs known by their call",
        "Two runs of one job are the same when their places and calls are, whatever their seats.",
        (Edit(SETTLE, "run.name != ended.run:", "run.name.split(b'|')[::2] != ended.run.split(b'|')[::2]:"),),
        model="text:desync",
        tests=(
            "tests/persistence/conformance/test_settlements.py::test_a_settlement_of_another_run_is_refused[memory-done]",
            "tests/persistence/conformance/test_claim.py::test_a_run_from_before_a_claim_settles_nothing[memory]",
        ),
    ),
    Mutant(
        "head not kept by a retry",
        "A serial queue forgets its head when that failed and waits for its retry.",
        (Edit(SETTLE, "if trail is not None:", "queue.head = None\n            if trail is not None:"),),
        model="headretry",
        needs=("fails",),
    ),
    Mutant(
        "head not kept by a death",
        "A serial queue forgets its head when that is buried.",
        (Edit(SETTLE, "queue.dead.put(", "queue.head = None\n            queue.dead.put("),),
        model="headbury",
        needs=("dies",),
    ),
    Mutant(
        "head not kept by a claim",
        "A serial queue forgets its head when another leadership claims it.",
        (Edit(f"{OWNER}:claim", "queue.running.clear()", "queue.running.clear()\n        queue.head = None"),),
        model="headclaim",
        needs=("kill leader",),
    ),
    Mutant(
        "a serial exchange that looks at the head only",
        "A serial queue hands its head out although a job runs from before it was serial.",
        (Edit(f"{OWNER}:_hand_out", "(request.serial and queue.running)", "False"),),
        model="text:switch",
        tests=(
            "tests/persistence/conformance/test_serial.py::test_nothing_is_offered_while_something_runs_from_before[memory]",
        ),
    ),
    Mutant(
        "place drawn anew",
        "What is fetched again gets a new place.",
        (
            Edit(
                f"{OWNER}:_returned",
                "int(place), job_id, needs_leave=False",
                "queue.draw_place(), job_id, needs_leave=False",
            ),
        ),
        model="place",
        tests=(
            "tests/persistence/conformance/test_claim.py::test_what_goes_back_keeps_the_place_of_its_first_fetch[memory]",
        ),
    ),
    Mutant(
        "promotion not atomic",
        "A due job leaves the waiting line in one exchange, and joins the ready line in the next.",
        (
            Edit(f"{OWNER}:_promote", "for _ in", "queue.ready.update(queue.__dict__.pop('due', {}))\n    for _ in"),
            Edit(f"{OWNER}:_promote", "queue.ready[job_id]", "queue.__dict__.setdefault('due', {})[job_id]"),
        ),
    ),
    Mutant(
        "give-back counted",
        "A run that is given back counts as a recovery.",
        (Edit(SETTLE, "case GiveBack():", "case GiveBack():\n            queue.count_recovery(ended.id, now)"),),
        needs=("stop", "lasts long"),
    ),
    Mutant(
        "recovery not counted",
        "A claim puts the runs of the old fence back and does not count that.",
        (Edit(f"{OWNER}:claim", "queue.count_recovery(job_id, now)", "pass"),),
    ),
    Mutant(
        "a revived job keeps its recoveries",
        "RetryDead leaves the recoveries of a job as they are, so that poison is buried at once.",
        (Edit(f"{QUEUE}.retry_dead", "self.jobs[job_id].recovered_at.clear()", "pass"),),
    ),
    Mutant(
        "push without (caller, n)",
        "A push that is sent again is carried out again.",
        (Edit(f"{SESSION}._push", "queue.once(caller, push.n, now, store)", "store()"),),
        model="nopushn",
        needs=("lost answers",),
    ),
    Mutant(
        "a lower number executed",
        "A push or a command under a lower number than the last is carried out.",
        (Edit(f"{QUEUE}.once", "if n < last:", "if False:"),),
        model="text:stalen",
        tests=("tests/persistence/conformance/test_push.py::test_a_push_that_comes_late_is_refused[memory]",),
    ),
    Mutant(
        "retry without (caller, n)",
        "A command that is sent again is carried out again.",
        (Edit(f"{SESSION}._command", "queue.once(caller, n, self._store.clock(), act_and_wake)", "act_and_wake()"),),
        model="noopn",
        tests=("tests/persistence/conformance/test_dead.py::test_a_command_sent_twice_acts_once[memory-retry_dead]",),
    ),
    Mutant(
        "an id stored twice",
        "A push stores a job although one of its id is there.",
        (Edit(f"{QUEUE}.push", "if new.id in self.jobs:", "if new.id in self.ready:"),),
    ),
    Mutant(
        "a running job removed",
        "A cancel removes a job that runs.",
        (Edit(f"{QUEUE}.cancel", "return state\n    if", "self.running.pop(job_id)\n    elif"),),
        tests=("tests/persistence/conformance/test_serial.py::test_a_running_head_is_not_cancelled[memory]",),
    ),
    Mutant(
        "no mark of a death",
        "A burial does not mark the death as not reported.",
        (Edit(SETTLE, "queue.unreported[ended.id] = ended.run", "pass"),),
        tests=("tests/persistence/conformance/test_unreported.py::test_a_death_is_marked_with_its_run[memory]",),
    ),
    Mutant(
        "a mark taken by its job alone",
        "The mark of a later death of the same job is removed by the report of an earlier one.",
        (
            Edit(
                f"{QUEUE}.forget_marks",
                "if self.unreported.get(mark.id) == mark.run:",
                "if mark.id in self.unreported:",
            ),
        ),
        tests=(
            "tests/persistence/conformance/test_unreported.py::test_a_late_mark_does_not_hide_a_later_death[memory]",
        ),
    ),
    Mutant(
        "a halted queue passed",
        "A serial queue hands out new jobs while its head waits or is dead.",
        (Edit(f"{OWNER}:_hand_out", IS_FREE, "if True:"),),
    ),
    Mutant(
        "a pause that is not obeyed",
        "A paused queue is fetched from.",
        (Edit(f"{OWNER}:_hand_out", "queue.paused or ", ""),),
    ),
    Mutant(
        "a sweep that knows no calls",
        "A sweep takes an owner for right whose last call the store does not know.",
        (
            Edit(
                f"{OWNER}:sweep",
                "(owned.fence, owned.seat, owned.call) != (queue.fence, queue.seat, queue.call)",
                "(owned.fence, owned.seat) != (queue.fence, queue.seat)",
            ),
        ),
        needs=("go back",),
    ),
    Mutant(
        "delays ignored",
        "A job that is stored for later is ready at once.",
        (Edit("exqueue.persistence.memory.queue:Queue.push", "if due > now:", "if False:"),),
        needs=("waits",),
    ),
    Mutant(
        "back-off ignored",
        "A job that failed is due again at once.",
        (Edit("exqueue.persistence.memory.owner:_settle", "now + max(0.0, delay)", "now"),),
        needs=("fails",),
    ),
    Mutant(
        "promoted too early",
        "Whatever waits joins the line, due or not.",
        (Edit("exqueue.persistence.memory.owner:_promote", "first is None or first[0] > now", "first is None"),),
        needs=("waits",),
    ),
    Mutant(
        "one retry more",
        "A job is retried once more than its class allows.",
        (Edit("exqueue.execution:next_step", "failures > options.max_retries", "failures > options.max_retries + 1"),),
        needs=("dies",),
    ),
)
