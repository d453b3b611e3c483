"""The job that the web application enqueues and the node runs."""

from exqueue import Job


class SendLetter(Job):
    """Stands for whatever takes too long for a request."""

    def perform(self, *, to: str) -> None:
        """Send one."""
        print(f"node: letter to {to} is sent", flush=True)
