"""The tree, as data: every actor with its restart type, its shutdown time, and its supervisor's strategy.

    ExqueueSystem                   root, one_for_one, 5 restarts in 60 s
    |-- courier                     calls report=, if one is given
    |-- reporter                    the log and the events
    |-- producer                    stores jobs
    |-- operator                    what people ask
    |-- listener                    wake-ups, sweeps, signs of life
    |-- leader                      the lock
    `-- queues                      one_for_one, 5 restarts in 60 s; its children are started by StartWorker
        `-- <queue>                 one_for_one, 20 restarts in 60 s; past that parked, back after 1, 2, 4 .. 60 s
            |-- fetcher             owns the queue
            `-- worker-1 .. n       one a slot

Started from top to bottom, stopped from bottom to top.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from exqueue.actors.courier import Courier
from exqueue.actors.fetcher import Fetcher
from exqueue.actors.leader import Leader
from exqueue.actors.listener import Listener
from exqueue.actors.operator import Operator
from exqueue.actors.producer import Producer
from exqueue.actors.queue_supervisor import QueueSupervisor
from exqueue.actors.queues import Queues
from exqueue.actors.reporter import Reporter
from exqueue.actors.worker import Worker
from exqueue.supervision import Backoff, ChildSpec, Intensity, Restart, Strategy

if TYPE_CHECKING:
    from exqueue.actors.settings import NodeSettings

ROOT_STRATEGY = Strategy.ONE_FOR_ONE
ROOT_INTENSITY = Intensity(restarts=5, period_s=60.0)
QUEUE_STRATEGY = Strategy.ONE_FOR_ONE
QUEUE_INTENSITY = Intensity(restarts=20, period_s=60.0)
QUEUE_BACKOFF = Backoff(first_s=1.0, cap_s=60.0)

ONE_VERB_S = 6.0
"""How long an actor may take to stop that is in a call of the persistence."""


def root_children(settings: NodeSettings) -> tuple[ChildSpec, ...]:
    """The children of the root, in the order in which they are started."""
    own = {"settings": settings}
    # Before the Reporter, so that it ends after it and what that says last is delivered too.
    courier = (
        ()
        if settings.report is None
        else (ChildSpec("courier", Courier, own, Restart.PERMANENT, shutdown_s=ONE_VERB_S),)
    )
    return (
        *courier,
        ChildSpec("reporter", Reporter, own, Restart.PERMANENT, shutdown_s=ONE_VERB_S),
        ChildSpec("producer", Producer, own, Restart.PERMANENT, shutdown_s=ONE_VERB_S),
        ChildSpec("operator", Operator, own, Restart.PERMANENT, shutdown_s=ONE_VERB_S),
        ChildSpec("listener", Listener, own, Restart.PERMANENT, shutdown_s=2 * ONE_VERB_S),
        ChildSpec("leader", Leader, own, Restart.PERMANENT, shutdown_s=ONE_VERB_S),
        ChildSpec(
            "queues",
            Queues,
            {**own, "queue_spec": queue, "strategy": ROOT_STRATEGY, "intensity": ROOT_INTENSITY},
            Restart.PERMANENT,
            shutdown_s=math.inf,
        ),
    )


def queue(settings: NodeSettings, name: str) -> ChildSpec:
    """The supervisor of one queue; its failures never take Queues down."""
    return ChildSpec(
        id=name,
        actor=QueueSupervisor,
        kwargs={
            "settings": settings,
            "queue": name,
            "fetcher_spec": fetcher,
            "worker_spec": worker,
            "strategy": QUEUE_STRATEGY,
            "intensity": QUEUE_INTENSITY,
        },
        restart=Restart.PERMANENT,
        shutdown_s=math.inf,
        backoff=QUEUE_BACKOFF,
    )


def fetcher(settings: NodeSettings, queue_name: str) -> ChildSpec:
    """The owner of one queue."""
    own = {"settings": settings, "queue": queue_name}
    return ChildSpec("fetcher", Fetcher, own, Restart.PERMANENT, shutdown_s=ONE_VERB_S)


def worker(settings: NodeSettings, queue_name: str, number: int) -> ChildSpec:
    """One slot of a queue. One that runs a job is abandoned at once: the stop of the system has waited before."""
    return ChildSpec(
        id=f"worker-{number}",
        actor=Worker,
        kwargs={"settings": settings, "queue": queue_name},
        restart=Restart.TRANSIENT,
        shutdown_s=0.0,
    )
