"""Send mail in the background: one mail that arrives, and one that the server refuses.

$SMTP_HOST and $SMTP_PORT name a mail server; without them it starts one of its own, which prints what it gets
(`mail_server.py`, needs aiosmtpd). $EXQUEUE_URL says where jobs are kept: in the file exqueue.db in the present
directory unless it is set. So a mail outlives the program: run it with a mail server that does not listen, start that
server, and run it again: the mail of the first run arrives too.

It exits with 1 if the first mail was not sent.
"""

import logging
import os
import smtplib
import sys
import time
from email.message import EmailMessage

from mail_server import local_mail_server

from exqueue import (
    DeleteDead,
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

SENDER = "shop@example.com"
PATIENCE_S = 30.0


class SendEmail(Job):
    """A job class: its `perform` is called with the arguments that were enqueued, in a thread of a worker.

    Whatever it raises is a failure, and the job is tried again: here at most twice, after 0.1 and after 0.2 seconds.
    (So that you need not wait. Left alone, Exqueue tries 25 times, over three weeks.)
    """

    max_retries = 2
    backoff = (0.1, 0.2)

    def perform(self, *, to: str, title: str, text: str) -> None:
        """Hand one mail over to the mail server."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = SENDER, to, title
        message.set_content(text)
        host, port = os.environ["SMTP_HOST"], int(os.environ.get("SMTP_PORT", "25"))
        job = current_job()
        if job is not None:  # It is None where `perform` is called by hand, as in a unit test.
            # If this process is killed between the server's "250 OK" and our note of it, the mail is sent again, under
            # the same id: so a mailbox can tell that the two are one.
            message["Message-ID"] = f"<{job.id}@example.com>"
            print(f"attempt {job.attempt}: {title!r} to {to}", flush=True)
        # With a time limit, since a worker that waits for ever sends nothing else.
        with smtplib.SMTP(host, port, timeout=10) as server:
            server.send_message(message, to_addrs=[to])


def outcome(system: SystemRef, job_id: str) -> str:
    """Wait until a job has succeeded or died, through all of its retries, and say which.

    Raises:
        TimeoutError: neither within `PATIENCE_S`.
    """
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if system.ask(GetJob(job_id)).state == "dead":
                return "dead"
        except JobNotFound:  # It was stored, and only success takes a job out of the store.
            return "sent"
        time.sleep(0.05)
    raise TimeoutError(f"job {job_id} has neither succeeded nor died in {PATIENCE_S:g} s")


def send_one(system: SystemRef) -> bool:
    """Enqueue a mail that should arrive, and return whether it was sent."""
    print("\n--- a mail")
    mail = {"to": "info@example.com", "title": "Hello", "text": "Hello, there!\n"}
    job_id = system.ask(Enqueue(SendEmail, mail))  # `ask` returns when the job is stored, not when the mail is sent.
    system.drain()  # Nothing is in line and nothing runs. What failed may still wait for its retry:
    was_sent = outcome(system, job_id) == "sent"
    print("the mail was sent" if was_sent else "the mail was not sent: it is kept as a dead job")
    return was_sent


def send_one_in_vain(system: SystemRef) -> None:
    """Enqueue a mail that every server refuses, see it retried and reported, and delete it."""
    print("\n--- a mail to an address that no server takes")
    # `enqueue` does the same in one call, and a type checker compares its arguments with those of `perform`.
    job_id = system.enqueue(SendEmail, to="no@body@example.com", title="Hello?", text="Is anybody there?\n")
    if outcome(system, job_id) == "dead":
        # It would stay for ever, for a person to look at. Here nobody will.
        system.ask(DeleteDead(job_id))
        print("the mail was refused at each attempt and reported once; the dead job is deleted")


def send_both() -> int:
    """Send the two mails and return the exit code."""
    with ExqueueSystem.start() as system:
        system.ask(StartWorker(SendEmail))
        if revived := system.ask(RetryAllDead("SendEmail")):
            print(f"{revived} dead from an earlier run: tried again")
        was_sent = send_one(system)
        if was_sent:
            send_one_in_vain(system)
    return 0 if was_sent else 1


def main() -> int:
    """Send by the mail server that is named, else by one of this program; return the exit code."""
    # At INFO, Exqueue tells of every retry; from WARNING on, only of what a person may want to look at.
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    if "SMTP_HOST" in os.environ:
        return send_both()
    with local_mail_server() as (host, port):
        os.environ |= {"SMTP_HOST": host, "SMTP_PORT": str(port)}
        return send_both()


if __name__ == "__main__":
    sys.exit(main())
