"""The register: which job classes are started on this node, under which names, and which of them were stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from exqueue.actors.tables import QueueSettings, RegisteredJob, jobs_table, queues_table
from exqueue.errors import ConfigError

if TYPE_CHECKING:
    from exqueue.job import JobDefinition
    from exqueue.options import JobOptions
    from exqueue.supervision import Board


class Register:
    """What Queues writes into the tables of jobs and of queues.

    A class is started while the row of its queue names it. One that was stopped stays among the jobs until its whole
    queue has ended, so that whoever meets a job of it knows that it is no unknown one.
    """

    def __init__(self, board: Board) -> None:
        self._jobs = jobs_table(board)
        self._queues = queues_table(board)

    def add(self, definition: JobDefinition, options: JobOptions) -> None:
        """Start a class, or change the options of one that is started.

        Raises:
            ConfigError: it contradicts another class that is started.
        """
        self._check_names(definition)
        settings = self._merged(definition, options)
        registered = RegisteredJob(definition, options)
        for name in (definition.name, *definition.aliases):
            self._jobs[name] = registered
        self._queues[definition.queue] = settings
        self._mark_stopped(definition.queue, settings.jobs)

    def stop(self, definition: JobDefinition) -> tuple[str, ...]:
        """Stop a class; harmless for one that is stopped already while its queue still ends or goes on.

        Returns:
            The names of the classes with which its queue goes on.

        Raises:
            ConfigError: it is not started here.
        """
        registered = self._jobs.get(definition.name)
        settings = self._queues.get(definition.queue)
        if settings is None or registered is None or registered.definition.target is not definition.target:
            raise self._not_started(definition)
        left = tuple(name for name in settings.jobs if name != definition.name)
        self._queues[definition.queue] = replace(settings, jobs=left)
        if left:
            self._mark_stopped(definition.queue, left)
        return left

    def forget(self, queue: str) -> None:
        """The queue has ended."""
        for name, registered in self._jobs.copy().items():
            if registered.definition.queue == queue:
                self._jobs.pop(name, None)
        self._queues.pop(queue, None)

    def _is_started(self, registered: RegisteredJob) -> bool:
        settings: QueueSettings | None = self._queues.get(registered.definition.queue)
        return settings is not None and registered.definition.name in settings.jobs

    def _mark_stopped(self, queue: str, started: tuple[str, ...]) -> None:
        for name, registered in self._jobs.copy().items():
            definition = registered.definition
            if definition.queue == queue and definition.name not in started:
                self._jobs[name] = replace(registered, is_stopped=True)

    def _check_names(self, definition: JobDefinition) -> None:
        for name in (definition.name, *definition.aliases):
            other: RegisteredJob | None = self._jobs.get(name)
            if other is not None and other.definition.target is not definition.target and self._is_started(other):
                raise ConfigError(_clash(name, other.definition, definition))

    def _merged(self, definition: JobDefinition, options: JobOptions) -> QueueSettings:
        """What holds for the queue with this class in it."""
        queue: QueueSettings | None = self._queues.get(definition.queue)
        others = () if queue is None else tuple(job for job in queue.jobs if job != definition.name)
        if queue is not None and others:
            for option, here, there in (
                ("concurrency", options.concurrency, queue.concurrency),
                ("serial", options.serial, queue.serial),
            ):
                if here != there:
                    raise ConfigError(
                        f"{option} belongs to the queue: {definition.name} asks for {here!r} in queue "
                        f"{definition.queue}, where {', '.join(others)} has {there!r}; give both the same"
                    )
        return QueueSettings(options.concurrency, options.serial, (*others, definition.name))

    def _not_started(self, definition: JobDefinition) -> ConfigError:
        # By its own name only: an alias is no class that could be stopped.
        started = {
            name: one.definition
            for name, one in self._jobs.copy().items()
            if name == one.definition.name and self._is_started(one)
        }
        other = started.get(definition.name)
        if other is not None and other.target is not definition.target:
            return ConfigError(
                f"{place_of(definition)} is not started here: the class {definition.name} that is started is "
                f"{place_of(other)}, in queue {other.queue}"
            )
        return ConfigError(f"{definition.name} is not started here; started are: {', '.join(started) or 'none'}")


def place_of(definition: JobDefinition) -> str:
    """Where a class or function is defined, for people."""
    target = definition.target
    return f"{getattr(target, '__module__', '?')}.{getattr(target, '__qualname__', repr(target))}"


def _clash(name: str, started: JobDefinition, refused: JobDefinition) -> str:
    one, other = (
        place_of(definition) + ("" if definition.name == name else " (by its aliases)")
        for definition in (started, refused)
    )
    by_alias = name in (*started.aliases, *refused.aliases)
    what_to_do = "take the alias away" if by_alias else "set name= on one of them"
    return f"two job classes are named {name}: {one} is started already, so {other} is not; {what_to_do}"
