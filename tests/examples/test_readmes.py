"""What the README of each example says: its command is run as it stands, and its output compared."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.examples.running import DEADLINE_S, EXAMPLES, are_among, blocks, environment

if TYPE_CHECKING:
    from pathlib import Path

RUN_TO_THEIR_END = ("quickstart", "send_email", "invoices", "webhooks")
SERVICES = ("web_app", "deploy")


def run_as_shown(name: str, folder: Path, url: str | None) -> subprocess.CompletedProcess[str]:
    """Run the command of a README by a shell, in a directory from which only the examples are seen."""
    (command,) = blocks(EXAMPLES / name / "README.md", "sh")
    if not (folder / "examples").exists():
        (folder / "examples").symlink_to(EXAMPLES)
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=environment(url, PYTHONWARNINGS="error"),
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )


@pytest.mark.parametrize("name", RUN_TO_THEIR_END)
def test_an_example_prints_and_logs_what_its_readme_shows(tmp_path: Path, url: str | None, name: str) -> None:
    """The output to the letter; of the log the lines that are shown, and no other ERROR or warning."""
    ended = run_as_shown(name, tmp_path, url)

    assert ended.returncode == 0, ended.stderr
    (output,) = blocks(EXAMPLES / name / "README.md", "text")
    assert ended.stdout == output
    (log,) = blocks(EXAMPLES / name / "README.md", "log")
    logged = ended.stderr.splitlines()
    assert are_among(log.splitlines(), logged), ended.stderr
    errors = [line for line in log.splitlines() if line.startswith("ERROR")]
    assert len([line for line in logged if line.startswith(("ERROR", "CRITICAL"))]) == len(errors), ended.stderr
    assert ended.stderr.count("Traceback") == len(errors), ended.stderr
    assert len([line for line in logged if line.startswith("WARNING")]) == (1 if url is None else 0), ended.stderr
    assert (tmp_path / "exqueue.db").exists() == (url is None)


@pytest.mark.parametrize("name", RUN_TO_THEIR_END)
def test_an_example_can_be_run_again(tmp_path: Path, name: str) -> None:
    """It leaves nothing in its file that would change what it does."""
    first, second = run_as_shown(name, tmp_path, None), run_as_shown(name, tmp_path, None)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert second.stdout == first.stdout


def test_each_example_has_a_readme_that_is_tested() -> None:
    """A folder that nobody runs would rot; and the list of all names each."""
    folders = {readme.parent.name for readme in EXAMPLES.glob("*/README.md")}
    assert folders == {*RUN_TO_THEIR_END, *SERVICES}
    assert {path.name for path in EXAMPLES.iterdir() if path.is_dir() and path.name != "__pycache__"} == folders
    listed = (EXAMPLES / "README.md").read_text()
    assert [name for name in sorted(folders) if f"[{name}]({name})" not in listed] == []
