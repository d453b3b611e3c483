"""Exqueue beside its peers.

    python -m benchmarks.peers [--only dramatiq,huey] [--quick] [--output FILE] [--cache FOLDER]

Mode A: the server on one CPU, Python on another one. Mode B: both on the same.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.peers import side_by_side
from benchmarks.peers.catalogue import PEERS, chosen
from benchmarks.peers.environments import NotInstalled, command_of
from benchmarks.peers.measures import FULL, GROUPS, QUICK, Figure, Sizes, measure
from benchmarks.peers.results import ANY_MODE, Results, table
from benchmarks.peers.stage import Stage, store
from benchmarks.raw import raw_rate
from benchmarks.rig.figures import write_results
from benchmarks.rig.machine import ROOT, about
from benchmarks.rig.modes import modes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.peers.catalogue import Peer

RAW_S: Final = 1.0
TOGETHER: Final = (side_by_side.idle, side_by_side.killed)
ALL_MEASURES: Final = (
    *(name for names, _ in GROUPS for name in names),
    side_by_side.COMMANDS,
    side_by_side.CPU,
    side_by_side.RUNNING_AGAIN,
)


def install(peers: Sequence[Peer], cache: Path, results: Results) -> dict[Peer, tuple[str, ...]]:
    """Make all environments first, so that nothing is downloaded while something is measured."""
    commands = {}
    for peer in peers:
        try:
            commands[peer] = command_of(peer, cache)
        except NotInstalled as error:
            for name in ALL_MEASURES:
                results.add(peer.title, ANY_MODE, Figure(name, "", None, f"not installed: {error}"))
    return commands


def one_by_one(
    commands: dict[Peer, tuple[str, ...]], cache: Path, sizes: Sizes, results: Results, folder: Path
) -> None:
    """Interleaved: every repetition measures every peer in every mode."""
    all_cpus, all_modes = os.sched_getaffinity(0), modes()
    with store() as shared:
        for repetition in range(sizes.repetitions):
            for mode in all_modes:
                shared.server.pin(mode)
                os.sched_setaffinity(0, {mode.python_cpu})  # What is started from now on inherits it.
                raw = raw_rate(shared.url, RAW_S)
                results.add("raw", mode.name, Figure("raw EVALSHA, one thread", "1/s", raw))
                for peer, command in commands.items():
                    begun = time.monotonic()
                    stage = Stage(peer, command, cache, shared, _folder(folder, peer))
                    for figure in measure(stage, sizes):
                        results.add(peer.title, mode.name, figure, raw)
                    took = f"{time.monotonic() - begun:.0f} s"
                    print(f"== {repetition + 1}/{sizes.repetitions} {mode.name} {peer.name}: {took}", flush=True)
    os.sched_setaffinity(0, all_cpus)


def together(commands: dict[Peer, tuple[str, ...]], cache: Path, sizes: Sizes, results: Results, folder: Path) -> None:
    """What is mostly waiting: all peers at once, each with a server of its own."""
    for what in TOGETHER:
        print(f"== {what.__name__}", flush=True)
        with contextlib.ExitStack() as stack:
            stores = {peer: stack.enter_context(store()) for peer in commands}
            stages = [Stage(peer, commands[peer], cache, stores[peer], _folder(folder, peer)) for peer in commands]
            for name, figure in what(stages, sizes):
                results.add(name, ANY_MODE, figure)


def _folder(folder: Path, peer: Peer) -> Path:
    own = folder / peer.name
    own.mkdir(exist_ok=True)
    return own


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help=f"some of {', '.join(peer.name for peer in PEERS)}")
    parser.add_argument("--quick", action="store_true", help="one small repetition, to see that it works")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "peers.json")
    parser.add_argument("--cache", type=Path, default=ROOT / ".bench", help="where the environments are kept")
    wanted = parser.parse_args()
    try:
        peers = chosen(wanted.only)
    except ValueError as error:
        parser.error(str(error))
    sizes, results, begun = QUICK if wanted.quick else FULL, Results(), time.monotonic()
    commands = install(peers, wanted.cache.resolve(), results)
    with store() as shared:
        version = about(shared.server.version())
    cache = wanted.cache.resolve()
    with tempfile.TemporaryDirectory(prefix="exqueue-peers-") as folder:
        for part in (one_by_one, together):
            part(commands, cache, sizes, results, Path(folder))
            # After each, so that what goes wrong in the last minute does not take the rest with it.
            head = version | {"took_s": round(time.monotonic() - begun), "quick": wanted.quick}
            write_results(wanted.output, head | results.to_plain(peers), results.rows)
    print(f"{table(results.rows, results.missing)}\n\n{time.monotonic() - begun:.0f} s, written to {wanted.output}")


if __name__ == "__main__":
    main()
