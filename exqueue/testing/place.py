"""What the parts of a stand-in without threads share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exqueue.actors.register import Register
from exqueue.actors.settings import NodeSettings
from exqueue.codec import default_codec
from exqueue.config import SystemConfig
from exqueue.persistence.memory import MemoryPersistence
from exqueue.supervision import ActorContext, ThreadRuntime
from exqueue.testing.listeners import Listeners

if TYPE_CHECKING:
    from exqueue.persistence.memory.session import MemorySession
    from exqueue.testing.clock import MovableClock


@dataclass(frozen=True, slots=True)
class Place:
    """A node without actors, and its own store in memory, which goes by the same clock.

    ``register``: the job classes that can be run. ``listeners``: who hears of what happens.
    """

    clock: MovableClock
    settings: NodeSettings
    context: ActorContext
    session: MemorySession
    register: Register
    listeners: Listeners


def new_place(clock: MovableClock) -> Place:
    """An empty one."""
    config = SystemConfig("memory://", node="test")
    persistence = MemoryPersistence(clock=clock.time)
    runtime = ThreadRuntime(clock)
    context = ActorContext(name="", runtime=runtime)
    settings = NodeSettings(config, persistence, default_codec(), runtime.token(8).hex())
    session = persistence.session(timeout=0.0)
    return Place(clock, settings, context, session, Register(context.board), Listeners(context.board))
