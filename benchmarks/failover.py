"""How long a job waits when its node is killed (takeover) or asked to end (hand-over): minimum, median and p99.

    python benchmarks/failover.py redis://... [tries]

Real processes: two nodes; the leader is killed with SIGKILL, or sent SIGTERM, while a job runs on it. Takeover: from
the signal to the moment when the job is begun again on the other node. Hand-over: from the end of the running job to
the beginning of the next one on the other node.
"""

from __future__ import annotations

import math
import secrets
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from exqueue import Enqueue, ExqueueSystem, SystemRef
from tests.nodes.cluster import Cluster
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

JOBS = {"Hold": {"concurrency": 1}}


def takeover_s(cluster: Cluster, office: SystemRef) -> float:
    """One try: seconds from SIGKILL to the job's second beginning."""
    leader = cluster.start("a", JOBS)
    cluster.start("b", JOBS)
    office.ask(Enqueue("Hold", {"number": 0}))
    cluster.await_diary("begin", 1, node="a")
    killed_at = time.monotonic()
    leader.send(signal.SIGKILL)
    return cluster.await_diary("begin", 1, node="b", within=30.0)[0].at - killed_at


def handover_s(cluster: Cluster, office: SystemRef) -> float:
    """One try: seconds from the end of the last job of a node that stops to the next job elsewhere."""
    leader = cluster.start("a", JOBS)
    cluster.start("b", JOBS)
    for number in range(2):
        office.ask(Enqueue("Hold", {"number": number}))
    cluster.await_diary("begin", 1, node="a")
    leader.send(signal.SIGTERM)
    eventually(lambda: "node a stops" in leader.log)  # Before that it might run the second job, too.
    cluster.release("a")
    begun = cluster.await_diary("begin", 1, node="b", within=30.0)[0].at
    return begun - cluster.diary("end", node="a")[-1].at


def measure(name: str, url: str, tries: int, one: Callable[[Cluster, SystemRef], float]) -> None:
    """Try it often, each time in a namespace of its own, and print."""
    found = []
    for _ in range(tries):
        namespace = f"takeover-{secrets.token_hex(4)}"
        with (
            tempfile.TemporaryDirectory() as folder,
            Cluster(url, namespace, Path(folder)) as cluster,
            ExqueueSystem.start(url, namespace=namespace) as office,
        ):
            found.append(one(cluster, office))
            cluster.release("b")
    found.sort()
    p99 = found[math.ceil(0.99 * len(found)) - 1]
    print(f"{name:9} {tries} tries: min {found[0]:.3f} s, median {statistics.median(found):.3f} s, p99 {p99:.3f} s")


def main() -> None:
    """Measure both."""
    url = sys.argv[1]
    tries = int(sys.argv[2]) if len(sys.argv) > 2 else 20  # noqa: PLR2004 - the command line
    measure("takeover", url, tries, takeover_s)
    measure("hand-over", url, tries, handover_s)


if __name__ == "__main__":
    main()
