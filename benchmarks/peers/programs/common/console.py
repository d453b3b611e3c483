"""How a program becomes the worker's command of its peer."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def become(command: str, *arguments: str) -> None:
    """Replace this process by a command that was installed into the environment of its interpreter."""
    os.execv(Path(sys.executable).with_name(command), [command, *arguments])  # noqa: S606 - fixed commands
