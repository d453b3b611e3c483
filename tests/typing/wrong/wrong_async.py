"""Wrong arguments of jobs that are ``async def``."""

from exqueue import Enqueue, Job, SystemRef, current_job, job


class Fetch:
    async def perform(self, *, url: str, tries: int = 1) -> None: ...


class Download(Job):
    async def perform(self, path: str) -> bytes:
        return path.encode()


@job(max_retries=1)
async def tick(*, count: int) -> int:
    """Wait for a moment."""
    return count


def program(system: SystemRef) -> None:
    """One mistake a line."""
    system.enqueue(Fetch, url=3)  # error: wrong type
    system.enqueue(Fetch)  # error: missing
    system.enqueue(Fetch, url="a", timeout=3)  # error: unknown keyword
    system.enqueue(Download, 1)  # error: wrong type
    system.enqueue(Download)  # error: missing
    system.enqueue(tick, count="1")  # error: wrong type
    system.enqueue(tick, 1)  # error: too many
    Enqueue.of(tick, counts=1)  # error: unknown keyword
    print(current_job().id)  # error: optional


async def at_once() -> None:
    """Call the function here and now."""
    ticks: str = await tick(count=1)  # error: wrong type
    print(ticks)
