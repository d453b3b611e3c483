"""mypy and pyright find each mistake of the wrong programs on its line, and none in the right ones.

A mistake is marked on its line by ``# error:`` and its kind. Both checkers see the package as a user installs it: in
the site-packages of another interpreter, where only ``py.typed`` lets mypy read its annotations.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import exqueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PROGRAMS = Path(__file__).parent
RIGHT = sorted((PROGRAMS / "right").glob("*.py"))

FEWEST_MISTAKES = 100
DEADLINE_S = 60.0


@dataclass(frozen=True)
class Kind:
    """What each checker calls a kind of mistake."""

    mypy: frozenset[str]
    pyright: frozenset[str]


def kind(mypy: str, pyright: str) -> Kind:
    """Make one of names with spaces between."""
    return Kind(frozenset(mypy.split()), frozenset(pyright.split()))


A_CALL = kind("call-arg", "reportCallIssue")
KINDS = {
    "wrong type": kind(
        "arg-type assignment list-item override",
        "reportArgumentType reportAssignmentType reportIncompatibleVariableOverride",
    ),
    "missing": A_CALL,
    "too many": A_CALL,
    "unknown keyword": A_CALL,
    "no overload": kind("call-overload", "reportArgumentType reportCallIssue"),
    "no such attribute": kind("attr-defined", "reportAttributeAccessIssue"),
    "optional": kind("union-attr", "reportOptionalMemberAccess"),
    "wrong operand": kind("operator", "reportOperatorIssue"),
}

Line = tuple[str, int]
"""The name of a file, and the number of a line."""


def mistakes() -> dict[Line, Kind]:
    """What is marked, by its line."""
    marked: dict[Line, Kind] = {}
    for program in (PROGRAMS / "wrong").glob("*.py"):
        for number, line in enumerate(program.read_text().splitlines(), 1):
            if match := re.search(r"# error: (.+)$", line):
                marked[program.name, number] = KINDS[match[1]]
    return marked


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the programs, and beside them an environment in which this package is installed."""
    folder = tmp_path_factory.mktemp("home")
    for part in ("right", "wrong"):
        shutil.copytree(PROGRAMS / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    venv.create(folder / "env", symlinks=True)
    packages = next((folder / "env" / "lib").glob("python*/site-packages"))
    installed = packages / "exqueue"
    shutil.copytree(Path(exqueue.__file__).parent, installed, ignore=shutil.ignore_patterns("__pycache__"))
    # What it requires is found where the tests find it, and only after the package itself.
    (packages / "required.pth").write_text(sysconfig.get_path("purelib"))
    return folder


def run(home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a checker in that folder, where no configuration of this project is found."""
    clean = {name: value for name, value in os.environ.items() if name not in ("MYPYPATH", "PYTHONPATH")}
    return subprocess.run(
        [sys.executable, "-m", *command],
        check=False,  # They exit with 1 when they find something.
        cwd=home,
        env=clean,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )


def run_mypy(home: Path) -> list[tuple[Line, str]]:
    """What ``mypy --strict`` finds: lines, and the code of each finding."""
    python = str(home / "env" / "bin" / "python")
    options = ("--strict", "--config-file=", "--no-incremental", "--output=json", f"--python-executable={python}")
    ran = run(home, "mypy", *options, "right", "wrong")
    assert ran.stderr == ""
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    return [((Path(one["file"]).name, one["line"]), one["code"]) for one in found if one["severity"] == "error"]


def run_pyright(home: Path) -> list[tuple[Line, str]]:
    """What pyright finds in its mode ``strict``: lines, and the rule of each finding.

    It is run as basedpyright, the same checker in a wheel that has all it needs, so that nothing is downloaded here;
    what that adds of its own is off in the modes of pyright.
    """
    settings = {"include": ["right", "wrong"], "typeCheckingMode": "strict", "venvPath": ".", "venv": "env"}
    (home / "pyrightconfig.json").write_text(json.dumps(settings))
    ran = run(home, "basedpyright", "--outputjson")
    found = json.loads(ran.stdout)["generalDiagnostics"]
    return [((Path(one["file"]).name, one["range"]["start"]["line"] + 1), one["rule"]) for one in found]


CHECKERS: dict[str, tuple[Callable[[Path], list[tuple[Line, str]]], Callable[[Kind], frozenset[str]]]] = {
    "mypy": (run_mypy, lambda kind: kind.mypy),
    "pyright": (run_pyright, lambda kind: kind.pyright),
}


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_checker_finds_each_mistake_and_nothing_else(home: Path, checker: str) -> None:
    """On its line and as what it is; not one finding is in the right programs, or on any other line."""
    check, names = CHECKERS[checker]
    marked = mistakes()
    found = check(home)
    assert len(marked) >= FEWEST_MISTAKES
    unmarked = [one for one in found if one[0] not in marked]
    assert unmarked == []
    missed = sorted(marked.keys() - {line for line, _ in found})
    assert missed == []
    misunderstood = {line: called(found, line) for line in marked if not names(marked[line]) & called(found, line)}
    assert misunderstood == {}


def called(found: Iterable[tuple[Line, str]], at: Line) -> set[str]:
    """What the findings on one line are called."""
    return {name for line, name in found if line == at}


@pytest.mark.parametrize("program", RIGHT, ids=lambda program: program.stem)
def test_a_right_program_runs(tmp_path: Path, program: Path) -> None:
    """What the checkers take for right is so: it ends without an error of its own, and checks what it is answered."""
    root = Path(exqueue.__file__).parents[1]
    ran = subprocess.run(
        [sys.executable, "-W", "error", program],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert ran.returncode == 0, ran.stderr
