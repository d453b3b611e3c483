"""One run of a job in the thread of a test, by the same functions as a Worker's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from exqueue.actors.tables import RegisteredJob
from exqueue.execution import Outcome, Run, Workshop, perform
from exqueue.testing.loop import Loop, beside_a_loop

if TYPE_CHECKING:
    import random
    from collections.abc import Coroutine

    from exqueue.clock import Clock
    from exqueue.codec import Codec
    from exqueue.job import JobDefinition


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended, and what the job itself raised, as it was."""

    outcome: Outcome
    raised: BaseException | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where jobs are run. ``jobs``: by name. ``loop``: for those that are coroutines."""

    node: str
    codec: Codec
    clock: Clock
    rng: random.Random
    jobs: Mapping[str, RegisteredJob]
    loop: Loop


class _Watched(Mapping[str, RegisteredJob]):
    """The same jobs, which leave what they raise in ``raised``: of an `Outcome` only its text is left."""

    def __init__(self, jobs: Mapping[str, RegisteredJob], loop: Loop) -> None:
        self._jobs = jobs
        self._loop = loop
        self.raised: BaseException | None = None

    def __getitem__(self, name: str) -> RegisteredJob:
        registered = self._jobs[name]
        watched = replace(registered.definition, target=self._watched(registered.definition))
        return replace(registered, definition=watched)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._jobs))

    def __len__(self) -> int:
        return len(self._jobs)

    def _watched(self, definition: JobDefinition) -> Any:
        def invoke(**kwargs: object) -> object:
            try:
                return definition.invoke(kwargs)
            except BaseException as error:
                self.raised = error
                raise

        return invoke

    def run_async(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """As `Loop.run`."""
        try:
            return self._loop.run(coroutine)
        except BaseException as error:
            self.raised = error
            raise


def run_here(run: Run, place: Place) -> Ran:
    """Run a job in this thread; where an event loop runs in it already, in another one that is waited for."""
    jobs = _Watched(place.jobs, place.loop)
    shop = Workshop(
        node=place.node,
        codec=place.codec,
        clock=place.clock,
        rng=place.rng,
        jobs=jobs,
        is_superseded=lambda _: False,
        run_async=jobs.run_async,
        tell_begun=lambda _run, _record, _attempt: None,
    )
    return Ran(beside_a_loop(lambda: perform(run, shop)), jobs.raised)


def end_test_if_meant(ran: Ran) -> None:
    """Raise what ends a test and no job: an interrupt, or what a test tool raises that is no ``Exception``."""
    if ran.raised is not None and not isinstance(ran.raised, Exception | SystemExit):
        raise ran.raised
