"""The proof itself: it repeats exactly, it finds what is broken, and it shows the least that breaks it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from exqueue.persistence.memory import owner
from exqueue.supervision import Actor
from tests.proof.__main__ import tell
from tests.proof.campaign import try_seed, try_seeds
from tests.proof.plan import KINDS, MOMENTS, TRAITS, draw
from tests.proof.shadow import Broken
from tests.proof.shrink import shrink
from tests.proof.trial import run

if TYPE_CHECKING:
    from exqueue.persistence.memory.queue import Queue
    from exqueue.persistence.values import Claimed, Fence

pytestmark = pytest.mark.prove

REPOSITORY = Path(__file__).parents[2]
FEW_SEEDS = range(24)
OTHER_VERSIONS = ("python3.12", "python3.13")


@pytest.mark.parametrize("seed", FEW_SEEDS)
def test_every_promise_is_kept(seed: int) -> None:
    """Of the many that `make prove` tries, the first few."""
    verdict = try_seed(seed)
    assert not verdict.broken
    assert verdict.checks > 0


def test_a_seed_is_one_plan_and_one_history() -> None:
    """Twice the same in one process; other seeds are others."""
    assert draw(7) == draw(7) != draw(8)
    assert run(draw(7)).digest == run(draw(7)).digest != run(draw(8)).digest


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_a_history_is_the_same_in_every_process(hash_seed: str) -> None:
    """The order of a set, an address or the machine's clock changes nothing."""
    program = "from tests.proof.campaign import try_seed; print(try_seed(3).digest)"
    there = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == run(draw(3)).digest


def test_plans_have_everything_that_can_go_wrong() -> None:
    """Over some hundred seeds each kind of fault, moment and job is drawn, and some plans have none of a kind."""
    plans = [draw(seed) for seed in range(300)]
    faults = [fault for plan in plans for fault in plan.faults]
    assert {fault.kind for fault in faults} == set(KINDS)
    assert {fault.moment for fault in faults} == {None, *MOMENTS}
    assert {trait for plan in plans for trait in plan.traits} == set(TRAITS)
    assert {plan.nodes for plan in plans} == {1, 2, 3}
    assert any(not plan.faults for plan in plans)


@pytest.fixture
def forgetful_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes a queue over forgets the first of what ran there."""
    usual = owner.claim

    def claim(queue: Queue, fence: Fence, seat: int, now: float) -> Claimed:
        if fence != queue.fence and queue.running:
            queue.running.pop(next(iter(queue.running)))
        return usual(queue, fence, seat, now)

    monkeypatch.setattr(owner, "claim", claim)


@pytest.fixture
def seed_that_breaks(forgetful_claim: None) -> int:
    """The first seed that shows it, of those in which it needs a fault."""
    return next(seed for seed in range(500) if "kills its node" not in draw(seed).traits and run(draw(seed)).broken)


def test_a_broken_promise_is_named_and_shrunk(seed_that_breaks: int) -> None:
    """What is left of the plan still breaks the same promise, none of its faults can be missed, and it has a story."""
    verdict = run(draw(seed_that_breaks))
    least = shrink(verdict)
    assert least.broken.startswith("accounted: ")
    assert 1 <= len(least.plan.faults) <= len(verdict.plan.faults)
    for fault in least.plan.faults:
        others = tuple(other for other in least.plan.faults if other is not fault)
        assert not run(replace(least.plan, faults=others)).broken.startswith("accounted: ")
    assert "strikes" in least.story


def test_the_command_tells_a_failing_seed(seed_that_breaks: int, capsys: pytest.CaptureFixture[str]) -> None:
    """The seed, the faults that are left, the events, and the promise; a status that a script can see."""
    assert tell(seed_that_breaks, whole=False) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"seed {seed_that_breaks}, history ")
    assert "accounted: " in said.splitlines()[-1]
    assert tell(0, whole=False) == (1 if run(draw(0)).broken else 0)


def test_a_campaign_counts_what_it_met() -> None:
    """On several processes, which know nothing of what this one has changed."""
    campaign = try_seeds(range(16), processes=2)
    assert (campaign.seeds, campaign.failed) == (16, [])
    assert campaign.faults == sum(try_seed(seed).faults for seed in range(16))
    assert campaign.turns > 0
    assert len(campaign.table().splitlines()) == 2 + len(KINDS)
    assert {kind for kind, _ in campaign.met} <= set(KINDS)


def test_a_world_leaves_nothing_behind() -> None:
    """Many thousands of them follow each other in one process."""

    def actors() -> int:
        gc.collect()
        return sum(isinstance(one, Actor) for one in gc.get_objects())

    before = actors()
    try_seed(3)
    assert actors() <= before


def test_what_is_broken_in_an_actor_comes_out_of_the_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle looks in whatever actor has its turn, which must not take it for a crash of its own."""
    looked = [0]

    def nowhere(_: Queue) -> dict[str, object]:
        looked[0] += 1
        raise Broken("accounted: of the test")

    monkeypatch.setattr("tests.proof.oracle.look", nowhere)
    verdict = run(draw(1))
    assert (verdict.broken, looked) == ("accounted: of the test", [1])
    assert not [line for line in verdict.story.splitlines() if " CRITICAL " in line]


def _interpreters() -> list[str]:
    """Other supported versions of Python on this machine."""
    places = [*map(Path, os.environ["PATH"].split(os.pathsep)), *Path.home().glob(".pyenv/versions/*/bin")]
    found = {name: str(place / name) for place in places for name in OTHER_VERSIONS if (place / name).is_file()}
    return [found[name] for name in OTHER_VERSIONS if name in found]


@pytest.mark.long
@pytest.mark.parametrize("python", _interpreters())
def test_a_history_is_the_same_on_every_python(python: str, tmp_path: Path) -> None:
    """As far as versions are installed that support it."""
    there = str(tmp_path / "venv/bin/python")
    subprocess.run([python, "-m", "venv", str(tmp_path / "venv")], check=True)
    subprocess.run([there, "-m", "pip", "install", "-q", f"{REPOSITORY}[simulation]"], check=True)
    program = "from tests.proof.campaign import try_seed; print(*(try_seed(seed).digest for seed in range(24)))"
    ran = subprocess.run([there, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [try_seed(seed).digest for seed in FEW_SEEDS]
