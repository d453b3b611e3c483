"""Whether a change has made Exqueue much slower: enqueue and drain, against a loop of what both stand on.

    python -m benchmarks.guard

Server and programs share one CPU. The best of some rounds is held against the ratios in ``guard.toml``: below half of
one is a failure, a quarter below it a warning. The reference is a pykka ``ask`` and an EVALSHA, one after the other: it
grows and shrinks with the machine as Exqueue does.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from benchmarks.measures.draining import Load, drain
from benchmarks.rig.modes import modes
from benchmarks.rig.programs import Program
from benchmarks.rig.server import private_server
from benchmarks.stage import RAW_S, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.stage import Place

COMMITTED: Final = Path(__file__).with_name("guard.toml")
ROUNDS: Final = 5
JOBS: Final = 10_000
ENQUEUE_S: Final = 0.6
FAILS_BELOW, WARNS_BELOW = 0.5, 0.75


def verdict(name: str, best: float, committed: float) -> tuple[bool, str]:
    """Whether this is allowed, and the line that says so.

    Args:
        name: of what was measured.
        best: what it has reached, as a ratio to the reference.
        committed: what it was when ``guard.toml`` was written.
    """
    share = best / committed
    word = "FAILED" if share < FAILS_BELOW else "warning" if share < WARNS_BELOW else "well"
    line = f"{name:8} {best:5.2f} x the reference, {share:4.0%} of the committed {committed:.2f}: {word}"
    return share >= FAILS_BELOW, line


def best_ratios(rounds: int) -> dict[str, float]:
    """The highest ratio of each to the reference right before and after it."""
    found: dict[str, list[float]] = {"enqueue": [], "drain": []}
    mode = modes()[-1]
    with private_server() as server, TemporaryDirectory(prefix="exqueue-guard-") as name:
        folder = Path(name)
        given = {"url": server.url, "seconds": RAW_S}
        with Program("reference", given, mode.python_cpu, folder / "none") as reference:
            stage = Stage(mode, server, folder, reference, 1.0)
            for _ in range(rounds):
                found["enqueue"].append(_beside_reference(stage, _enqueue_rate))
                found["drain"].append(_beside_reference(stage, _drain_rate))
    return {name: max(ratios) for name, ratios in found.items()}


def _beside_reference(stage: Stage, rate: Callable[[Stage, Place], float]) -> float:
    with stage.place() as place:
        before = stage.raw()
        found = rate(stage, place)
        return 2 * found / (before + stage.raw())


def _enqueue_rate(stage: Stage, place: Place) -> float:
    return float(stage.result_of("enqueue", place, seconds=ENQUEUE_S))


def _drain_rate(stage: Stage, place: Place) -> float:
    return drain(stage, place, Load(JOBS, workers=10)).rate


def judged(best: Mapping[str, float], committed: Mapping[str, float]) -> tuple[bool, list[str]]:
    """Whether all are allowed, and a line each."""
    verdicts = [verdict(name, best[name], ratio) for name, ratio in committed.items()]
    return all(allowed for allowed, _ in verdicts), [line for _, line in verdicts]


def main() -> int:
    """Measure, say how it is, and fail when something is far too slow."""
    committed = tomllib.loads(COMMITTED.read_text())["ratios"]
    allowed, lines = judged(best_ratios(ROUNDS), committed)
    print("\n".join(lines))
    return 0 if allowed else 1


if __name__ == "__main__":
    sys.exit(main())
