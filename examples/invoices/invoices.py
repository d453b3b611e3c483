"""Invoices are sent strictly one after the other: a serial queue, two dead heads, and the two ways to go on.

$EXQUEUE_URL says where jobs are kept: in the file exqueue.db in the present directory unless it is set.
"""

import logging

from exqueue import (
    DeleteDead,
    Enqueue,
    EnqueueMany,
    ExqueueSystem,
    GetJob,
    GetStatus,
    Job,
    RetryDead,
    StartWorker,
    SystemRef,
)

addresses = {"Ann": "1 High Street", "Cas": "3 Mill Lane", "Eve": "5 Church Road"}
CUSTOMERS = ("Ann", "Bob", "Cas", "nobody", "Eve")


class SendInvoice(Job):
    """The numbers of invoices must have no gaps, so none may pass the one before it."""

    serial = True
    max_retries = 0

    def perform(self, *, number: int, customer: str) -> None:
        """Send one, or fail when it is not known where to."""
        if customer not in addresses:
            raise LookupError(f"no address of {customer}")
        print(f"invoice {number} goes to {customer}, {addresses[customer]}", flush=True)


def dead_head(system: SystemRef) -> str:
    """Tell where the queue stands, and return the id of the job that halts it."""
    system.drain()  # Returns also when the queue is halted: then nothing of it can run.
    queue = next(queue for queue in system.ask(GetStatus()).queues if queue.name == "SendInvoice")
    if queue.halted_by is None:
        raise RuntimeError("no dead job halts the queue")
    error = system.ask(GetJob(queue.halted_by)).errors[-1]
    print(f"halted by {queue.halted_by} ({error.message}), {queue.ready} wait behind it", flush=True)
    return queue.halted_by


def main() -> None:
    """Send the invoices, and deal with the two that can't be sent."""
    logging.basicConfig(format="%(levelname)s %(message)s")
    with ExqueueSystem.start(namespace="invoices") as system:
        system.ask(StartWorker(SendInvoice))
        system.ask(
            EnqueueMany(
                Enqueue(SendInvoice, {"number": number, "customer": customer}, id=f"invoice-{number}")
                for number, customer in enumerate(CUSTOMERS, 1)
            )
        )
        head = dead_head(system)
        addresses["Bob"] = "2 Station Road"
        print("the address was found: retry it", flush=True)
        system.ask(RetryDead(head))  # It is the head still, and runs before those behind it.

        head = dead_head(system)
        print("it was a mistake: delete it", flush=True)
        system.ask(DeleteDead(head))
        system.drain()


if __name__ == "__main__":
    main()
