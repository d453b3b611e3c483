"""Wrong options and arguments of functions under ``@job``."""

from exqueue import Enqueue, SystemRef, job


@job
def greet(name: str, *, loud: bool = False) -> str:
    """Return a greeting."""
    return f"Hello, {name}{'!' if loud else '.'}"


@job(queue="sums")
def add(numbers: list[int]) -> int:
    """Return the sum."""
    return sum(numbers)


def program(system: SystemRef) -> None:
    """One mistake a line."""
    system.enqueue(greet, 1)  # error: wrong type
    system.enqueue(greet)  # error: missing
    system.enqueue(greet, "you", loud="very")  # error: wrong type
    system.enqueue(greet, "you", quiet=True)  # error: unknown keyword
    system.enqueue(add, ["1", "2"])  # error: wrong type
    Enqueue.of(add, number=[1])  # error: unknown keyword
    greet(1)  # error: wrong type
    add()  # error: missing
    greeting: int = greet("you")  # error: wrong type
    print(greeting)
    job(greet, queue="mail")  # error: no overload
    job(retries=3)  # error: no overload
    job(max_retries="3")  # error: no overload
