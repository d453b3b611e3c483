"""Hold the promises against many seeds: ``python -m tests.proof --seeds 0:1000``, or one, told as a story.

Exit status: 0 when every promise was kept, 1 when one was broken.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.proof.campaign import endless, try_seeds
from tests.proof.plan import draw
from tests.proof.shrink import shrink
from tests.proof.trial import run


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    seeds = "from:to, from: (with --minutes), or one seed (default: %(default)s)"
    parser.add_argument("--seeds", default="0:1000", help=seeds)
    parser.add_argument("--minutes", type=float, help="go on from the first seed for so long instead")
    parser.add_argument("--processes", type=int, help="how many at once (default: one a processor)")
    parser.add_argument("--story", action="store_true", help="tell one seed as a story, also when all is well")
    parser.add_argument("--table", action="store_true", help="show which fault met which moment")
    chosen = parser.parse_args()
    first, is_range, last = chosen.seeds.partition(":")
    if chosen.story or not is_range:
        return tell(int(first), whole=chosen.story)
    if chosen.minutes:
        campaign = try_seeds(endless(int(first)), chosen.processes, time.monotonic() + 60 * chosen.minutes)
    else:
        campaign = try_seeds(range(int(first), int(last)), chosen.processes)
    print(campaign)
    if chosen.table:
        print(campaign.table())
    for verdict in campaign.failed:
        print(f"seed {verdict.plan.seed}: {verdict.broken}")
    if campaign.failed:
        print()
        tell(campaign.failed[0].plan.seed, whole=False)
    return 1 if campaign.failed else 0


def tell(seed: int, *, whole: bool) -> int:
    """Run one seed; of one that breaks a promise show the smallest plan that does, and its story."""
    verdict = run(draw(seed), keep_story=True)
    if verdict.broken and not whole:
        verdict = shrink(verdict)
    print(f"seed {seed}, history {verdict.digest}")
    if verdict.broken or whole:
        plan = verdict.plan
        traits = ", ".join(sorted(plan.traits)) or "plain"
        print(f"{plan.nodes} nodes, {plan.jobs} jobs ({traits}), {plan.orders} orders")
        print(*plan.faults, sep="\n")
        print(verdict.story)
    print(verdict.broken or "every promise was kept")
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main())
