"""Names and options: what is allowed, and that the refusal of the rest says what was given and what is allowed."""

import functools
import math
import os
from typing import Any

import pytest

from exqueue.config import JobOptions, SystemConfig, check_name, check_report, new_node_name, with_options
from exqueue.errors import ConfigError, NotSupportedYet

A_YEAR = 365 * 86_400


def rows(setting: str, allowed: str, *values: object) -> list[tuple[str, object, str]]:
    """Return a row of a table for each of these values of a setting."""
    return [(setting, value, allowed) for value in values]


@pytest.mark.parametrize("name", ["a", "SendEmail", "mail.v2_b-3", "9", "x" * 128])
def test_a_name_of_letters_digits_and_three_signs_is_allowed(name: str) -> None:
    """A name is 1 to 128 characters out of ``[A-Za-z0-9_.-]``."""
    assert check_name(name, "queue") == name


@pytest.mark.parametrize("name", ["", "a b", "<lambda>", "x" * 129, "a\n", "ä", "a:b", "٣", b"a", 5, None])
def test_another_name_is_refused_with_what_it_was(name: object) -> None:
    """The refusal names the thing, what is allowed and what was given."""
    with pytest.raises(ConfigError, match="queue must be 1 to 128 characters") as refused:
        check_name(name, "queue")
    assert type(name).__name__ in str(refused.value)


def test_the_hint_of_a_refused_name_says_what_to_do() -> None:
    """A hint stands at the end of the message."""
    with pytest.raises(ConfigError, match=r"give it another with name=$"):
        check_name("<lambda>", "the name of a job", hint="give it another with name=")


def test_the_options_of_a_job_have_the_documented_defaults() -> None:
    """One worker, not serial, 25 retries, the default backoff, three recoveries."""
    options = JobOptions()
    assert (options.concurrency, options.serial, options.max_retries) == (1, False, 25)
    assert (options.backoff, options.max_recoveries) == (None, 3)


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        *rows("concurrency", "from 1 to 1000", 0, -1, 1.5, 1.0, 5_000, 1_001, True, "3", None),
        *rows("serial", "True or False", 1, 0, None, "yes"),
        *rows("max_retries", "of at least 0", -1, 1.0, math.inf, True, None, "3"),
        *rows("max_recoveries", "from 3 to 100", 2, 101, 3.0, True, None),
        *rows("backoff", "seconds", -1, math.nan, math.inf, A_YEAR + 1, True, "5", b"5", {1, 2}, {}),
        *rows("backoff", "at least one entry", [], ()),
    ],
)
def test_an_option_out_of_bounds_is_refused(option: str, value: Any, allowed: str) -> None:
    """The refusal names the option, what is allowed and what was given."""
    with pytest.raises(ConfigError, match=allowed) as refused:
        JobOptions(**{option: value})
    assert str(refused.value).startswith(f"{option} must be")
    assert f"({type(value).__name__})" in str(refused.value)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("concurrency", 1),
        ("concurrency", 1_000),
        ("max_retries", 0),
        ("max_retries", 10**9),
        ("max_recoveries", 3),
        ("max_recoveries", 100),
        ("backoff", 0),
        ("backoff", 0.5),
        ("backoff", A_YEAR),
        ("backoff", (0, 1.5, 60)),
    ],
)
def test_an_option_at_its_bound_is_kept(option: str, value: Any) -> None:
    """The bounds themselves are allowed."""
    assert getattr(JobOptions(**{option: value}), option) == value


def test_the_wrong_entry_of_a_backoff_is_named() -> None:
    """In a sequence the refusal says which entry."""
    with pytest.raises(ConfigError, match=r"backoff\[1\] must be seconds.*nan"):
        JobOptions(backoff=[1, math.nan])


def test_a_backoff_list_that_changes_later_changes_nothing() -> None:
    """A sequence is kept as a tuple."""
    delays = [1.0, 2.0]
    options = JobOptions(backoff=delays)
    delays.clear()
    assert options.backoff == (1.0, 2.0)


def test_a_backoff_function_must_take_the_number_of_the_failure() -> None:
    """A function that could never be called is refused at once, not at the first retry."""

    def on_the_class(self: object, failure_number: int) -> float:
        return float(failure_number)

    with pytest.raises(ConfigError, match="staticmethod"):
        JobOptions(backoff=on_the_class)  # type: ignore[arg-type]  # what is tested


async def later(failure_number: int) -> float:
    """No number, but a coroutine."""
    return float(failure_number)


class Later:
    """The same, as an object."""

    async def __call__(self, failure_number: int) -> float:
        return float(failure_number)


@pytest.mark.parametrize("function", [later, Later(), functools.partial(Later()), Later().__call__], ids=repr)
def test_an_async_function_is_refused_where_nobody_would_await_it(function: Any) -> None:
    """In any form: its coroutine would be no number, and no report."""
    with pytest.raises(ConfigError, match="not an async one"):
        JobOptions(backoff=function)
    with pytest.raises(ConfigError, match="not an async one"):
        check_report(function)


@pytest.mark.parametrize("backoff", [float, lambda n: n * 2.0])
def test_a_backoff_function_is_kept_as_it_is(backoff: Any) -> None:
    """Functions, classes and built-ins that take one argument are allowed."""
    assert JobOptions(backoff=backoff).backoff is backoff


def test_given_options_replace_those_of_the_class() -> None:
    """What is not given stays."""
    options = with_options(JobOptions(concurrency=2, max_retries=7), {"concurrency": 3, "isolation": "thread"})
    assert (options.concurrency, options.max_retries) == (3, 7)


@pytest.mark.parametrize(
    ("option", "value"),
    [("timeout", 5), ("slow_after", 1.0), ("isolation", "process"), ("isolation", "fork"), ("isolation", None)],
)
def test_an_option_of_a_later_version_says_so(option: str, value: object) -> None:
    """``timeout``, ``slow_after`` and other isolations are `NotSupportedYet`, by name."""
    with pytest.raises(NotSupportedYet, match=option):
        with_options(JobOptions(), {option: value})


def test_only_the_isolation_of_a_later_version_is_called_not_supported_yet_by_its_value() -> None:
    """``"process"`` will come; anything else is told what is allowed."""
    with pytest.raises(NotSupportedYet, match=r'^isolation="process" is not supported yet'):
        with_options(JobOptions(), {"isolation": "process"})
    with pytest.raises(NotSupportedYet, match=r'^isolation must be "thread"'):
        with_options(JobOptions(), {"isolation": "fork"})


def test_no_timeout_may_be_asked_for() -> None:
    """``None`` asks for nothing that this version lacks."""
    assert with_options(JobOptions(), {"timeout": None, "slow_after": None}) == JobOptions()


def test_an_unknown_option_is_refused_with_the_nearest_known_one() -> None:
    """A slip of the pen is told from the option that was meant."""
    with pytest.raises(ConfigError, match=r"no option concurency=; did you mean concurrency=\? known are concurrency,"):
        with_options(JobOptions(), {"concurency": 3})


def test_an_unknown_option_that_is_near_none_lists_the_known_ones() -> None:
    """Nothing is guessed where nothing is near."""
    with pytest.raises(ConfigError, match="no option zz=; known are concurrency, serial, max_retries"):
        with_options(JobOptions(), {"zz": 3})


@pytest.mark.parametrize("option", ["name", "queue", "aliases"])
def test_what_belongs_to_the_class_cannot_be_overridden(option: str) -> None:
    """The process that enqueues never sees the override."""
    with pytest.raises(ConfigError, match=f"{option}= is set on the job class"):
        with_options(JobOptions(), {option: "mail"})


def test_a_system_has_the_documented_defaults() -> None:
    """The defaults of ``ExqueueSystem.start``."""
    config = SystemConfig("memory://")
    assert (config.url, config.namespace) == ("memory://", "default")
    assert (config.lock_ttl, config.shutdown_timeout, config.ask_timeout) == (10, 25, 10)
    assert (config.max_payload, config.max_abandoned) == (1_048_576, 10)


@pytest.mark.parametrize(
    ("setting", "value", "allowed"),
    [
        *rows("namespace", "1 to 64 characters", "", "x" * 65, "a:b", None),
        *rows("node", "1 to 128 characters", "", "a b", 5),
        *rows("lock_ttl", "more than 0", 0, -1, math.nan, math.inf, True, "10", None, A_YEAR + 1),
        *rows("ask_timeout", "more than 0", 0, -1, math.nan, math.inf, True, "10", None),
        *rows("shutdown_timeout", "seconds, 0 to", -1, math.nan, math.inf, True, None),
        *rows("max_payload", "from 1 to", 0, 1.5, True, None, 2**40),
        *rows("max_abandoned", "from 0 to", -1, 1.5, True, None),
    ],
)
def test_a_setting_out_of_bounds_is_refused(setting: str, value: Any, allowed: str) -> None:
    """The refusal names the setting and what is allowed."""
    with pytest.raises(ConfigError, match=allowed) as refused:
        SystemConfig("memory://", **{setting: value})
    assert str(refused.value).startswith(f"{setting} must be")


@pytest.mark.parametrize("url", ["", "  ", None, 5])
def test_a_url_that_is_no_text_is_refused(url: Any) -> None:
    """The scheme is looked at elsewhere; here it has to be a text at all."""
    with pytest.raises(ConfigError, match="url must be a text such as redis://"):
        SystemConfig(url)


def test_a_system_may_stop_without_waiting() -> None:
    """``shutdown_timeout`` may be 0."""
    assert SystemConfig("memory://", shutdown_timeout=0).shutdown_timeout == 0


def test_each_start_is_another_node() -> None:
    """A reborn node must not be taken for the one that died."""
    names = {SystemConfig("memory://").node, SystemConfig("memory://").node, new_node_name()}
    assert len(names) == 3


def test_no_node_asks_for_a_new_one() -> None:
    """``node=None`` is the same as leaving it out."""
    assert SystemConfig("memory://", node=None).node  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize("host", ["my host!", "ü" * 300, "h" * 300])
def test_a_node_has_a_legal_name_on_any_host(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Whatever the machine is called, the name of the node keeps the rules, and its random end."""
    monkeypatch.setattr("socket.gethostname", lambda: host)
    name = new_node_name()
    assert check_name(name, "node") == name
    assert f"-{os.getpid()}-" in name
    assert name != new_node_name()


@pytest.mark.parametrize(("host", "shown"), [("web-1", "web-1"), ("", "node"), ("my host!", "my-host-")])
def test_a_node_is_named_after_its_host(monkeypatch: pytest.MonkeyPatch, host: str, shown: str) -> None:
    """Foreign characters become dashes; a host without a name is a node."""
    monkeypatch.setattr("socket.gethostname", lambda: host)
    assert new_node_name().startswith(f"{shown}-{os.getpid()}-")


def test_a_refused_name_without_a_hint_ends_with_what_was_given() -> None:
    """No dangling punctuation."""
    with pytest.raises(ConfigError, match=r"not 'a b' \(str\)$"):
        check_name("a b", "queue")
