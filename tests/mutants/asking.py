"""Faults of what stands between people and the store: storing, ordering, hearing, reporting."""

from __future__ import annotations

from tests.mutants.edit import Edit
from tests.mutants.mutant import Mutant
from tests.proof.plan import Fault

PRODUCER = "exqueue.actors.producer:Producer"
OPERATOR = "exqueue.actors.operator:Operator"
LISTENER = "exqueue.actors.listener:Listener"
LEDGER = "exqueue.actors.ledger:Ledger"

KILLED_AT_A_DEATH = (Fault(1.0, "kill leader", 1.0, 0.5, "dead"), Fault(10.0, "kill leader", 1.0, 0.5, "dead"))
"""A node that ends between a burial and its ERROR."""

MUTANTS = (
    Mutant(
        "the caller named after the node",
        "A Producer that was restarted counts its pushes from 1 again under the name of the one before.",
        (Edit(f"{PRODUCER}.__init__", "context.runtime.token(6).hex()", "self._node"),),
        model="text:caller",
        needs=("raise in call: producer",),
    ),
    Mutant(
        "a push renumbered",
        "What may be stored already is pushed again under a new number.",
        (
            Edit(
                f"{PRODUCER}._keep",
                "batch.is_in_doubt = batch.is_in_doubt or outage.sent",
                "batch.is_in_doubt = False",
            ),
        ),
        needs=("lost answers",),
    ),
    Mutant(
        "stored before it is",
        "Who enqueues is answered when the push is sent.",
        (
            Edit(
                f"{PRODUCER}._flush",
                'self.doing("push")',
                "for one in (one for batch in batches for one in batch.waiting if one.reply is not None):\n"
                "            one.reply.set(None)",
            ),
            Edit(f"{PRODUCER}._answer", "if waiting.reply is not None:", "if False:"),
        ),
    ),
    Mutant(
        "a push in doubt dropped",
        "A push that was not answered is not sent again, and answered as stored.",
        (
            Edit(
                f"{PRODUCER}._keep",
                "self._take_back([",
                "[self._answer(batch, None) for batch in self._sent]\n    self._sent = ()\n    self._take_back([",
            ),
        ),
    ),
    Mutant(
        "an order renumbered",
        "An order that was not answered is sent again under a new number.",
        (Edit(f"{OPERATOR}._carry_out", "order.n = order.n or self._next_number()", "order.n = self._next_number()"),),
        tests=("tests/system/test_lost_answers.py",),
    ),
    Mutant(
        "the dead of later deleted",
        "A command on all dead jobs takes also those that die after it was given.",
        (
            Edit(
                "exqueue.actors.orders:Roll.take", "_died_at(job) <= self._until and job.id not in self._taken", "True"
            ),
        ),
        tests=("tests/actors/test_orders.py",),
    ),
    Mutant(
        "no sweep",
        "An owner with nothing to do does not look whether the store still knows it, and what it may have missed.",
        (Edit(f"{LISTENER}._pulse", "self._sweeper.sweep()", "pass"),),
        model="text:nopoll",
        needs=("lost signals",),
    ),
    Mutant(
        "a sweep not listened to",
        "A Fetcher that is told that its queue is another's does not claim it anew.",
        (
            Edit(
                "exqueue.actors.fetcher:Fetcher._on_swept",
                "fence = self._fence\n",
                'fence = self._fence\n    if swept.verdict == "stale":\n        return\n',
            ),
        ),
        needs=("go back",),
    ),
    Mutant(
        "marked before it is said",
        "The mark of a death is removed before the ERROR is in the log.",
        (
            Edit(
                "exqueue.actors.reporter:Reporter._report_deaths",
                "self._log_death(died)\n        self._ledger.said(key, died)",
                "self._ledger.said(key, died)\n        self._ledger.balance()\n        self._log_death(died)",
            ),
        ),
        needs=("dies",),
        faults=tuple(
            Fault(at_s, "raise in call", 0.0, 0.0, "running", 0.75) for at_s in (2.0, 4.0, 6.0, 8.0, 10.0, 12.0)
        ),
    ),
    Mutant(
        "a death not on the board",
        "A Fetcher tells the Reporter of a death without a row on the board.",
        (
            Edit(
                "exqueue.actors.announcer:Announcer._died",
                "self._deaths[DeathKey(self._queue, *key)] = ",
                "died = ",
            ),
        ),
    ),
    Mutant(
        "no look for what nobody said",
        "Who claims a queue does not look for the deaths that an earlier leadership did not say.",
        (Edit(f"{LEDGER}._to_sweep", "if not self._is_leading():", "if True:"),),
        needs=("dies",),
        faults=KILLED_AT_A_DEATH,
    ),
)
