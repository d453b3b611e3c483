"""Faults of who leads: the lock, the fence, and the claims that follow."""

from __future__ import annotations

from tests.mutants.edit import Edit
from tests.mutants.mutant import Mutant
from tests.proof.plan import Fault

STORE = "exqueue.persistence.memory.store:Store"
OWNER = "exqueue.persistence.memory.owner"
LEADER = "exqueue.actors.leader:Leader"
FETCHER = "exqueue.actors.fetcher:Fetcher"
RUNS = "exqueue.actors.runs:Runs"
IS_MINE = "if self._last_token != token or self._last_epoch <= at_least:"

FROZEN = tuple(Fault(at_s, "freeze leader", 13.0, 0.5, "running") for at_s in (4.0, 22.0, 40.0))
"""Leaders that wake up when another leads."""

SLOWLY_FROZEN = (Fault(2.0, "slow ways", 60.0, 0.9), *FROZEN)

FORGOTTEN = (Fault(6.0, "kill", 2.0, 0.5), Fault(7.9, "flush", 0.0, 0.5))
"""The store forgets who led just before a node comes that has never seen anybody lead."""

CRASHED = (
    Fault(3.0, "kill leader", 0.5, 0.5),
    *(Fault(at_s, "raise in call", 0.0, 0.6, aim=0.6) for at_s in (9.0, 12.0, 15.0)),
)
"""A Leader that took over crashes."""

STOPPED = tuple(Fault(at_s, "stop", 3.0, pick, "running") for at_s, pick in ((10.5, 0.2), (14.0, 0.9), (18.0, 0.2)))
"""Nothing else goes wrong than that nodes stop in good order."""

MUTANTS = (
    Mutant(
        "no fence",
        "An exchange looks at neither fence nor seat, only at the call.",
        (
            Edit(f"{OWNER}:exchange", "if request.fence != queue.fence:", "if queue.fence is None:"),
            Edit(f"{OWNER}:exchange", "request.seat != queue.seat or not queue", "not queue"),
        ),
        model="nofence",
        faults=FROZEN,
    ),
    Mutant(
        "epoch without token",
        "Claim and exchange compare the epochs of two fences and not their tokens.",
        (
            Edit(f"{OWNER}:claim", " or (fence.epoch == held.epoch and fence.token != held.token)", ""),
            Edit(f"{OWNER}:claim", "if fence != held:", "if fence.epoch != queue.epoch:"),
            Edit(f"{OWNER}:exchange", "if request.fence != queue.fence:", "if request.fence.epoch != queue.epoch:"),
        ),
        model="epochonly",
        faults=FORGOTTEN,
    ),
    Mutant(
        "an equal epoch accepted",
        "A claim refuses a lower epoch only, not an equal one of another token.",
        (Edit(f"{OWNER}:claim", " or (fence.epoch == held.epoch and fence.token != held.token)", ""),),
        model="text:equal",
        faults=FORGOTTEN,
    ),
    Mutant(
        "a new epoch after one's own lapse",
        "Who acquires the lock after its own lease has ended gets a new epoch.",
        (Edit(f"{STORE}.acquire", IS_MINE, f"if holder is None or {IS_MINE[3:]}"),),
        model="newepoch",
        needs=("outage",),
    ),
    Mutant(
        "the Leader draws its token",
        "The token is drawn by each Leader actor instead of once for the system.",
        (Edit(f"{LEADER}.__init__", "settings.token", "context.runtime.token(6).hex()"),),
        model="leadtoken",
        needs=("raise in call: leader",),
    ),
    Mutant(
        "a new token after another's fence",
        "A Leader that was told that another leads draws a new token; its successor begins with the first one again.",
        (Edit(f"{LEADER}._met", "self._holder = holder", "self._holder, self._token = holder, self._token + 'x'"),),
        model="text:token",
        faults=CRASHED,
    ),
    Mutant(
        "acquire only when free",
        "A Leader that restarts within its own lease is told that the lock is held.",
        (Edit(f"{STORE}.acquire", "if holder is not None and holder.token != token:", "if holder is not None:"),),
        model="text:acquire",
        needs=("raise in call: leader",),
    ),
    Mutant(
        "at_least ignored",
        "Whose token is in the last fence goes on under it, whatever epoch it has seen since.",
        (Edit(f"{STORE}.acquire", " or self._last_epoch <= at_least:", ":"),),
        model="text:atleast",
        faults=FORGOTTEN,
    ),
    Mutant(
        "a token kept after release",
        "A release leaves the token in the record of the last fence, so that the node goes on under the same one.",
        (Edit(f"{STORE}.release", "self._last_token = None", "pass"),),
        model="text:keeprel",
        tests=("tests/persistence/conformance/test_lock.py::test_a_release_ends_the_leadership_of_its_token[memory]",),
    ),
    Mutant(
        "claim and recovery as two steps",
        "The runs of the old fence are recovered by one call, and the queue is taken by the next.",
        (
            Edit(f"{OWNER}:claim", "if fence != held:", "if fence != held and seat < 0:"),
            Edit(f"{OWNER}:claim", "queue.running.clear()", "queue.running.clear()\n    elif fence != held:"),
            Edit(
                f"{FETCHER}._claim_queue",
                "claimed = ",
                "self.call(self._session.claim, self._queue, fence, -1)\n    claimed = ",
            ),
        ),
        model="twostep",
        faults=SLOWLY_FROZEN,
    ),
    Mutant(
        "claim of the started queues only",
        "A leader does not claim the queues that were never started on its node.",
        (Edit(f"{LEADER}._claim_others", "self.call(self._session.queues)", "()"),),
        model="startedonly",
        tests=("tests/simulation/test_started_and_stopped.py::test_who_leads_claims_what_it_has_not_started",),
    ),
    Mutant(
        "release before the give-back",
        "A node that stops releases the lock while its queues still give back what runs.",
        (
            Edit(
                f"{LEADER}._beat",
                "if not self._queues:",
                "if not self._queues or self.board.table('stop'):",
            ),
        ),
        model="relfirst",
        needs=("lasts long",),
        faults=STOPPED,
    ),
    Mutant(
        "a Run kept when the fence changes",
        "A Fetcher that loses its fence withdraws nothing of what no Worker has begun.",
        (
            Edit("exqueue.actors.claim:Claim.withdraw", "self._seats.pop(self._queue, None)", "pass"),
            Edit(f"{RUNS}._drop_others", "(self._tables.handed, self._tables.ended)", "(self._tables.ended,)"),
        ),
        model="nowithdraw",
        tests=("tests/actors/test_run_bookkeeping.py",),
    ),
    Mutant(
        "lease counted from the reply",
        "The Leader counts its lease from when it hears that it is renewed.",
        (
            Edit(
                f"{LEADER}._renew",
                'self._lead["lease_until"] = sent_at +',
                'self._lead["lease_until"] = self.clock.boottime() +',
            ),
        ),
    ),
    Mutant(
        "eviction of who renews",
        "A holder that was absent at a look is evicted although it has renewed since.",
        (
            Edit(f"{STORE}.evict", "(holder, holder.renewal) != (seen, seen.renewal)", "holder != seen"),
            Edit("exqueue.actors.witness:Witness.is_gone", "(self._absent, self._absent.renewal) != ", "False and "),
        ),
        tests=(
            "tests/persistence/conformance/test_lock.py::test_a_lease_that_was_renewed_since_is_not_evicted[memory-renew]",
        ),
    ),
    Mutant(
        "eviction of who is seen",
        "The step that evicts does not look once more whether the holder is there.",
        (Edit(f"{STORE}.evict", " or self.presence(seen.token) != presence", ""),),
        tests=("tests/persistence/conformance/test_lock.py::test_a_holder_that_is_there_is_not_evicted[memory]",),
    ),
    Mutant(
        "eviction of who was never seen",
        "A holder counts as gone although nobody saw it when it last renewed.",
        (Edit("exqueue.actors.witness:would_be_seen", " and holder.seen_by == presence.server", ""),),
        tests=("tests/actors/test_witness.py",),
    ),
    Mutant(
        "a lapsed lease renewed",
        "A lease can be renewed after it has ended.",
        (Edit(f"{STORE}.renew", "self._standing()", "self._lease"),),
        tests=("tests/persistence/conformance/test_lock.py::test_a_lease_that_ended_is_not_renewed[memory]",),
    ),
    Mutant(
        "a lock given to two",
        "A lease that stands does not keep the lock from another.",
        (Edit(f"{STORE}.acquire", "if holder is not None and holder.token != token:", "if False:"),),
    ),
    Mutant(
        "what was claimed in an earlier reign",
        "A leader that leads again does not claim the queues anew that it has not started.",
        (Edit("exqueue.actors.leader:Leader._gained", "self._claimed.clear()", "pass"),),
        tests=(
            "tests/simulation/test_started_and_stopped.py::test_who_leads_again_claims_anew_what_it_has_not_started",
        ),
    ),
    Mutant(
        "a lapsed lease ignored",
        "A Fetcher goes on fetching when the lease is over.",
        (
            Edit(
                "exqueue.actors.fetcher:Fetcher._want",
                'self.clock.boottime() > self._lead.get("lease_until", 0.0)',
                "False",
            ),
        ),
        tests=("tests/simulation/test_lapsed_lease.py",),
    ),
)
