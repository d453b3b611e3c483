"""What can be no job, and that it is refused where it is defined."""

import abc
import functools
import math
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from exqueue.errors import ConfigError, NotSupportedYet
from exqueue.job import Job, define, job


class SendEmail:
    def perform(self, *, to: str, title: str = "Hello") -> str:
        return f"{title} {to}"


@job
def resize(path: str, width: int = 100) -> str:
    """Make a picture smaller."""
    return f"{path}@{width}"


def test_a_lambda_needs_a_name() -> None:
    """Its own is none; the refusal says how to give one."""
    with pytest.raises(ConfigError, match=r"'<lambda>'.*name="):
        job(lambda: None)
    assert define(job(name="nothing")(lambda: None)).name == "nothing"


def test_a_callable_object_needs_a_name() -> None:
    """A partial function has no name of its own."""
    with pytest.raises(ConfigError, match="name="):
        job(functools.partial(resize, width=5))
    small = job(name="small")(functools.partial(resize, width=5))
    define(small).check({"path": "a"})
    assert define(small).invoke({"path": "a"}) == "a@5"


class NoPerform:
    pass


class PerformIsData:
    perform = 5


class NeedsMore:
    def __init__(self, mailer: object) -> None: ...

    def perform(self) -> None: ...


class Abstract(abc.ABC):
    def perform(self) -> None:
        self.connect()

    @abc.abstractmethod
    def connect(self) -> None: ...


class Star:
    def perform(self, *to: str) -> None: ...


class OnlyStar:
    def perform(*to: str) -> None: ...


class PositionalOnly:
    def perform(self, to: str, /) -> None: ...


class NoSelf:
    def perform() -> None: ...  # type: ignore[misc]  # what is tested


class NoSelfButNames:
    def perform(*, to: str) -> None: ...  # type: ignore[misc]  # what is tested


class Generates:
    def perform(self) -> Iterator[int]:
        yield 1


class GeneratesAsync:
    async def perform(self) -> AsyncIterator[int]:
        yield 1


@pytest.mark.parametrize(
    ("job_class", "said"),
    [
        (NoPerform, "NoPerform has no perform"),
        (PerformIsData, "PerformIsData has no perform"),
        (Job, "Job has no perform"),
        (int, "int has no perform"),
        (NeedsMore, r"NeedsMore is made anew for each job, without arguments, but takes \(mailer: object\)"),
        (Abstract, "Abstract is abstract.*'connect'"),
        (Star, r"Star takes \*to: str"),
        (OnlyStar, r"OnlyStar takes \*to: str"),
        (PositionalOnly, "PositionalOnly takes to: str.*positional-only"),
        (NoSelf, "NoSelf takes no self"),
        (NoSelfButNames, "NoSelfButNames takes no self"),
        (Generates, "Generates is a generator"),
        (GeneratesAsync, "GeneratesAsync is a generator"),
    ],
)
def test_fault_027_a_class_that_could_never_run_is_refused_at_once(job_class: type, said: str) -> None:
    """The refusal names the class and what is wrong with it."""
    with pytest.raises(ConfigError, match=said):
        define(job_class)


def test_a_self_that_is_positional_only_is_no_argument() -> None:
    """The rule about positional-only arguments is for those of the job."""

    class Strict:
        def perform(self, /, *, to: str, **rest: object) -> object:
            return rest["self"]

    define(Strict).check({"to": "a", "self": 7})
    assert define(Strict).invoke({"to": "a", "self": 7}) == 7


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (SendEmail(), "this is an object of class SendEmail: give the class itself"),
        ("SendEmail", "not the text 'SendEmail'"),
        (math, "not <module"),
        (len, "put @exqueue.job above the function 'len'"),
        (lambda: None, "put @exqueue.job above the function '<lambda>'"),
        (None, "not None"),
        (5, "not 5"),
        ([], "not []"),
    ],
)
def test_what_is_no_job_is_told_what_one_is(given: object, said: str) -> None:
    """The refusal says what is expected, and how to get there from what was given."""
    with pytest.raises(
        ConfigError, match=r"a job is a class with perform, or a function under @exqueue\.job"
    ) as refused:
        define(given)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("attribute", "value", "said"),
    [
        ("concurrency", 0, "class Wrong: concurrency must be"),
        ("queue", "a b", "class Wrong: queue must be"),
        ("queue", property(), "class Wrong: queue must be"),
        ("name", "<lambda>", "the name of class Wrong must be"),
        ("aliases", 5, "class Wrong: aliases must be a sequence of names"),
        ("aliases", "Old", "class Wrong: aliases must be a sequence of names"),
        ("aliases", ["a b"], r"class Wrong: aliases\[0\] must be"),
    ],
)
def test_a_wrong_option_on_a_class_is_refused_with_its_name(attribute: str, value: object, said: str) -> None:
    """The refusal names the class, the option, and what is allowed."""
    wrong = type("Wrong", (SendEmail,), {attribute: value})
    with pytest.raises(ConfigError, match=said):
        define(wrong)


@pytest.mark.parametrize(("option", "value"), [("timeout", 5), ("slow_after", 5), ("isolation", "process")])
def test_an_option_of_a_later_version_on_a_class_says_so(option: str, value: object) -> None:
    """Not silently ignored, on a class or in the decorator."""
    with pytest.raises(NotSupportedYet, match=f"class Later: .*{option}"):
        define(type("Later", (SendEmail,), {option: value}))
    with pytest.raises(NotSupportedYet, match=f"function <?lambda>?: .*{option}"):
        job(name="later", **{option: value})(lambda: None)  # type: ignore[call-overload]  # what is tested


@pytest.mark.parametrize(
    ("decorate", "said"),
    [
        (lambda: job(max_retry=3), "no option max_retry=; did you mean max_retries"),  # type: ignore[call-overload]
        (lambda: job(SendEmail), "SendEmail is a class"),
        (lambda: job("mail"), r"options are given by name: @job\(queue=...\)"),  # type: ignore[call-overload]
        (lambda: job(resize), "under @job already"),
        (lambda: job(print), "takes \\*args"),
    ],
)
def test_the_decorator_refuses_what_it_can_make_no_job_of(decorate: Callable[[], object], said: str) -> None:
    """At the line of the decorator, with what to do instead."""
    with pytest.raises(ConfigError, match=said):
        decorate()
