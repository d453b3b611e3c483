"""A node as a service: it runs jobs until SIGTERM, then lets what runs end, and gives the rest back.

$EXQUEUE_URL says where jobs are kept. Replace `Tick` by jobs of your own; whoever enqueues needs the same URL.
"""

import logging

from exqueue import ExqueueSystem, Job, StartWorker


class Tick(Job):
    """Stands for a job of yours."""

    def perform(self, *, number: int) -> None:
        """Leave a trace in the log."""
        logging.getLogger("service").info("tick %d", number)


def main() -> None:
    """Run until a signal. `run` takes at most `shutdown_timeout` (25 s) and 3 s more to return after it."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    system = ExqueueSystem.start()
    system.ask(StartWorker(Tick))
    system.run()


if __name__ == "__main__":
    main()
