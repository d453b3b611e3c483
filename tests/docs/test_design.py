"""The documents name what is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
REFERENCE = re.compile(r"`([A-Za-z_]+(?:\.[A-Za-z_]+)?)`\s+in\s+`(exqueue/[\w/]+\.py)`")
FILE = re.compile(r"`((?:exqueue|tests|examples|benchmarks|docs)/[\w/.]*\w)`")


def names_in(file: Path) -> set[str]:
    """What a file defines or imports: ``function``, ``Class`` and ``Class.method``."""
    found = set()
    for node in ast.parse(file.read_text()).body:
        match node:
            case ast.FunctionDef(name=name):
                found.add(name)
            case ast.ClassDef(name=name, body=body):
                found |= {name} | {f"{name}.{each.name}" for each in body if isinstance(each, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_names_is_there(document: Path) -> None:
    """Each file, and each function or class in the file that is said to have it."""
    text = document.read_text()
    missing = [name for name in FILE.findall(text) if not (ROOT / name).exists()]
    missing += [f"{name} in {file}" for name, file in REFERENCE.findall(text) if name not in names_in(ROOT / file)]
    assert missing == []


def test_the_way_of_a_job_is_held_against_the_code() -> None:
    """The references are written so that the test above finds them."""
    assert len(REFERENCE.findall((ROOT / "docs" / "design.md").read_text())) > 20
