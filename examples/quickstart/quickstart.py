"""Two jobs: one that succeeds, and one that fails until a person mends its cause and retries it.

$EXQUEUE_URL says where jobs are kept: in the file exqueue.db in the present directory unless it is set.
"""

import logging

from exqueue import Enqueue, ExqueueSystem, GetJob, Job, RetryDead, StartWorker

names = {"ann": "Ann Smith"}


class Greet(Job):
    """A job: `perform` is called in a thread of a worker, with the arguments that were enqueued."""

    max_retries = 0  # Else it would be tried 25 times, over three weeks, before a person hears of it.

    def perform(self, *, who: str) -> None:
        """Whatever is raised here is a failure of the job."""
        print(f"Hello, {names[who]}", flush=True)


def main() -> None:
    """Enqueue both, and see what becomes of them."""
    logging.basicConfig(format="%(levelname)s %(message)s")
    with ExqueueSystem.start(namespace="quickstart") as system:
        system.ask(StartWorker(Greet))
        system.ask(Enqueue(Greet, {"who": "ann"}))
        system.drain()  # Wait until nothing is ready or running.

        job_id = system.ask(Enqueue(Greet, {"who": "bob"}))
        system.drain()
        job = system.ask(GetJob(job_id))
        print(f"the job of bob is {job.state}: {job.errors[-1].type} {job.errors[-1].message}", flush=True)

        names["bob"] = "Bob Jones"
        system.ask(RetryDead(job_id))
        system.drain()


if __name__ == "__main__":
    main()
