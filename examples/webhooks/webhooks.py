"""Webhooks to a server that fails: retries, a dead job, and its revival when the server is well again.

$EXQUEUE_URL says where jobs are kept: in the file exqueue.db in the present directory unless it is set.
"""

import json
import logging
import time
from contextlib import closing
from http.client import HTTPConnection

from customer import customers_server, failures_left

from exqueue import (
    Enqueue,
    ExqueueSystem,
    GetJob,
    Job,
    JobNotFound,
    RetryAllDead,
    StartWorker,
    SystemRef,
    current_job,
)

PATIENCE_S = 30.0


class Webhook(Job):
    """Tried four times within two seconds, so that you need not wait; for customers, the default is better."""

    max_retries = 3
    backoff = (0.1, 0.2, 0.4)

    def perform(self, *, port: int, path: str, order: int) -> None:
        """Post one order; an answer that is no success is a failure of the job."""
        job = current_job()
        # The same key at each attempt: a request that was taken, and whose answer got lost, is not taken twice.
        headers = {"Content-Type": "application/json", "Idempotency-Key": "" if job is None else job.id}
        # With a time limit: a worker that waits for ever does nothing else.
        with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            connection.request("POST", path, json.dumps({"order": order}), headers)
            status = connection.getresponse().status
        if status >= 300:  # noqa: PLR2004 - as HTTP counts
            raise ConnectionError(f"{path} answered {status}")


def await_end(system: SystemRef, job_id: str) -> None:
    """Wait until a job is delivered or dead, through all of its retries, and say which."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            job = system.ask(GetJob(job_id))
        except JobNotFound:  # It was stored, and only success takes a job out of the store.
            print("delivered", flush=True)
            return
        if job.state == "dead":
            print(f"dead after {job.failures} failures: {job.errors[-1].message}", flush=True)
            return
        time.sleep(0.05)
    raise TimeoutError(f"job {job_id} has neither succeeded nor died in {PATIENCE_S:g} s")


def main() -> None:
    """Deliver to an address that fails twice, and to one that is down until it is mended."""
    logging.basicConfig(format="%(levelname)s %(message)s")
    with customers_server() as port, ExqueueSystem.start(namespace="webhooks") as system:
        system.ask(StartWorker(Webhook))
        await_end(system, system.ask(Enqueue(Webhook, {"port": port, "path": "/flaky", "order": 1})))

        dead = system.ask(Enqueue(Webhook, {"port": port, "path": "/down", "order": 2}))
        await_end(system, dead)
        failures_left["/down"] = 0
        print("the customer is well again: retry all that is dead", flush=True)
        system.ask(RetryAllDead("Webhook"))
        await_end(system, dead)


if __name__ == "__main__":
    main()
