"""Where the backends sit side by side: each command is given to all of them, and what they say is compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from exqueue.errors import ExqueueError
from tests.compared.alike import alike
from tests.compared.stores import HandClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.base import Session
    from exqueue.persistence.values import Holder, State
    from tests.compared.stores import Backends

Reply = TypeVar("Reply")


class Tally:
    """What was done in many runs."""

    def __init__(self) -> None:
        self.runs = 0
        self.commands = 0
        """How many each backend was given."""
        self.happened: Counter[str] = Counter()

    def __str__(self) -> str:
        return f"{self.commands:,} commands a backend in {self.runs:,} runs were answered alike"

    def note(self, *what: str) -> None:
        """It happened."""
        self.happened.update(what)


class Table:
    """The backends of one run.

    Args:
        backends: where stores are made.
        tally: of all runs.
    """

    def __init__(self, backends: Backends, tally: Tally) -> None:
        self.clock = HandClock()
        self.tally = tally
        self.is_broken = False
        self._backends = backends
        self._sides = backends.sides(self.clock)
        tally.runs += 1

    def ask(self, name: str, act: Callable[[Session], Reply], by: str | None = None) -> Reply | ExqueueError:
        """Give one command of this name to all; what they said. ``by``: the token of the system that gives it.

        Raises:
            AssertionError: they did not say the same.
        """
        self.tally.commands += 1
        said = self.look(name, act, by)
        self.tally.note(name, f"{name}: {_kind(said)}")
        return said

    def look(self, name: str, act: Callable[[Session], Reply], by: str | None = None) -> Reply | ExqueueError:
        """As `ask`, but it is no command of the run."""
        return self._same(name, [(side.name, _outcome(act, side.session_of(by))) for side in self._sides])

    def peek(self, queue: str, state: State) -> list[str]:
        """The ids of a state as the first backend lists them, to aim a command."""
        return [job.id for job in self._sides[0].session.list_jobs(queue, state, 1_000, 0)]

    def listen(self) -> None:
        """Compare the signals that were heard since the last time."""
        self._same("signals", [(side.name, side.heard()) for side in self._sides])

    def expect_nothing_left(self) -> None:
        """No backend keeps anything of jobs that are done.

        Raises:
            AssertionError: one does.
        """
        left = {side.name: found for side in self._sides if (found := side.find_leftovers())}
        assert not left, f"all jobs are done, and something is left of them: {left}"

    def expect_sound(self) -> None:
        """Each store is as the promises say, but for what the run itself has brought about.

        Raises:
            AssertionError: one is not.
        """
        for side in self._sides:
            side.expect_sound()

    def pass_time(self, seconds: float) -> None:
        """Move the clock of all."""
        self.clock.now += seconds
        self._backends.set_time(self.clock)
        for side in self._sides:
            side.age(seconds)

    def rise(self, token: str) -> None:
        """A system of this token begins to listen, everywhere."""
        for side in self._sides:
            side.rise(token)

    def fall(self, token: str) -> None:
        """It ends, everywhere."""
        for side in self._sides:
            side.fall(token)

    def evict(self, *, is_other: bool = False, returning: str | None = None) -> None:
        """End the lease that stands, if its holder is gone.

        Args:
            is_other: name another lease.
            returning: the token of a system that rises between the look at who is there and the eviction.
        """
        sides = [side for side in self._sides if side.take_lease is None]
        holders = [side.session.overview(()).holder for side in sides]
        named = [_another(holder) if is_other else holder for holder in holders if holder is not None]
        seen = [side.session.presence(holder.token) for side, holder in zip(sides, named, strict=True)]
        if returning is not None:
            self.rise(returning)
        self.tally.commands += 1
        whole = zip(sides, named, seen, strict=True)
        said = [(side.name, side.session.evict(holder, presence)) for side, holder, presence in whole]
        was_ended = self._same("evict", said)
        self.tally.note("evict", f"evict: {was_ended}")
        for side in self._sides:
            if was_ended and side.take_lease is not None:
                side.take_lease()

    def reconnect(self) -> None:
        """Go on with new sessions."""
        for side in self._sides:
            side.reconnect()

    def close(self) -> None:
        """End the run."""
        for side in self._sides:
            side.close()

    def _same(self, name: str, said: list[tuple[str, Reply]]) -> Reply:
        _, right = said[0]
        if not all(alike(right, other) for _, other in said[1:]):
            self.is_broken = True
            replies = "\n".join(f"  {backend:9} {reply!r}" for backend, reply in said)
            raise AssertionError(f"the replies to {name} differ, at command {self.tally.commands}:\n{replies}")
        return right


def _another(holder: Holder) -> Holder:
    return replace(holder, epoch=holder.epoch + 1)


def _outcome(act: Callable[[Session], Reply], session: Session) -> Reply | ExqueueError:
    try:
        return act(session)
    except ExqueueError as error:
        return error


def _kind(said: Any) -> str:
    if isinstance(said, tuple):
        return "something" if said else "nothing"
    return str(said) if isinstance(said, bool | str | None) else type(said).__name__
