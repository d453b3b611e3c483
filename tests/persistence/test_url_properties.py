"""What holds for any URL: it opens or is refused, and no password is ever shown."""

import traceback
from pathlib import PurePosixPath
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from exqueue.errors import ConfigError
from exqueue.persistence.sqlite.persistence import path_of
from exqueue.persistence.urls import address_of, open_persistence

SECRET = "Sesame"
NAUGHTY = "@:/?#[]%&= ~|é\\\"'"
"""What a password may have that means something in a URL, or nothing anywhere."""

odd = st.text(alphabet=NAUGHTY, max_size=4)
passwords = st.builds(lambda before, after: f"{before}{SECRET}{after}", odd, odd)
schemes = st.sampled_from(("redis", "rediss", "unix", "REDIS", "Unix", "postgres", ""))
"""Those that have passwords, and what is no scheme here."""
users = st.sampled_from(("", "user"))
hosts = st.sampled_from(("host", "localhost:6379", "[::1]:6380", "host:port", "[", ""))
rests = st.sampled_from(("", "/", "/0", "/x", "/run/redis.sock", "?db=1", "/0?db=x", "/0?color=red", "#f"))


@settings(derandomize=True, max_examples=1_000)
@given(schemes, users, passwords, hosts, rests)
def test_no_password_is_shown(scheme: str, user: str, password: str, host: str, rest: str) -> None:
    """Neither by what is opened nor by what is refused, encoded or not; and nothing but a refusal comes out."""
    for written in (password, quote(password, safe="")):
        url = f"{scheme}://{user}:{written}@{host}{rest}"
        assert SECRET not in address_of(url)
        assert SECRET not in said_of(url)


def said_of(url: str) -> str:
    """The address of the store, or all that a traceback says of why there is none."""
    try:
        store = open_persistence(url)
    except ConfigError as refused:
        return "".join(traceback.format_exception(refused))
    store.close()
    return store.address


@settings(derandomize=True, max_examples=500)
@given(st.text(max_size=60))
def test_an_address_never_fails_and_is_its_own_address(text: str) -> None:
    """Whatever somebody took for a URL."""
    address = address_of(text)
    if "://" in text:
        assert address_of(address) == address
        assert "?" not in address.partition("://")[2]


names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12)


@settings(derandomize=True, max_examples=300)
@given(st.lists(names, min_size=1, max_size=4), st.booleans())
def test_a_path_written_as_a_url_is_that_path(parts: list[str], is_absolute: bool) -> None:
    """Percent-encoded, a file may have any name."""
    path = ("/" if is_absolute else "") + "/".join(parts)
    if path == ":memory:":
        return
    assert path_of(f"sqlite:///{quote(path)}") == path
    assert PurePosixPath(path).is_absolute() is is_absolute
