"""What came of the mutants, as a table in Markdown, and as it is kept."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from tests.mutants.catalogue import MUTANTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.mutants.catch import Catch

HEAD = "| mutant | what is changed | caught by | after | seconds |\n| --- | --- | --- | --- | --- |\n"

KNOWN = Path(__file__).with_name("caught.toml")
"""The name of each mutant that a seed catches, and such a seed."""

PAGE = Path(__file__).parents[2] / "docs" / "mutants.md"
"""It ends with the table."""


def is_caught(found: Catch) -> bool:
    """Whether something caught it that has met the change, and would not have without it."""
    return bool(found.by) and found.clean and found.called > 0


def row(name: str, found: Catch) -> str:
    """A row of the table."""
    mutant = MUTANTS[name]
    if not is_caught(found):
        by = f"**nothing** ({found.why or f'what is changed was called {found.called} times'})"
    elif mutant.tests:
        by = f"`{found.by.partition('[')[0]}`"
    else:
        by = found.by
    things = "test" if mutant.tests else "seed" if not mutant.faults else "aimed seed"
    after = f"{found.tried} {things}{'' if found.tried == 1 else 's'}"
    return f"| {name} | {mutant.says} | {by} | {after} | {found.took_s:.1f} |\n"


def known_seeds() -> dict[str, int]:
    """By the names of the mutants."""
    return tomllib.loads(KNOWN.read_text())


def keep(caught: Mapping[str, Catch]) -> None:
    """Write down the seeds that caught something, and the table when it is whole."""
    known = known_seeds() | {name: found.seed for name, found in caught.items() if found.seed is not None}
    lines = [f'"{name}" = {known[name]}\n' for name in MUTANTS if name in known]
    KNOWN.write_text("# A seed that catches each, written by `python -m tests.mutants --write`.\n" + "".join(lines))
    if caught.keys() == MUTANTS.keys():
        above, _, _ = PAGE.read_text().partition(HEAD)
        PAGE.write_text(above + HEAD + "".join(row(name, found) for name, found in caught.items()))
