"""Memory, SQLite, an imitated and a real server get the same commands, answer the same and keep the same."""

from __future__ import annotations

import os
import secrets
import time
from typing import TYPE_CHECKING, Final, cast

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis.stateful import run_state_machine_as_test

from tests.compared.machine import Compared
from tests.compared.stores import Backends
from tests.compared.table import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS: Final = 4
RUNS: Final = 16
STEPS: Final = 50
COMMANDS: Final = 1_250
"""So many get each backend in each part, at least."""
ENOUGH: Final = 0.85
"""The share of what can happen that happens in each part."""
MINUTES: Final = float(os.environ.get("EXQUEUE_PROVE_MINUTES", "1"))
"""How long each part of the long form goes on."""

MUST_HAPPEN: Final = {
    *("handed out", "due later", "paused", "suspect held back", "suspect handed out", "poison handed out"),
    *("sweep: fine", "sweep: stale", "sweep: due"),
    *("exchange again: Exchanged", "exchange (late): StaleCall", "exchange (token): Fenced"),
    *("claim: Fenced", "claim: StaleCall"),
    *("retry_dead: something", "delete_dead: something", "cancel: None"),
    *(f"cancel: {state}" for state in ("ready", "waiting", "running", "dead")),
    *("acquire: Fence", "acquire: Holder", "renew: True", "renew: False", "release: True", "evict: True"),
    *(f"list {state}: something" for state in ("ready", "waiting", "running", "dead")),
    *(f"{end} {how}" for end in ("Done", "Retry", "Bury", "GiveBack", "Recovered") for how in ("applied", "refused")),
}
"""A run in which nothing happens proves nothing."""


def compare(redis_url: str, seed: int, tally: Tally, runs: int) -> None:
    """Let all backends sit down at the same table for some runs.

    Raises:
        AssertionError: they differed; Hypothesis adds the shortest run that it found.
    """
    settings = hypothesis.settings(
        max_examples=runs,
        stateful_step_count=STEPS,
        # The same seed is the same runs, on every machine.
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    print(f"seed {seed}")  # noqa: T201 - shown with what fails
    with Backends(redis_url) as backends:
        machine = hypothesis.seed(seed)(lambda: Compared(backends, tally))
        run_state_machine_as_test(cast("type[Compared]", machine), settings=settings)


@pytest.mark.prove
@pytest.mark.timeout(600)  # To shrink what was found takes its time.
@pytest.mark.parametrize("part", range(PARTS))
def test_all_backends_answer_alike(part: int, redis_url: str, record_property: Callable[[str, object], None]) -> None:
    """Every reply, every signal, all that is stored in the end, and the order in which it is worked off."""
    tally = Tally()
    compare(redis_url, part, tally, RUNS)
    record_property("figures", str(tally))
    assert len(MUST_HAPPEN & set(tally.happened)) > ENOUGH * len(MUST_HAPPEN)
    assert tally.commands >= COMMANDS


@pytest.mark.long
@pytest.mark.timeout(MINUTES * 60 + 600)
@pytest.mark.parametrize("part", range(PARTS))
def test_all_backends_answer_alike_for_long(
    part: int, redis_url: str, record_property: Callable[[str, object], None]
) -> None:
    """As above, over seeds that are new each time, for `MINUTES` and until all that can happen has happened."""
    tally, until = Tally(), time.monotonic() + MINUTES * 60
    while time.monotonic() < until or MUST_HAPPEN - set(tally.happened):
        compare(redis_url, secrets.randbelow(2**32), tally, RUNS)
    record_property("figures", str(tally))
