"""What the user writes as a job, read once into a `JobDefinition`: the class with ``perform``, or the function."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, overload

from exqueue.checks import check_name, is_async, shown
from exqueue.errors import ArgumentsError, ConfigError
from exqueue.options import DEFINE_ONLY, Backoff, JobOptions, check_known_options, option_names, with_options

if TYPE_CHECKING:
    from typing import Literal, Unpack

    from exqueue.options import DefineOptions

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
_R = TypeVar("_R")

_DEFINITIONS_KEPT = 1_024
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY)


class Performs(Protocol[P]):
    """Anything with ``perform``: the shape of a job class, for type checkers."""

    def perform(self, *args: P.args, **kwargs: P.kwargs) -> object:
        """Do the job; what it returns is dropped, what it raises is a failure."""


class Job:
    """A base class for jobs, for those who like their options checked by a type checker. It adds nothing else.

    A subclass needs ``perform`` and may set the options of `exqueue.options.JobOptions` as class attributes, annotated
    or not (``max_retries: int = 3``; not as a ``ClassVar``, which mypy refuses where these are none), and:

    - ``name``: under which its jobs are stored; the bare name of the class, and not inherited.
    - ``queue``: in which they wait; the name. Inherited, so a base class may give all its jobs one queue.
    - ``aliases``: names that it had before, under which jobs may still be stored. Not inherited. They stay in the queue
      in which they were stored: a class that is renamed needs ``queue`` too, if its queue was its name.
    """

    # No ClassVar: type checkers would refuse the annotation that most people write, and pyright that a @staticmethod
    # takes the place of ``backoff``.
    name: str
    queue: str
    aliases: Sequence[str]
    concurrency: int
    serial: bool
    max_retries: int
    backoff: Backoff | None
    max_recoveries: int
    isolation: Literal["thread"]


@dataclass(frozen=True, slots=True)
class Arguments:
    """Which keyword arguments ``perform`` takes.

    Args:
        signature: without ``self``, for people.
        order: the names in the order of the signature.
        required: those without a default.
        accepted: all of them.
        takes_any: whether ``**kwargs`` takes any other name, but for those ``reserved``.
        reserved: the name of ``self``, which no keyword argument can have.
    """

    signature: inspect.Signature
    order: tuple[str, ...]
    required: frozenset[str]
    accepted: frozenset[str]
    takes_any: bool
    reserved: frozenset[str]

    def problem(self, given: Mapping[str, object]) -> str | None:
        """Say which argument is missing or not taken; ``None`` when all fit. Looks at the names only."""
        names = given.keys()
        # Sets first, names only when they differ: this runs for each enqueue; `Signature.bind` costs five times more.
        if names == self.accepted or (not self.takes_any and self.accepted >= names >= self.required):
            return None
        missing = [name for name in self.order if name in self.required and name not in names]
        extra = [name for name in names if (name in self.reserved if self.takes_any else name not in self.accepted)]
        # Both at once: together they are most often one misspelt name.
        found = [f"takes no {_listed(extra)}"] if extra else []
        found += [f"needs {_listed(missing)}"] if missing else []
        return " and ".join(found) or None


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """A job class or function, read and checked: see `define`.

    Args:
        name: under which its jobs are stored.
        queue: in which they wait.
        aliases: its old names.
        options: how it is run, unless `StartWorker` overrides it.
        target: the class, or the function itself.
        is_async: whether ``perform`` is an ``async def``; `invoke` then returns a coroutine.
        arguments: what ``perform`` takes.
    """

    name: str
    queue: str
    aliases: tuple[str, ...]
    options: JobOptions
    target: Callable[..., object]
    is_async: bool
    arguments: Arguments = field(repr=False, compare=False)

    def check(self, kwargs: Mapping[str, object]) -> None:
        """Refuse arguments that do not fit the signature of ``perform``; their values are not looked at.

        Raises:
            ArgumentsError: names the argument and shows the signature.
        """
        problem = self.arguments.problem(kwargs)
        if problem is not None:
            raise ArgumentsError(f"{self.name} {problem}: {self.shown_signature}")

    def named(self, args: Sequence[object], kwargs: Mapping[str, object]) -> dict[str, object]:
        """Give positional arguments their names, since jobs are stored with keyword arguments only.

        Raises:
            ArgumentsError: there are too many, one is keyword-only, or one is given twice.
        """
        parameters = self.arguments.signature.parameters.values()
        positional = [one.name for one in parameters if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
        if len(args) > len(positional):
            raise ArgumentsError(
                f"{self.name} takes {len(positional)} positional arguments, not {len(args)}: {self.shown_signature}"
            )
        named = dict(zip(positional, args, strict=False))
        twice = [name for name in named if name in kwargs]
        if twice:
            raise ArgumentsError(f"{self.name} got {_listed(twice)} twice: {self.shown_signature}")
        return {**named, **kwargs}

    def invoke(self, kwargs: Mapping[str, object]) -> object:
        """Call ``perform`` of a new instance, or the function, in this thread. Raises what it raises.

        Returns:
            What it returns; where `is_async`, a coroutine that still has to be run.
        """
        if isinstance(self.target, type):
            return self.target().perform(**kwargs)
        return self.target(**kwargs)

    def options_with(self, overrides: Mapping[str, object]) -> JobOptions:
        """Return the options with those that `StartWorker` overrides.

        Raises:
            ConfigError: see `exqueue.options.with_options`.
        """
        return with_options(self.options, overrides)

    @property
    def perform(self) -> Callable[..., object]:
        """What is called, as it is found on the class, or the function."""
        return _perform_of(self.target)

    @property
    def shown_signature(self) -> str:
        """The signature for people: ``perform(*, to: str)``."""
        called = "perform" if isinstance(self.target, type) else getattr(self.target, "__name__", "function")
        return f"{called}{self.arguments.signature}"


class JobFunction(Generic[P, R_co]):
    """A function under ``@job``: a job to enqueue and to start, and still the function when it is called."""

    def __init__(self, function: Callable[P, R_co], settings: Mapping[str, object]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self.definition = _read(function, "function", settings)

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function here and now, without any queue."""
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<job {self.definition.name} of {self._function!r}>"


AnyJob = type[Any] | JobFunction[Any, Any]
"""A job class (anything with ``perform``) or a function under ``@job``.

For type checkers any class: a list of different job classes is one of ``type[object]`` to mypy.
"""


@overload
def job(function: Callable[P, _R], /) -> JobFunction[P, _R]: ...
@overload
def job(**options: Unpack[DefineOptions]) -> Callable[[Callable[P, _R]], JobFunction[P, _R]]: ...
def job(function: Any = None, /, **options: Any) -> Any:
    """Make a job of a function: ``@job``, or ``@job(queue="mail", max_retries=3)``.

    Args:
        function: plain or ``async def``; its arguments become those of the job.
        **options: ``name`` (the function's), ``queue`` (the name), ``aliases``, and those of
            `exqueue.options.JobOptions`.

    Raises:
        ConfigError: an option, the name or the signature is not allowed.
    """
    check_known_options(options)
    if function is None:
        return functools.partial(_decorate, options=options)
    return _decorate(function, options=options)


def define(job: object) -> JobDefinition:
    """Read a job class or function.

    A class is read once: what is changed on it afterwards is not seen. The definitions of the last
    `_DEFINITIONS_KEPT` classes are kept. (Keyed weakly they would never go, since each definition holds its class;
    kept on the class itself they would be inherited, and write into what is not ours.)

    Args:
        job: a class with ``perform``, or a function under ``@job``.

    Raises:
        ConfigError: it is neither, or its name, its options or its signature are not allowed.
    """
    if isinstance(job, JobFunction):
        return job.definition
    if isinstance(job, type):
        return _define_class(job)
    raise ConfigError(_what_is_expected(job))


def _decorate(function: object, *, options: Mapping[str, object]) -> JobFunction[Any, Any]:
    if isinstance(function, type):
        raise ConfigError(
            f"@job is for functions; {function.__name__} is a class: set its options as class attributes, "
            "and give the class itself to StartWorker and Enqueue"
        )
    if isinstance(function, JobFunction):
        raise ConfigError(f"{function.definition.name} is under @job already; once is enough")
    if not callable(function):
        raise ConfigError(f"@job is for functions, not {shown(function)}; options are given by name: @job(queue=...)")
    return JobFunction(function, options)


@functools.lru_cache(maxsize=_DEFINITIONS_KEPT)
def _define_class(target: type[Any]) -> JobDefinition:
    if not callable(getattr(target, "perform", None)):
        raise ConfigError(
            f"{target.__name__} has no perform; a job class needs one: def perform(self, *, to: str) -> None"
        )
    _check_makeable(target)
    own = vars(target)
    settings = {option: getattr(target, option) for option in ("queue", *option_names()) if hasattr(target, option)}
    settings |= {option: own[option] for option in ("name", "aliases") if option in own}
    return _read(target, "class", settings)


def _read(target: Callable[..., object], kind: str, settings: Mapping[str, object]) -> JobDefinition:
    what = f"{kind} {getattr(target, '__name__', type(target).__name__)}"
    default_name = getattr(target, "__name__", None)
    name = check_name(settings.get("name", default_name), f"the name of {what}", hint="give it another with name=")
    try:
        queue = check_name(settings.get("queue", name), "queue")
        aliases = _checked_aliases(settings.get("aliases", ()))
        options = with_options(
            JobOptions(), {option: value for option, value in settings.items() if option not in DEFINE_ONLY}
        )
    except ConfigError as error:
        raise type(error)(f"{what}: {error}") from None
    perform = _perform_of(target)
    _check_no_generator(perform, what)
    is_awaited = is_async(perform)
    if is_awaited:
        # Loaded here, in the thread of whoever defines the job, and by nobody who does not need it (it is a third of
        # the time that importing this library takes). A worker that loads it while the process forks would leave the
        # child unable to import anything.
        importlib.import_module("asyncio")
    return JobDefinition(
        name=name,
        queue=queue,
        aliases=aliases,
        options=options,
        target=target,
        is_async=is_awaited,
        arguments=_read_arguments(perform, what, bound=_is_bound(target)),
    )


def _perform_of(target: Callable[..., object]) -> Callable[..., object]:
    return target.perform if isinstance(target, type) else target  # type: ignore[attr-defined]  # looked for by `define`


def _checked_aliases(aliases: object) -> tuple[str, ...]:
    if isinstance(aliases, str) or not isinstance(aliases, Sequence):
        raise ConfigError(f"aliases must be a sequence of names, not {shown(aliases)}")
    return tuple(check_name(alias, f"aliases[{position}]") for position, alias in enumerate(aliases))


def _check_makeable(target: type[Any]) -> None:
    if inspect.isabstract(target):
        missing = _listed(sorted(target.__abstractmethods__))
        raise ConfigError(f"{target.__name__} is abstract and can't be made: it still lacks {missing}")
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return  # a class without a readable signature: the first run tells
    try:
        signature.bind()
    except TypeError as error:
        raise ConfigError(
            f"{target.__name__} is made anew for each job, without arguments, but takes {signature}: {error}"
        ) from error


def _check_no_generator(perform: Callable[..., object], what: str) -> None:
    if inspect.isgeneratorfunction(perform) or inspect.isasyncgenfunction(perform):
        raise ConfigError(f"{what} is a generator (it has a yield): calling it would run nothing; use return instead")


def _is_bound(target: Callable[..., object]) -> bool:
    """Whether ``perform`` is seen without its ``self``: a function, a static or class method, a callable object."""
    if not isinstance(target, type):
        return True
    stored = inspect.getattr_static(target, "perform")
    return isinstance(stored, staticmethod | classmethod) or not hasattr(stored, "__get__")


def _read_arguments(perform: Callable[..., object], what: str, *, bound: bool) -> Arguments:
    try:
        signature = inspect.signature(perform)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"the signature of {what} can't be read: wrap it in a function of your own") from error
    parameters = list(signature.parameters.values())
    reserved: frozenset[str] = frozenset()
    if not bound:
        if not parameters or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
            raise ConfigError(f"perform of {what} takes no self: def perform(self, ...), or a @staticmethod")
        if parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
            own = parameters.pop(0)
            reserved = frozenset({own.name} if own.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD else ())
    for one in parameters:
        if one.kind in _VARIADIC:
            raise ConfigError(
                f"{what} takes {one} ({one.kind.description}): a job is stored with keyword arguments only; "
                "let each have a name, as in def perform(self, *, to: str)"
            )
    return _arguments_of(signature.replace(parameters=parameters), reserved)


def _arguments_of(signature: inspect.Signature, reserved: frozenset[str]) -> Arguments:
    parameters = signature.parameters.values()
    named = [one for one in parameters if one.kind is not inspect.Parameter.VAR_KEYWORD]
    return Arguments(
        signature=signature,
        order=tuple(one.name for one in named),
        required=frozenset(one.name for one in named if one.default is inspect.Parameter.empty),
        accepted=frozenset(one.name for one in named),
        takes_any=len(named) < len(parameters),
        reserved=reserved,
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _what_is_expected(given: object) -> str:
    wanted = "a job is a class with perform, or a function under @exqueue.job"
    if callable(getattr(given, "perform", None)) and not isinstance(given, ModuleType):
        return f"{wanted}; this is an object of class {type(given).__name__}: give the class itself"
    if inspect.isroutine(given):
        return f"{wanted}; put @exqueue.job above the function {getattr(given, '__name__', '')!r}"
    if isinstance(given, str):
        return f"{wanted}, not the text {shown(given)}; a name is enough only for Enqueue"
    return f"{wanted}, not {shown(given)}"
