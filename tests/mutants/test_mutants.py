"""Every mutant can be put into the product as it is now, is in force then, and is taken out again."""

from __future__ import annotations

import inspect

import pytest

from exqueue.retry import is_poison
from exqueue.supervision import intensity
from exqueue.supervision.child_spec import Intensity
from tests.mutants.catalogue import EVERY, MUTANTS, WITHOUT_COUNTERPART
from tests.mutants.edit import Edit, Inapplicable, in_force
from tests.mutants.table import PAGE, known_seeds

pytestmark = pytest.mark.prove

ADD_RESTART = "exqueue.supervision.intensity:add_restart"
OFF_BY_ONE = Edit(ADD_RESTART, "len(kept) <= ", "len(kept) < ")

MUTATIONS_OF_THE_MODEL = 40


def is_second_restart_allowed() -> bool:
    """Ask what is mutated below."""
    return intensity.add_restart((0.0,), 1.0, Intensity(restarts=2, period_s=5.0))[1]


def test_a_change_is_in_force_until_its_block_ends() -> None:
    """Whoever calls the function calls the changed one meanwhile, and each call is counted."""
    before = inspect.getattr_static(intensity, "add_restart")
    assert is_second_restart_allowed()
    with in_force([OFF_BY_ONE]) as called:
        assert not is_second_restart_allowed()
        assert called == {ADD_RESTART: 1}
    assert is_second_restart_allowed()
    assert inspect.getattr_static(intensity, "add_restart") is before


def test_a_change_of_what_is_not_there_is_refused() -> None:
    """Not passed over: a mutant that changes nothing would be caught by nobody."""
    for edit in (
        Edit(ADD_RESTART, "no such text", ""),
        Edit(ADD_RESTART, "kept", "held"),
        Edit("exqueue.supervision.intensity:no_such_function", "", ""),
        Edit("exqueue.no_such_module:add_restart", "", ""),
    ):
        with pytest.raises(Inapplicable), in_force([edit]):
            pass


def test_what_was_changed_before_a_refusal_is_put_back() -> None:
    """A change that can't be made leaves none of the others."""
    with pytest.raises(Inapplicable), in_force([OFF_BY_ONE, Edit("exqueue.retry:is_poison", "no such text", "")]):
        pass
    assert is_second_restart_allowed()
    assert is_poison(3, 3)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_fits_the_product(name: str) -> None:
    """What it changes stands where it says, once."""
    with in_force(MUTANTS[name].edits):
        pass


def test_names_are_given_once() -> None:
    """So that a table, and the seeds that are known, mean one of them."""
    assert len(MUTANTS) == len(EVERY)


def test_the_mutations_of_the_model_are_all_there() -> None:
    """Each has a counterpart in the code, or a reason why it has none."""
    of_the_model = [mutant.model for mutant in EVERY if mutant.model] + list(WITHOUT_COUNTERPART)
    assert len(of_the_model) == len(set(of_the_model)) == MUTATIONS_OF_THE_MODEL


def test_of_every_mutant_it_is_written_down_what_catches_it() -> None:
    """In the table, and for the short form a seed, unless tests catch it."""
    assert set(known_seeds()) == {name for name, mutant in MUTANTS.items() if not mutant.tests}
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")][2:]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == list(MUTANTS)
    assert not [row for row in rows if "**nothing**" in row]
