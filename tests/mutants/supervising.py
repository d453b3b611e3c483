"""Faults of supervision and of the actor itself."""

from __future__ import annotations

from tests.mutants.edit import Edit
from tests.mutants.mutant import Mutant

ACTOR = "exqueue.supervision.actor:Actor"
CHILDREN = "exqueue.supervision.children:Children"

MUTANTS = (
    Mutant(
        "a hung Fetcher that comes back",
        "An actor whose place was taken while it hung in a call goes on when that is answered.",
        (Edit(f"{ACTOR}.call", "if self._vitals.is_replaced:", "if False:"),),
        model="text:hung",
        tests=("tests/supervision/test_hangs.py",),
    ),
    Mutant(
        "a name that comes after the start",
        "An actor is known by its name only when its `on_start` is through: what was told to it before is lost.",
        (
            Edit(
                f"{ACTOR}._begin",
                "if self.context.name is not None and not self._names.register(self.name, self.actor_ref):",
                "if False:",
            ),
            Edit(
                f"{ACTOR}._begin",
                "return beginning",
                "self.context.name is None or self._names.register(self.name, self.actor_ref)\n    return beginning",
            ),
        ),
        tests=("tests/supervision/test_start_stop.py",),
    ),
    Mutant(
        "DOWN of an old generation obeyed",
        "A supervisor takes the end of an earlier actor for that of the one which has its name now.",
        (
            Edit(
                "exqueue.supervision.supervisor:Supervisor._on_down",
                "self._children.by_urn(down.urn)",
                "self._children.get(down.name.rpartition('/')[2])",
            ),
        ),
        tests=("tests/supervision/otp/test_extra.py::test_otp_082_the_late_end_of_an_earlier_actor_changes_nothing",),
    ),
    Mutant(
        "a late timer after its cancel",
        "The message of a timer that was cancelled is handled when it was in the inbox already.",
        (Edit(f"{ACTOR}._handle_receive", "if self._timers.pop(message.timer, None) is None:", "if False:"),),
        tests=("tests/supervision/test_timers.py", "tests/supervision/test_turns.py"),
    ),
    Mutant(
        "intensity off by one",
        "A supervisor gives up at the last restart that it is allowed.",
        (Edit("exqueue.supervision.intensity:add_restart", "len(kept) <= ", "len(kept) < "),),
        tests=("tests/supervision/test_intensity.py",),
    ),
    Mutant(
        "the window of restarts open at one end",
        "A restart exactly as long ago as the period does not count any more.",
        (Edit("exqueue.supervision.intensity:add_restart", "at >= now", "at > now"),),
        tests=("tests/supervision/otp/test_intensity.py::test_otp_041_both_ends_belong_to_the_window",),
    ),
    Mutant(
        "children stopped in their order",
        "A supervisor stops its children in the order in which it started them, the lock before the queues.",
        (Edit(f"{CHILDREN}.stop_all", "reversed(tuple(self._children.values()))", "tuple(self._children.values())"),),
        tests=("tests/supervision/otp/test_shutdown.py",),
    ),
    Mutant(
        "a crash that loses the inbox",
        "What was asked of an actor that crashes is not left to its successor.",
        (Edit(f"{ACTOR}._depart", 'getattr(envelope, "kept", False) and ', "False and "),),
        tests=("tests/supervision/test_names.py",),
    ),
)
