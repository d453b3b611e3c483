"""How an example is run: in an empty directory, with or without a URL."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
DEADLINE_S = 60.0


def environment(url: str | None, **variables: str) -> dict[str, str]:
    """That of these tests, with this interpreter as ``python``, and with the URL only if one is given."""
    kept = {name: value for name, value in os.environ.items() if name not in ("EXQUEUE_URL", "SMTP_HOST", "SMTP_PORT")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    return kept | variables | {"PATH": path} | ({} if url is None else {"EXQUEUE_URL": url})


def python(*arguments: str, folder: Path, url: str | None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the interpreter in a directory to its end, warnings being errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=folder,
        env=environment(url, **variables),
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )


def blocks(readme: Path, language: str) -> list[str]:
    """What stands in the fenced blocks of this language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", readme.read_text(), re.MULTILINE | re.DOTALL)


def is_like(line: str, shown: str) -> bool:
    """Whether a line is the one that is shown; three dots stand for anything."""
    return re.fullmatch(".*".join(map(re.escape, shown.split("..."))), line) is not None


def are_among(shown: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether all lines that are shown are there, in their order, with others between them."""
    rest = iter(lines)
    return all(any(is_like(line, one) for line in rest) for one in shown)
