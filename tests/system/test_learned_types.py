"""A node that runs jobs knows the types of their arguments by the annotations of ``perform``, whatever form it has."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.host.programs import ROOT, VARIABLES

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 30.0
"""How long a program of this test may take."""


def ran(function: str, address: str) -> list[str]:
    """What a process wrote that ran this function of `tests.system.typed_jobs`."""
    program = f"from tests.system.typed_jobs import {function}; {function}({address!r})"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=VARIABLES,
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    return sorted(done.stdout.splitlines())


def test_a_process_that_stored_none_of_them_builds_the_arguments_of_every_form(tmp_path: Path) -> None:
    """Methods of all kinds, decorated ones, objects, functions: each gets what another process stored."""
    address = f"sqlite:///{tmp_path}/store.db"
    assert ran("store", address) == []
    assert ran("work", address) == [
        "ByAsync Hue.BIG",
        "ByClass Cut.BIG",
        "ByInstance Size.BIG",
        "ByObject Ply.BIG",
        "ByStatic Fit.BIG",
        "ByWrapped Era.BIG",
        "by_function Way.BIG",
    ]
