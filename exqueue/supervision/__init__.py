"""Supervision in the manner of OTP, on pykka's actors. Knows nothing of what its actors are for."""

from exqueue.supervision.actor import DEFERRED, Actor, GiveUp
from exqueue.supervision.beginnings import IGNORE, Beginning, Info
from exqueue.supervision.board import Board, Table
from exqueue.supervision.child_spec import Backoff, ChildSpec, Intensity, Restart, Strategy
from exqueue.supervision.commands import (
    ChildCounts,
    ChildInfo,
    CountChildren,
    DeleteChild,
    RestartChild,
    StartChild,
    Started,
    TerminateChild,
    WhichChild,
    WhichChildren,
)
from exqueue.supervision.context import ActorContext, Vitals
from exqueue.supervision.exits import Exit
from exqueue.supervision.inbox import Envelope
from exqueue.supervision.inside import is_inside
from exqueue.supervision.log import SafeLogger, safe_logger
from exqueue.supervision.names import Names
from exqueue.supervision.reply import Reply
from exqueue.supervision.reports import Occasion, Offender, Report
from exqueue.supervision.runtime import Runtime, ThreadRuntime
from exqueue.supervision.signals import Crash, Down, Stop
from exqueue.supervision.supervisor import CheckChildren, Supervisor
from exqueue.supervision.tree import Tree

__all__ = [
    "DEFERRED",
    "IGNORE",
    "Actor",
    "ActorContext",
    "Backoff",
    "Beginning",
    "Board",
    "CheckChildren",
    "ChildCounts",
    "ChildInfo",
    "ChildSpec",
    "CountChildren",
    "Crash",
    "DeleteChild",
    "Down",
    "Envelope",
    "Exit",
    "GiveUp",
    "Info",
    "Intensity",
    "Names",
    "Occasion",
    "Offender",
    "Reply",
    "Report",
    "Restart",
    "RestartChild",
    "Runtime",
    "SafeLogger",
    "StartChild",
    "Started",
    "Stop",
    "Strategy",
    "Supervisor",
    "Table",
    "TerminateChild",
    "ThreadRuntime",
    "Tree",
    "Vitals",
    "WhichChild",
    "WhichChildren",
    "is_inside",
    "safe_logger",
]
