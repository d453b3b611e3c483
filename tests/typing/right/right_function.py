"""A job is a function under ``@job``, and still a function."""

from exqueue import Enqueue, ExqueueSystem, StartWorker, job

ran: list[object] = []


@job
def greet(name: str, *, loud: bool = False) -> str:
    """Return a greeting."""
    ran.append(name)
    return f"Hello, {name}{'!' if loud else '.'}"


@job(name="Sum", queue="sums", aliases=["sum"], max_retries=2, backoff=lambda failure: 1.5 * failure)
def add(numbers: list[int]) -> int:
    """Return the sum."""
    ran.append(sum(numbers))
    return sum(numbers)


def main() -> None:
    """Call them, and enqueue them."""
    greeting: str = greet("you", loud=True)
    total: int = add([1, 2])
    assert (greeting, total) == ("Hello, you!", 3)
    with ExqueueSystem.start("memory://") as system:
        for one in (StartWorker(greet), StartWorker(add, concurrency=2)):
            system.tell(one)
        system.enqueue(greet, "a", loud=True)
        system.enqueue(greet, name="b")
        system.enqueue(add, [1, 2, 3])
        system.ask(Enqueue.of(add, numbers=[4]).options(delay=0.0))
        system.ask(Enqueue(greet, {"name": "c"}))
        system.drain()
    assert sorted(ran, key=str) == [3, 4, 6, "a", "b", "c", "you"]


if __name__ == "__main__":
    main()
