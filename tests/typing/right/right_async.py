"""A job may be ``async def``, and knows which job it is."""

import asyncio

from exqueue import CurrentJob, Enqueue, ExqueueSystem, Job, StartWorker, current_job, job

ran: list[tuple[int, int, int]] = []


class Fetch:
    async def perform(self, *, url: str, tries: int = 1) -> None:
        await asyncio.sleep(0)
        running: CurrentJob | None = current_job()
        assert running is not None
        job_id: str = running.id
        assert job_id
        assert not running.cancelled
        assert running.attempt == tries
        ran.append((running.epoch, *running.run))


class Download(Job):
    concurrency = 2

    async def perform(self, path: str) -> bytes:
        await asyncio.sleep(0)
        return path.encode()


@job(max_retries=1)
async def tick(*, count: int) -> int:
    """Wait for a moment."""
    await asyncio.sleep(0)
    return count


def main() -> None:
    """Enqueue them, and call the function here and now."""
    with ExqueueSystem.start("memory://") as system:
        system.ask(StartWorker(Fetch))
        system.ask(StartWorker(Download))
        system.ask(StartWorker(tick))
        system.enqueue(Fetch, url="https://example.com")
        system.enqueue(Download, "a")
        system.enqueue(Download, path="b")
        system.enqueue(tick, count=1)
        system.ask(Enqueue.of(Fetch, url="https://example.org", tries=1))
        system.drain()
    assert len(ran) == 2
    ticks: int = asyncio.run(tick(count=3))
    assert ticks == 3


if __name__ == "__main__":
    main()
