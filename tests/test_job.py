"""What is a job, how it is read, and which arguments it takes."""

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from exqueue.errors import ArgumentsError
from exqueue.job import Job, define, job
from exqueue.options import JobOptions


class SendEmail:
    def perform(self, *, to: str, title: str = "Hello") -> str:
        return f"{title} {to}"


class Charge(Job):
    name = "billing.charge"
    queue = "billing"
    aliases = ("Pay", "ChargeCard")
    concurrency = 4
    serial = True
    max_retries = 3
    backoff = (1, 10)
    max_recoveries = 5
    isolation = "thread"

    async def perform(self, *, amount: int) -> int:
        return amount


@job
def resize(path: str, width: int = 100) -> str:
    """Make a picture smaller."""
    return f"{path}@{width}"


@job(name="notify.v2", queue="mail", max_retries=0)
async def notify(*, to: str) -> str:
    """Tell somebody."""
    return to


def test_a_plain_class_with_perform_is_a_job() -> None:
    """No base class is needed; the name is the bare one of the class, and so is the queue."""
    definition = define(SendEmail)
    assert (definition.name, definition.queue, definition.aliases) == ("SendEmail", "SendEmail", ())
    assert definition.options == JobOptions()
    assert definition.target is SendEmail
    assert not definition.is_async


def test_a_subclass_of_job_has_its_options_as_class_attributes() -> None:
    """Each option of the design may stand on the class."""
    definition = define(Charge)
    assert (definition.name, definition.queue) == ("billing.charge", "billing")
    assert definition.aliases == ("Pay", "ChargeCard")
    assert definition.options == JobOptions(
        concurrency=4, serial=True, max_retries=3, backoff=(1, 10), max_recoveries=5
    )
    assert definition.is_async


def test_a_plain_class_may_have_options_too() -> None:
    """They are not silently ignored for want of a base class."""

    class Plain:
        max_retries = 2
        queue = "other"

        def perform(self) -> None: ...

    assert (define(Plain).options.max_retries, define(Plain).queue) == (2, "other")


def test_a_queue_and_options_are_inherited_but_a_name_is_not() -> None:
    """Two classes must not come to share a name by inheriting it."""

    class Refund(Charge):
        pass

    definition = define(Refund)
    assert (definition.name, definition.aliases) == ("Refund", ())
    assert (definition.queue, definition.options.concurrency) == ("billing", 4)


def test_a_function_under_job_is_a_job() -> None:
    """With options and without."""
    assert (define(resize).name, define(resize).queue, define(resize).is_async) == ("resize", "resize", False)
    assert (define(notify).name, define(notify).queue, define(notify).is_async) == ("notify.v2", "mail", True)
    assert define(notify).options.max_retries == 0


def test_a_function_under_job_is_still_the_function() -> None:
    """Called, it runs here and now; its name, docstring and signature are its own."""
    assert resize("a.png", width=5) == "a.png@5"
    assert (vars(resize)["__name__"], resize.__doc__) == ("resize", "Make a picture smaller.")
    assert asyncio.run(notify(to="me")) == "me"


def test_a_class_is_made_anew_for_each_job() -> None:
    """Nothing of one job is left for the next."""

    class Remember:
        def __init__(self) -> None:
            self.seen: list[int] = []

        def perform(self, *, number: int) -> list[int]:
            self.seen.append(number)
            return self.seen

    definition = define(Remember)
    assert [definition.invoke({"number": 1}), definition.invoke({"number": 2})] == [[1], [2]]


def test_invoke_returns_what_perform_returns() -> None:
    """For an async one a coroutine that the caller runs."""
    assert define(SendEmail).invoke({"to": "me"}) == "Hello me"
    assert define(resize).invoke({"path": "a"}) == "a@100"
    coroutine = define(Charge).invoke({"amount": 5})
    assert inspect.iscoroutine(coroutine)
    assert asyncio.run(coroutine) == 5


def test_perform_may_be_a_static_or_class_method() -> None:
    """Both are called without an instance in their signature."""

    class Static:
        @staticmethod
        def perform(*, to: str) -> str:
            return to

    class OfClass:
        @classmethod
        def perform(cls, *, to: str) -> str:
            return cls.__name__ + to

    for job_class in (Static, OfClass):
        define(job_class).check({"to": "x"})
        with pytest.raises(ArgumentsError, match="needs 'to'"):
            define(job_class).check({})
    assert define(OfClass).invoke({"to": "x"}) == "OfClassx"


def test_perform_may_be_a_callable_object() -> None:
    """What has no ``self`` to be bound to is called as it is."""

    class Sender:
        def __call__(self, *, to: str) -> str:
            return to

    class ByObject:
        perform = Sender()

    define(ByObject).check({"to": "x"})
    assert define(ByObject).invoke({"to": "x"}) == "x"


def test_perform_may_be_decorated() -> None:
    """The signature is the one beneath ``functools.wraps``."""

    def loud(perform: Callable[..., str]) -> Callable[..., str]:
        @functools.wraps(perform)
        def wrapped(*args: Any, **kwargs: Any) -> str:
            return perform(*args, **kwargs).upper()

        return wrapped

    class Decorated:
        @loud
        def perform(self, *, to: str) -> str:
            return to

    with pytest.raises(ArgumentsError, match="takes no 'zip'"):
        define(Decorated).check({"to": "a", "zip": 1})
    assert define(Decorated).invoke({"to": "a"}) == "A"


@pytest.mark.parametrize("kwargs", [{"to": "a"}, {"to": "a", "title": "b"}, {"title": "b", "to": "a"}])
def test_arguments_that_fit_are_let_through(kwargs: dict[str, object]) -> None:
    """With those that have a default and without."""
    define(SendEmail).check(kwargs)


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({}, "SendEmail needs 'to': perform(*, to: str, title: str = 'Hello') -> str"),
        ({"title": "b"}, "SendEmail needs 'to'"),
        ({"too": "a"}, "SendEmail takes no 'too' and needs 'to': perform(*, to: str"),
        ({"to": "a", "zip": 1}, "SendEmail takes no 'zip': perform(*, to: str"),
        ({"to": "a", "title": "b", "zip": 1, "x": 2}, "SendEmail takes no 'zip', 'x'"),
        ({"to": "a", "self": 1}, "SendEmail takes no 'self'"),
        ({"to": "a", 5: 1}, "SendEmail takes no 5"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_the_signature(kwargs: Any, said: str) -> None:
    """The refusal names the argument and shows what ``perform`` takes, but no value."""
    with pytest.raises(ArgumentsError) as refused:
        define(SendEmail).check(kwargs)
    assert said in str(refused.value)


def test_the_arguments_of_a_function_are_shown_with_its_name() -> None:
    """``perform`` is the word of classes."""
    with pytest.raises(ArgumentsError, match=r"resize needs 'path': resize\(path: str, width: int = 100\) -> str"):
        define(resize).check({})


def test_any_further_argument_may_be_taken_by_kwargs() -> None:
    """``**kwargs`` takes all names but that of the instance, which Python itself would refuse."""

    class TakesAny:
        def perform(self, *, to: str, **rest: object) -> dict[str, object]:
            return {"to": to, **rest}

    definition = define(TakesAny)
    definition.check({"to": "a", "zip": 1})
    assert definition.invoke({"to": "a", "zip": 1}) == {"to": "a", "zip": 1}
    with pytest.raises(ArgumentsError, match="needs 'to'"):
        definition.check({"zip": 1})
    with pytest.raises(ArgumentsError, match="takes no 'self'"):
        definition.check({"to": "a", "self": 1})


def test_positional_arguments_get_their_names() -> None:
    """What a type checker lets through has to work."""
    assert define(resize).named(("a.png",), {"width": 5}) == {"path": "a.png", "width": 5}
    assert define(resize).named(("a.png", 5), {}) == {"path": "a.png", "width": 5}


@pytest.mark.parametrize(
    ("args", "kwargs", "said"),
    [
        (("a", 1, 2), {}, "takes 2 positional arguments, not 3"),
        (("a",), {"path": "b"}, "got 'path' twice"),
    ],
)
def test_positional_arguments_that_fit_no_name_are_refused(args: Any, kwargs: Any, said: str) -> None:
    """Too many, or one that is given by name as well."""
    with pytest.raises(ArgumentsError, match=said):
        define(resize).named(args, kwargs)


def test_a_local_class_is_a_job() -> None:
    """Only its bare name counts."""

    class Local:
        def perform(self) -> None: ...

    assert define(Local).name == "Local"


def test_start_worker_may_override_options() -> None:
    """Those of the class stay as they are."""
    definition = define(Charge)
    assert definition.options_with({"concurrency": 9}) == JobOptions(
        concurrency=9, serial=True, max_retries=3, backoff=(1, 10), max_recoveries=5
    )
    assert definition.options.concurrency == 4


def test_a_class_is_read_once() -> None:
    """The definition is asked for at each enqueue, and must cost next to nothing."""
    assert define(SendEmail) is define(SendEmail)
    assert define(resize) is resize.definition


def test_a_program_of_thousands_of_classes_does_not_keep_them_all() -> None:
    """The definitions that are kept are bounded."""
    info = inspect.getattr_static(inspect.getmodule(define), "_define_class").cache_info
    for number in range(info().maxsize + 10):
        define(type(f"Many{number}", (SendEmail,), {}))
    assert info().currsize == info().maxsize
    assert define(SendEmail).name == "SendEmail"
