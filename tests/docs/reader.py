"""Somebody who reads a page and types all that stands in it, in a directory of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.docs.blocks import Block

ROOT = Path(__file__).parents[2]
BLOCK_DEADLINE_S = 40.0
SHOWN_SERVER = "redis://localhost"
"""What pages call the server that a reader has; a test has another address."""

_MARK = "\x1e what was printed before ends here\n"


class Differs(AssertionError):
    """A block does not do what its page says. The message names the line, and shows both."""


class Reader:
    """Goes through the blocks of one page, in their order.

    Args:
        folder: where files are written and commands run; empty at first.
        server: the URL of a real server, which takes the place of `SHOWN_SERVER`; empty where the page needs none.
    """

    def __init__(self, folder: Path, server: str = "") -> None:
        self._folder = folder
        self._server = server
        self._parts: list[str] = []
        self._printed: str | None = None
        self._environment = {name: value for name, value in os.environ.items() if name != "EXQUEUE_URL"}
        self._environment |= {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    def read(self, block: Block) -> None:
        """Do what a block says.

        Raises:
            Differs: it does not end well, or prints something else.
        """
        if block.directive == "not run":
            return
        if block.directive == "excerpt":
            self._look_up(block)
        elif block.title:
            path = self._folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._here(block.text))
        elif block.is_output:
            self._compare_printed(block)
        else:
            self._run(block)

    def _run(self, block: Block) -> None:
        match block.language:
            case "python":
                self._program(block)
            case "console":
                self._console(block)
            case "sh":
                self._checked(block, ["bash", "-e", "-c", self._here(block.text)])
            case "pycon":
                self._session(block)
            case "toml":
                tomllib.loads(block.text)
            case "json":
                json.loads(block.text)
            case "ini" | "yaml" | "dockerfile":
                raise Differs(f"line {block.line}: nothing shows that this is true; give it a title or an excerpt")

    def _program(self, block: Block) -> None:
        before = self._parts if block.directive == "goes on" else []
        if block.directive == "with":
            before = [block.value]
        self._parts = [*before, block.text]
        program = f"\nprint({_MARK!r}, end='', flush=True)\n".join(self._parts)
        file = self._folder / "_program.py"  # A file: tracebacks show its lines, and workers find its source.
        file.write_text(self._here(program))
        self._printed = self._checked(block, [sys.executable, "-W", "error", str(file)]).rpartition(_MARK)[2]

    def _compare_printed(self, block: Block) -> None:
        if self._printed is None:
            raise Differs(f"line {block.line}: no program stands before what is printed")
        self._compare(block, block.text, self._printed)

    def _console(self, block: Block) -> None:
        parts = re.split(r"^\$ (.*(?:\\\n.*)*)\n?", block.text, flags=re.MULTILINE)
        if parts[0].strip() or len(parts) == 1:
            raise Differs(f"line {block.line}: a console block begins with $")
        for command, expected in zip(parts[1::2], parts[2::2], strict=True):
            self._compare(block, expected, self._said(block, ["bash", "-c", self._here(command)])[1], command)

    def _session(self, block: Block) -> None:
        file = self._folder / "_session.txt"
        file.write_text(self._here(block.text))
        command = [sys.executable, "-m", "doctest", "-o", "ELLIPSIS", "-o", "NORMALIZE_WHITESPACE", str(file)]
        self._checked(block, command)

    def _look_up(self, block: Block) -> None:
        there = [line.strip() for line in (ROOT / block.value).read_text().splitlines()]
        lines = [line.strip() for line in block.text.rstrip().splitlines()]
        if not any(there[at : at + len(lines)] == lines for at in range(len(there))):
            raise Differs(f"line {block.line}: it does not stand so in {block.value}:\n{block.text}")

    def _checked(self, block: Block, command: list[str]) -> str:
        code, said = self._said(block, command)
        if code:
            raise Differs(f"line {block.line}: it ended with {code}, and said:\n{said}")
        return said

    def _said(self, block: Block, command: list[str]) -> tuple[int, str]:
        try:
            ended = subprocess.run(
                command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=BLOCK_DEADLINE_S,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise Differs(f"line {block.line}: not at its end after {BLOCK_DEADLINE_S:g} s; {late.output!r}") from late
        return ended.returncode, self._as_shown(ended.stdout)

    def _compare(self, block: Block, expected: str, printed: str, what: str = "it") -> None:
        pattern = re.escape(expected.strip()).replace(r"\.\.\.", ".*")
        if not re.fullmatch(pattern, printed.strip(), re.DOTALL):
            raise Differs(f"line {block.line}: {what} says\n{printed}\nand the page\n{expected}")

    def _here(self, text: str) -> str:
        return text.replace(SHOWN_SERVER, self._server) if self._server else text

    def _as_shown(self, text: str) -> str:
        return text.replace(self._server, SHOWN_SERVER) if self._server else text
