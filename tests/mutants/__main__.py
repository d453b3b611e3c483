"""Look what catches each mutant: ``python -m tests.mutants``, each in a process of its own.

Exit status: 0 when each was caught, 1 when one survived.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.mutants.catalogue import MUTANTS
from tests.mutants.catch import Catch, catch, tell, told
from tests.mutants.table import HEAD, is_caught, keep, known_seeds, row

MOST_SEEDS = 300


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help="of mutants (default: all)")
    parser.add_argument("--seeds", type=int, default=MOST_SEEDS, help="tried at most of each (default: %(default)s)")
    parser.add_argument("--known", action="store_true", help="try the seed first that is known to catch it")
    parser.add_argument("--write", action="store_true", help="keep the seeds that caught them, and the table")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="how many at once")
    parser.add_argument("--here", action="store_true", help="in this very process, told in JSON")
    chosen = parser.parse_args()
    names = chosen.names or list(MUTANTS)
    unknown = ", ".join(name for name in names if name not in MUTANTS)
    if unknown:
        parser.error(f"no such mutant: {unknown}")
    if chosen.here:
        tell(catch(MUTANTS[names[0]], known_seeds().get(names[0]) if chosen.known else None, chosen.seeds))
        return 0
    how = ["--seeds", str(chosen.seeds), *(["--known"] if chosen.known else [])]
    caught: dict[str, Catch] = {}
    print(HEAD, end="")
    with ThreadPoolExecutor(chosen.processes) as threads:
        for name, found in zip(names, threads.map(lambda name: _try(name, how), names), strict=True):
            caught[name] = found
            print(row(name, found), end="", flush=True)
    if chosen.write:
        keep(caught)
    survivors = [name for name, found in caught.items() if not is_caught(found)]
    print(f"\n{len(caught)} mutants, {len(survivors)} survivors", *survivors, sep="\n")
    return 1 if survivors else 0


def _try(name: str, how: list[str]) -> Catch:
    command = [sys.executable, "-m", "tests.mutants", "--here", *how, name]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        return Catch(why=ended.stderr.strip().rpartition("\n")[2])
    return told(ended.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
