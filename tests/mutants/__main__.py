"""Look what catches each mutant: ``python -m tests.mutants``, each in a process of its own.

Exit status: 0 when each was caught, 1 when one survived.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.catalogue import MUTANTS
from tests.mutants.catch import Catch, catch, tell, told

KNOWN = Path(__file__).with_name("caught.toml")
"""The name of each mutant that a seed catches, and the first seed that did."""


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="of mutants (default: all)")
    parser.add_argument("--seeds", type=int, default=1000, help="how many are tried at most (default: %(default)s)")
    parser.add_argument("--known", action="store_true", help="try the seed first that is known to catch it")
    parser.add_argument("--write", action="store_true", help=f"write the seeds that caught them to {KNOWN.name}")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="how many at once")
    parser.add_argument("--here", action="store_true", help="in this very process, told in JSON")
    chosen = parser.parse_args()
    names = chosen.names or list(MUTANTS)
    if chosen.here:
        known = tomllib.loads(KNOWN.read_text()).get(names[0]) if chosen.known else None
        tell(catch(MUTANTS[names[0]], known, chosen.seeds))
        return 0
    how = ["--seeds", str(chosen.seeds), *(["--known"] if chosen.known else [])]
    caught: dict[str, Catch] = {}
    print("| mutant | caught by | seeds | seconds |\n| --- | --- | --- | --- |")
    with ThreadPoolExecutor(chosen.processes) as threads:
        for name, found in zip(names, threads.map(lambda name: _try(name, how), names), strict=True):
            caught[name] = found
            by = (
                found.by if found.by and found.clean else f"**nothing** ({found.why or f'called {found.called} times'})"
            )
            print(f"| {name} | {by} | {found.tried} | {found.took_s:.1f} |", flush=True)
    if chosen.write:
        _write(caught)
    survivors = [name for name, found in caught.items() if not (found.by and found.clean)]
    print(f"\n{len(caught)} mutants, {len(survivors)} survivors" + "".join(f"\n{name}" for name in survivors))
    return 1 if survivors else 0


def _try(name: str, how: list[str]) -> Catch:
    command = [sys.executable, "-m", "tests.mutants", "--here", *how, name]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        return Catch(why=ended.stderr.strip().rpartition("\n")[2])
    return told(ended.stdout.splitlines()[-1])


def _write(caught: dict[str, Catch]) -> None:
    known = tomllib.loads(KNOWN.read_text()) if KNOWN.exists() else {}
    known |= {name: found.seed for name, found in caught.items() if found.seed is not None}
    lines = (f'"{name}" = {known[name]}' for name in MUTANTS if name in known)
    KNOWN.write_text(
        "# A seed that catches each, written by `python -m tests.mutants --write`.\n" + "\n".join(lines) + "\n"
    )


if __name__ == "__main__":
    sys.exit(main())
