"""From single figures to one table and one file: medians with their spread, and what a peer cannot do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from benchmarks.peers.environments import OWN, PROGRAMS
from benchmarks.rig.figures import Figure as Row
from benchmarks.rig.figures import Reading, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.peers.catalogue import Peer
    from benchmarks.peers.measures import Figure

RATES: Final = "jobs/s"
ANY_MODE: Final = "-"
"""Of what is measured of all peers at once: the processes go where the system puts them."""
OWN_PACKAGES: Final = (OWN, "redis", "hiredis", "pykka", "msgpack")
THOUSANDS, WHOLE, TENTHS = 10_000, 100, 10


@dataclass(frozen=True, slots=True)
class Missing:
    """A figure that could not be had, and why: the peer cannot do it, or it failed."""

    subject: str
    measure: str
    mode: str
    why: str


class Results:
    """All figures of a run, in the order in which they first came."""

    def __init__(self) -> None:
        self._sheets: dict[str, Sheet] = {}
        self._missing: list[Missing] = []

    def add(self, subject: str, mode: str, figure: Figure, raw: float | None = None) -> None:
        """Note one figure.

        Args:
            subject: the title of the peer.
            mode: the name of the mode, or `ANY_MODE`.
            figure: what was measured.
            raw: calls a second of one thread's raw EVALSHA, in the same repetition and mode.
        """
        if figure.value is None:
            missing = Missing(subject, figure.measure, mode, figure.why)
            if missing not in self._missing:
                self._missing.append(missing)
            return
        reading = Reading(figure.measure, figure.unit, figure.value, raw if figure.unit == RATES else None)
        self._sheets.setdefault(subject, Sheet(subject)).add(mode, [reading])

    @property
    def rows(self) -> tuple[Row, ...]:
        """What was measured."""
        return tuple(row for sheet in self._sheets.values() for row in sheet.figures())

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What was not."""
        return tuple(self._missing)

    def to_plain(self, peers: Sequence[Peer]) -> dict[str, Any]:
        """What stands in the file beside the rows."""
        return {"peers": [described(peer) for peer in peers], "none": [asdict(each) for each in self._missing]}


def short(value: float) -> str:
    """Three digits or so: ``24.9k``, ``965``, ``0.77``."""
    if abs(value) >= THOUSANDS:
        return f"{value / 1000:.1f}k"
    if abs(value) >= WHOLE:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= TENTHS else f"{value:.2f}"


def table(rows: Iterable[Row], missing: Iterable[Missing]) -> str:
    """For a terminal: one part a measure and mode, one line a peer; what is missing stands beside what is there."""
    parts: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        spread = f" ({short(min(row.values))}-{short(max(row.values))})" if len(row.values) > 1 else ""
        ratio = "" if row.ratio is None else f"  {row.ratio:.2f} x raw"
        line = f"  {row.subject:22} {short(row.median)} {row.unit}{spread}{ratio}"
        parts.setdefault((row.measure, row.mode), []).append(line)
    for each in missing:
        parts.setdefault((each.measure, each.mode), []).append(f"  {each.subject:22} {each.why}")
    heads = {key: key[0] if key[1] == ANY_MODE else f"{key[0]}, mode {key[1]}" for key in parts}
    return "\n\n".join("\n".join([heads[key], *lines]) for key, lines in parts.items())


def described(peer: Peer) -> dict[str, Any]:
    """Who was measured, with which versions and settings."""
    return {
        "subject": peer.title,
        "settings": peer.settings,
        "acknowledged": peer.acknowledged,
        "store": peer.store,
        "requirements": requirements_of(peer),
    }


def requirements_of(peer: Peer) -> str:
    """What was pinned for it, as it stands there; for Exqueue what is installed."""
    if peer.folder == OWN:
        return "\n".join(f"{name}=={version(name)}" for name in OWN_PACKAGES)
    python = PROGRAMS / peer.folder / "requirements.txt"
    return (python if python.exists() else PROGRAMS / peer.folder / "package.json").read_text().strip()
