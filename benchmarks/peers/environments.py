"""An environment of its own for each peer, made once and kept until its pinned requirements change."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.peers.catalogue import Peer

PROGRAMS: Final = Path(__file__).parent / "programs"
COMMON: Final = PROGRAMS / "common"
OWN: Final = "exqueue"
INSTALL_WITHIN_S: Final = 600.0


class NotInstalled(Exception):
    """A peer cannot be installed here; the message says why."""


def command_of(peer: Peer, cache: Path) -> tuple[str, ...]:
    """How its program is started, once its environment is there.

    Args:
        peer: whose.
        cache: the folder of all environments.

    Raises:
        NotInstalled: the means are missing, or the registry does not answer.
    """
    if peer.folder == OWN:
        return (sys.executable, "-m", "peer")
    home = cache / peer.folder
    if (PROGRAMS / peer.folder / "package.json").exists():
        _once(home, PROGRAMS / peer.folder / "package.json", _with_npm)
        return ("node", str(PROGRAMS / peer.folder / "program.js"))
    _once(home, PROGRAMS / peer.folder / "requirements.txt", _with_pip)
    return (str(home / "bin" / "python"), "-m", "peer")


def variables_of(peer: Peer, cache: Path) -> dict[str, str]:
    """What its programs need to find each other and what is installed."""
    paths = f"{COMMON}:{PROGRAMS / peer.folder}"
    return {"PYTHONPATH": paths, "NODE_PATH": str(cache / peer.folder / "node_modules"), **dict(peer.variables)}


def stamp_of(requirements: Path) -> str:
    """What an environment is marked with: it is made again when its requirements or the interpreter change."""
    return hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()


def _once(home: Path, requirements: Path, make: Callable[[Path, Path], None]) -> None:
    stamp = home / ".made-for"
    if stamp.exists() and stamp.read_text() == stamp_of(requirements):
        return
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    print(f"== installing {home.name} (the first time only)", flush=True)
    make(home, requirements)
    # Written last, so that an installation that was interrupted is done again.
    stamp.write_text(stamp_of(requirements))


def _with_pip(home: Path, requirements: Path) -> None:
    # Some systems ship Python without ensurepip: the pip of the interpreter that runs this fills the environment.
    _run(sys.executable, "-m", "venv", "--without-pip", str(home))
    pip = (sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "--disable-pip-version-check")
    _run(*pip, "install", "--quiet", "--requirement", str(requirements))


def _with_npm(home: Path, requirements: Path) -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotInstalled("there is no node and npm on this machine")
    shutil.copy(requirements, home)
    shutil.copy(requirements.with_name("package-lock.json"), home)
    # `ci`: exactly what the lock file names, also of what BullMQ itself needs.
    _run("npm", "ci", "--silent", "--no-audit", "--no-fund", "--prefix", str(home))


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_WITHIN_S)
    except subprocess.TimeoutExpired as late:
        raise NotInstalled(f"{command[0]} took longer than {INSTALL_WITHIN_S:.0f} s") from late
    if done.returncode:
        raise NotInstalled(f"{command[0]} said: {(done.stderr or done.stdout).strip()[-300:]}")
