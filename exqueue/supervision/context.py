"""Where an actor lives, and what it does there right now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exqueue.supervision.board import Board
from exqueue.supervision.names import Names
from exqueue.supervision.runtime import Runtime, ThreadRuntime

if TYPE_CHECKING:
    from exqueue.supervision.beginnings import Info
    from exqueue.supervision.exits import Exit
    from exqueue.supervision.reply import Reply


class Vitals:
    """What one actor does right now. Written by the actor, but for ``is_replaced``, which its supervisor writes.

    ``doing``: a word for people; ``busy_since``: monotonic seconds since when it handles a message, ``None`` when it
    waits; ``in_user_code``: the user's code runs, for as long as it likes; ``is_replaced``: another actor has taken its
    place, so what it still does must have no effect; ``exit``: how it ended; ``has_ended``: its end is told, and its
    thread does nothing more.
    """

    __slots__ = ("busy_since", "doing", "exit", "has_ended", "in_user_code", "is_replaced")

    def __init__(self) -> None:
        self.doing = ""
        self.busy_since: float | None = None
        self.in_user_code = False
        self.is_replaced = False
        self.exit: Exit | None = None
        self.has_ended = False


@dataclass(frozen=True, slots=True)
class ActorContext:
    """Where an actor lives. Made by its supervisor for each start.

    Args:
        name: its path, by which others tell it things; ``""`` is the root's, ``None`` that of an actor outside a tree.
        runtime: threads and time.
        names: who answers to which name.
        board: the values that outlive actors.
        supervisor: the name that is told of its end.
        vitals: what it does, for whoever looks.
        started: answered when ``on_start`` is through with ``None``, or the `Info` that it returned; else with the
            `Exit` that it caused.
    """

    name: str | None = None
    runtime: Runtime = field(default_factory=ThreadRuntime)
    names: Names = field(default_factory=Names)
    board: Board = field(default_factory=Board)
    supervisor: str | None = None
    vitals: Vitals = field(default_factory=Vitals)
    started: Reply[Exit | Info | None] | None = None
