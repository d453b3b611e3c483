"""A URL chooses its backend, loads no other, and shows no password."""

import subprocess
import sys
import traceback
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from exqueue.errors import ConfigError
from exqueue.persistence import urls
from exqueue.persistence.memory import MemoryPersistence
from exqueue.persistence.sqlite import SqlitePersistence
from exqueue.persistence.urls import BACKENDS, ENTRY_POINTS, address_of, open_persistence


def test_a_memory_url_opens_a_memory_store_of_the_namespace() -> None:
    """The scheme chooses the backend; name and namespace arrive there."""
    store = open_persistence("memory://shared", namespace="blue")
    assert isinstance(store, MemoryPersistence)
    assert (store.address, store.namespace) == ("memory://shared", "blue")


def test_the_scheme_may_be_written_in_capitals() -> None:
    """Schemes are compared without regard to case, as in every URL."""
    assert isinstance(open_persistence("MEMORY://"), MemoryPersistence)
    assert open_persistence("Redis://LOCALHOST:1/2").address == "redis://LOCALHOST:1/2"
    assert open_persistence("UNIX:///run/s").address == "unix:///run/s"
    assert open_persistence("SQLite:////srv/a.db").address == "sqlite:////srv/a.db"


@pytest.mark.parametrize("scheme", ["redis", "rediss", "unix"])
def test_every_redis_scheme_is_in_the_table(scheme: str) -> None:
    """Plain, TLS and socket URLs are of one backend."""
    assert BACKENDS[scheme].module == "exqueue.persistence.redis"


def test_no_backend_is_imported_in_vain() -> None:
    """Opening memory must cost the import neither of the redis client nor of SQLite."""
    program = (
        "import sys; from exqueue.persistence.urls import open_persistence; open_persistence('memory://'); "
        "print({'redis', 'sqlite3'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "set()"


def test_an_unknown_scheme_is_refused_with_the_known_ones() -> None:
    """The message names what was given and what would have been right."""
    with pytest.raises(ConfigError, match=r"'postgres'.*memory://, redis://, rediss://, sqlite://, unix://"):
        open_persistence("postgres://user:secret@host/db")


@pytest.mark.parametrize("url", ["", "localhost:6379", "://x"])
def test_a_url_without_a_scheme_is_refused_with_the_known_ones(url: str) -> None:
    """There is no default scheme to guess."""
    with pytest.raises(ConfigError, match=r"begins with its scheme; known are memory://"):
        open_persistence(url)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///jobs.db", "{here}/jobs.db"),
        ("sqlite:////srv/jobs.db", "/srv/jobs.db"),
        ("sqlite:////srv/a%20%23b.db", "/srv/a #b.db"),
    ],
)
def test_a_sqlite_url_names_a_file(url: str, path: str) -> None:
    """Three slashes begin a path of the present directory, four an absolute one; people are shown the absolute one."""
    store = open_persistence(url, namespace="blue")
    assert isinstance(store, SqlitePersistence)
    assert (store.address, store.namespace) == (f"sqlite:///{path.format(here=Path.cwd())}", "blue")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://jobs.db", "has no host: write three slashes or four"),
        ("sqlite:///", "names a file"),
        ("sqlite:////srv/", "names a file"),
        ("sqlite:///:memory:", "use memory://"),
        ("sqlite:///jobs.db#1", "%23"),
    ],
)
def test_a_sqlite_url_without_a_file_is_refused(url: str, message: str) -> None:
    """The message says how it is written."""
    with pytest.raises(ConfigError, match=message):
        open_persistence(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://host/0?max_connections=5", r"'max_connections'.*known are .*db"),
        ("unix:///tmp/s?db=0&timeout=9", r"'timeout'.*known are .*db"),
        ("rediss://host?ssl=1", r"'ssl'.*known are .*ssl_ca_certs"),
        ("memory://x?size=1", r"memory:// has no options.*'size'"),
        ("sqlite:///x.db?mode=ro", r"sqlite:// has no options.*'mode'"),
    ],
)
def test_an_unknown_option_is_refused_with_the_known_ones(url: str, message: str) -> None:
    """A misspelt option must not be ignored in silence."""
    with pytest.raises(ConfigError, match=message):
        open_persistence(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:sec[ret@host",
        "redis://:secret@host:port/0",
        "redis://:secret@host/x",
        "redis://:?secret@host",
        "redis://:a?sec&ret@host/0",
        "redis://:#secret@host",
    ],
)
def test_a_malformed_url_is_refused_without_its_password(url: str) -> None:
    """What the parser says about it may hold the password, so it is not passed on."""
    with pytest.raises(ConfigError) as refused:
        open_persistence(url)
    assert "sec" not in "".join(traceback.format_exception(refused.value)).partition("ConfigError")[2]


@pytest.mark.parametrize("namespace", ["", "a b", "x" * 65, "{x}"])
def test_a_namespace_that_is_not_allowed_is_refused(namespace: str) -> None:
    """The namespace becomes a part of every key."""
    with pytest.raises(ConfigError, match="namespace"):
        open_persistence("memory://", namespace=namespace)


@pytest.mark.parametrize("url", ["memory://a/b", "memory:///x", "memory://user@x"])
def test_a_memory_store_has_a_plain_name(url: str) -> None:
    """There is no path and no user in memory."""
    with pytest.raises(ConfigError, match="memory store"):
        open_persistence(url)


def test_another_package_may_register_a_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point of the group is loaded and called with the URL, options included, and the namespace."""
    point = EntryPoint("elsewhere", f"{__name__}:unused", ENTRY_POINTS)
    monkeypatch.setattr(EntryPoint, "load", lambda self: lambda url, namespace: (self.name, url, namespace))

    def registered(*, group: str) -> Any:
        return [point] if group == ENTRY_POINTS else []

    monkeypatch.setattr(urls, "entry_points", registered)
    opened: object = open_persistence("elsewhere://h?any=1", namespace="blue")
    assert opened == ("elsewhere", "elsewhere://h?any=1", "blue")
    with pytest.raises(ConfigError, match="elsewhere://"):
        open_persistence("nowhere://h")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://host:6379/2", "redis://host:6379/2"),
        ("redis://user:secret@host:6379/2?db=1", "redis://host:6379/2"),
        ("redis://:secret@host", "redis://host"),
        ("redis://:se/c?r#e@t@host/0", "redis://host/0"),
        ("rediss://user@[::1]:6380/0?ssl_keyfile=/secret", "rediss://[::1]:6380/0"),
        ("unix://user:secret@/run/redis.sock?db=1", "unix:///run/redis.sock"),
        ("unix:///home/me@work/redis.sock", "unix:///home/me@work/redis.sock"),
        ("memory://x", "memory://x"),
        ("user:secret@host", "(a URL without a scheme)"),
    ],
)
def test_an_address_is_the_url_without_what_is_secret(url: str, address: str) -> None:
    """User, password and options never reach a log."""
    assert address_of(url) == address


def test_without_a_namespace_it_is_the_one_of_all_who_say_none() -> None:
    """Its name is part of what is stored."""
    assert open_persistence("memory://").namespace == "default"


def test_a_url_within_an_option_is_no_scheme() -> None:
    """The first separator counts, and what stands behind a question mark or a hash is not shown."""
    assert address_of("redis://host/0?via=socks://proxy") == "redis://host/0"
    assert address_of("sqlite:///jobs.db#secret") == "sqlite:///jobs.db"
    with pytest.raises(ConfigError, match="has no options"):
        open_persistence("memory://shared?via=redis://host")
