"""The settings of a system: which there are, what each may be, and what holds where nothing is said."""

from __future__ import annotations

import os
import re
import secrets
import socket
from dataclasses import dataclass, field

from exqueue.checks import MAX_NAME, check_int, check_name, check_timeout, is_async, shown
from exqueue.errors import ConfigError

DEFAULT_URL = "sqlite:///exqueue.db"
"""Where jobs are kept when neither a URL nor ``$EXQUEUE_URL`` says so: a file in the present directory."""

MAX_NAMESPACE = 64
"""The most characters of a namespace."""

HIGHEST_PAYLOAD = 512 * 1024 * 1024
"""The most bytes that ``max_payload`` may allow: the longest string that Redis keeps."""

MAX_ABANDONED = 10_000
"""The most threads that ``max_abandoned`` may allow."""

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


def new_node_name() -> str:
    """Return a name for this run of this process, ``<hostname>-<pid>-<random>``; never the same one again.

    A node that comes back under its old name could not be told from the one that died.
    """
    tail = f"-{os.getpid()}-{secrets.token_hex(4)}"
    host = _NOT_IN_A_NAME.sub("-", socket.gethostname()) or "node"
    return host[: MAX_NAME - len(tail)] + tail


@dataclass(frozen=True, slots=True)
class SystemConfig:
    """The settings of one system; times in seconds.

    Args:
        url: of the persistence.
        namespace: separates systems that share a persistence; a name of 1 to `MAX_NAMESPACE` characters.
        node: this process, for people; a name. Left out (or ``None``), a new one, see `new_node_name`.
        lock_ttl: after how long without a sign of life another node may lead; more than 0.
        shutdown_timeout: how long running jobs may go on when the system stops; 0 or more.
        ask_timeout: how long ``ask`` waits unless told otherwise; more than 0.
        max_payload: bytes of one stored job, 1 to `HIGHEST_PAYLOAD`.
        max_abandoned: abandoned threads of one queue past which it stops fetching, 0 to `MAX_ABANDONED`.

    Raises:
        ConfigError: a value is not allowed. No time may pass `MAX_TIMEOUT_S`.
    """

    url: str
    namespace: str = field(default="default", kw_only=True)
    node: str = field(default_factory=new_node_name, kw_only=True)
    lock_ttl: float = field(default=10.0, kw_only=True)
    shutdown_timeout: float = field(default=25.0, kw_only=True)
    ask_timeout: float = field(default=10.0, kw_only=True)
    max_payload: int = field(default=1_048_576, kw_only=True)
    max_abandoned: int = field(default=10, kw_only=True)

    def __post_init__(self) -> None:
        _check_url(self.url)
        check_name(self.namespace, "namespace", longest=MAX_NAMESPACE)
        object.__setattr__(self, "node", _checked_node(self.node))
        check_timeout(self.lock_ttl, "lock_ttl", zero=False)
        check_timeout(self.shutdown_timeout, "shutdown_timeout", zero=True)
        check_timeout(self.ask_timeout, "ask_timeout", zero=False)
        check_int(self.max_payload, "max_payload", 1, HIGHEST_PAYLOAD)
        check_int(self.max_abandoned, "max_abandoned", 0, MAX_ABANDONED)


def url_of_environment() -> str:
    """Return ``$EXQUEUE_URL``, and without that `DEFAULT_URL`.

    Raises:
        ConfigError: it is set and empty.
    """
    url = os.environ.get("EXQUEUE_URL", DEFAULT_URL)
    if not url.strip():
        raise ConfigError(f"$EXQUEUE_URL is empty: unset it, which means {DEFAULT_URL}, or set it to a URL")
    return url


def _check_url(url: object) -> None:
    if not isinstance(url, str):
        raise ConfigError(f"url must be a text such as redis://localhost:6379/0, not {shown(url)}")
    if not url.strip():
        raise ConfigError("url must be a text such as redis://localhost:6379/0, not an empty one")


def _checked_node(node: object) -> str:
    return new_node_name() if node is None else check_name(node, "node")


def check_report(report: object) -> None:
    """Refuse what can't be called with a death.

    Raises:
        ConfigError: it can't be called, or is an ``async def``, which nobody would await.
    """
    if report is not None and not callable(report):
        raise ConfigError(f"report is a callable that takes a JobDied, got {shown(report)}")
    if is_async(report):
        raise ConfigError("report is called in a thread of its own: give a plain function, not an async one")
