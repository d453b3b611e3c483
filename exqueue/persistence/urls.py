"""Which backend a URL means: each is loaded only when a URL asks for it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Final, cast

from exqueue.checks import check_name
from exqueue.config import MAX_NAMESPACE
from exqueue.errors import ConfigError
from exqueue.persistence.base import Persistence

ENTRY_POINTS = "exqueue.persistence"
"""The group in which other packages register a scheme: its name loads a ``f(url, namespace) -> Persistence``."""

Opener = Callable[[str, str], Persistence]


@dataclass(frozen=True, slots=True)
class Backend:
    """A backend of this package.

    Args:
        module: where it is.
        opener: the name of its ``f(url, namespace) -> Persistence`` there. It refuses options (query parameters) that
            it does not know, with a `ConfigError` that names those it does.
    """

    module: str
    opener: str


_REDIS = Backend("exqueue.persistence.redis", "open_redis")

BACKENDS: Final[Mapping[str, Backend]] = MappingProxyType(
    {
        "memory": Backend("exqueue.persistence.memory", "open_memory"),
        "redis": _REDIS,
        "rediss": _REDIS,
        "sqlite": Backend("exqueue.persistence.sqlite", "open_sqlite"),
        "unix": _REDIS,
    }
)
"""The schemes of this package."""


def open_persistence(url: str, *, namespace: str = "default") -> Persistence:
    """Open the store that ``url`` names. Nothing is connected before its first use.

    Args:
        url: ``redis://[user:password@]host[:port][/db]``, ``rediss://`` (TLS), ``unix:///path/to/socket[?db=0]``,
            ``sqlite:///relative.db``, ``sqlite:////absolute/path.db``, ``memory://[name]``, or a scheme that an
            installed package registered under `ENTRY_POINTS`.
        namespace: `[A-Za-z0-9_.-]`, 1-64 characters; stores of different namespaces know nothing of each other.

    Raises:
        ConfigError: the URL, its scheme, one of its options or the namespace is not allowed.
    """
    check_name(namespace, "namespace", longest=MAX_NAMESPACE)
    scheme = _scheme_of(url)
    url = scheme + url[len(scheme) :]
    backend = BACKENDS.get(scheme)
    if backend is not None:
        opener = cast("Opener", getattr(importlib.import_module(backend.module), backend.opener))
        return opener(url, namespace)
    foreign = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if scheme not in foreign:
        raise ConfigError(f"no persistence has the scheme {scheme!r}; known are {_schemes_for_people(foreign)}")
    return cast("Opener", foreign[scheme].load())(url, namespace)


def address_of(url: str) -> str:
    """The URL without user, password and options: for people and logs.

    It never raises, and keeps too little rather than too much of a URL that is malformed.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "(a URL without a scheme)"
    if not rest.startswith("/"):
        # From the last @: a password that was not percent-encoded may itself have one, or a slash or question mark.
        rest = rest.rpartition("@")[2]
    return f"{scheme}://{rest.partition('?')[0].partition('#')[0]}"


def _scheme_of(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    if not separator or not scheme:
        raise ConfigError(f"a persistence URL begins with its scheme; known are {_schemes_for_people()}")
    return scheme.lower()


def _schemes_for_people(foreign: Iterable[str] = ()) -> str:
    return ", ".join(f"{scheme}://" for scheme in sorted({*BACKENDS, *foreign}))
