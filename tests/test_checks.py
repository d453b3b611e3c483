"""Names: what is allowed, and that the refusal of the rest says what was given and what is allowed."""

import pytest

from exqueue.checks import check_name
from exqueue.errors import ConfigError


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


def test_a_refused_name_without_a_hint_ends_with_what_was_given() -> None:
    """No dangling punctuation."""
    with pytest.raises(ConfigError, match=r"not 'a b' \(str\)$"):
        check_name("a b", "queue")
