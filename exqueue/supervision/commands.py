"""What a supervisor may be asked to do to its children, and what it answers. Values only.

What a message needs is checked when it is made, in the thread of whoever makes it: the supervisor that got a wrong one
would crash of it, and the tree with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from exqueue.errors import ConfigError
from exqueue.supervision.child_spec import ChildSpec

Status = Literal["running", "restarting", "parked", "stopped"]
"""``restarting``: tried again as soon as other messages were handled; ``parked``: after a backoff; ``stopped``: ended,
or never begun, and does not come back by itself."""


@dataclass(frozen=True, slots=True)
class StartChild:
    """Add a child and start it; answered with `Started`.

    Raises:
        ConfigError: ``spec`` is no `ChildSpec`.

    Refused with:
        ChildRefused: there is one of this id, ``already started`` or, when it does not run, ``already present``.
        NotStarted: it could not be started; its spec is not kept.
    """

    spec: ChildSpec

    def __post_init__(self) -> None:
        if not isinstance(self.spec, ChildSpec):
            raise ConfigError(f"StartChild: spec is a ChildSpec, got {self.spec!r}")


@dataclass(frozen=True, slots=True)
class RestartChild:
    """Start a child that is stopped; answered with `Started`.

    Raises:
        ConfigError: ``id`` is no text; so of each message that names a child.

    Refused with:
        ChildRefused: ``running``, ``restarting`` or ``not found``.
        NotStarted: it could not be started; it stays stopped, and is not tried again.
    """

    id: str

    def __post_init__(self) -> None:
        _check_id(self)


@dataclass(frozen=True, slots=True)
class TerminateChild:
    """Stop a child, or its restart; answered with ``None``. Its spec stays, but for a temporary one's.

    Args:
        id: of the child, as in its `ChildSpec`.

    Refused with `ChildRefused`: ``not found``.
    """

    id: str

    def __post_init__(self) -> None:
        _check_id(self)


@dataclass(frozen=True, slots=True)
class DeleteChild:
    """Forget a child that is stopped; answered with ``None``.

    Args:
        id: of the child, as in its `ChildSpec`.

    Refused with `ChildRefused`: ``running``, ``restarting`` or ``not found``.
    """

    id: str

    def __post_init__(self) -> None:
        _check_id(self)


@dataclass(frozen=True, slots=True)
class WhichChildren:
    """Answered with a `ChildInfo` of each child, the newest first."""


@dataclass(frozen=True, slots=True)
class WhichChild:
    """Answered with the `ChildInfo` of this child. Refused with `ChildRefused`: ``not found``.

    Args:
        id: of the child, as in its `ChildSpec`.
    """

    id: str

    def __post_init__(self) -> None:
        _check_id(self)


@dataclass(frozen=True, slots=True)
class CountChildren:
    """Answered with `ChildCounts`."""


def _check_id(message: RestartChild | TerminateChild | DeleteChild | WhichChild) -> None:
    given: object = message.id
    if not isinstance(given, str):
        raise ConfigError(f"{type(message).__name__}: id is the text that names a child, got {given!r}")


@dataclass(frozen=True, slots=True)
class Started:
    """``urn``: of the actor that runs now, ``None`` when its start was ignored; ``info``: what its start said."""

    urn: str | None
    info: Any = None


@dataclass(frozen=True, slots=True)
class ChildInfo:
    """One child as it is now.

    Args:
        id: as in its `ChildSpec`.
        path: its name in the tree.
        role: the name of its class.
        status: ``running``, ``restarting`` or ``stopped``.
        urn: of the actor that runs, else ``None``.
        is_supervisor: whether it has children of its own.
    """

    id: str
    path: str
    role: str
    status: Status
    urn: str | None
    is_supervisor: bool


@dataclass(frozen=True, slots=True)
class ChildCounts:
    """How many children there are.

    Args:
        specs: at all.
        active: that really run.
        supervisors: of the specs, those of supervisors.
        workers: of the specs, the others.
    """

    specs: int
    active: int
    supervisors: int
    workers: int
