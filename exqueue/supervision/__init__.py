"""Supervision in the manner of OTP, on pykka's actors. Knows nothing of what its actors are for."""

from exqueue.supervision.actor import DEFERRED, Actor, ActorContext, GiveUp, Vitals
from exqueue.supervision.board import Board, Table
from exqueue.supervision.child_spec import Backoff, ChildSpec, Intensity, Restart, Strategy
from exqueue.supervision.exits import Exit
from exqueue.supervision.inbox import Envelope
from exqueue.supervision.log import SafeLogger, safe_logger
from exqueue.supervision.names import Names
from exqueue.supervision.reply import Reply
from exqueue.supervision.runtime import Runtime, ThreadRuntime
from exqueue.supervision.signals import Crash, Down, Stop
from exqueue.supervision.supervisor import CheckChildren, Supervisor

__all__ = [
    "DEFERRED",
    "Actor",
    "ActorContext",
    "Backoff",
    "Board",
    "CheckChildren",
    "ChildSpec",
    "Crash",
    "Down",
    "Envelope",
    "Exit",
    "GiveUp",
    "Intensity",
    "Names",
    "Reply",
    "Restart",
    "Runtime",
    "SafeLogger",
    "Stop",
    "Strategy",
    "Supervisor",
    "Table",
    "ThreadRuntime",
    "Vitals",
    "safe_logger",
]
