"""How a system is started: its settings, its persistence, and the tree upon it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from exqueue.actors import topology
from exqueue.actors.protocol import StopSystem
from exqueue.actors.root import ExqueueRoot
from exqueue.actors.settings import NodeSettings
from exqueue.codec import default_codec
from exqueue.config import SystemConfig, check_report, new_node_name, url_of_environment
from exqueue.errors import ConfigError, SystemStopped
from exqueue.persistence.urls import open_persistence
from exqueue.supervision import ActorContext, Board, Envelope, Exit, Names, ThreadRuntime
from exqueue.system_ref import SystemRef

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.messages import JobDied
    from exqueue.persistence.base import Persistence
    from exqueue.supervision import Runtime


class ExqueueSystem:
    """A node of Exqueue inside this process. `start` is the only way to one."""

    @staticmethod
    def start(  # noqa: PLR0913 - each has a default, and is given by its name
        url: str | None = None,
        *,
        namespace: str = "default",
        node: str | None = None,
        lock_ttl: float = 10.0,
        shutdown_timeout: float = 25.0,
        ask_timeout: float = 10.0,
        max_payload: int = 1_048_576,
        max_abandoned: int = 10,
        report: Callable[[JobDied], object] | None = None,
    ) -> SystemRef:
        """Start a system; it connects by itself, now or when the persistence answers.

        Args:
            url: of the persistence; ``None`` takes ``$EXQUEUE_URL``, and without that `exqueue.config.DEFAULT_URL`.
            namespace: see `exqueue.config.SystemConfig`, as for the following.
            node: the name of this node, for people; ``None``: a new one.
            lock_ttl: seconds.
            shutdown_timeout: seconds.
            ask_timeout: seconds.
            max_payload: bytes.
            max_abandoned: threads.
            report: called with each `JobDied` once, after its ERROR is in the log, one at a time in a thread of its
                own: what it raises, or for how long it hangs, costs no line, no event and no job. Behind by
                `exqueue.actors.courier.MOST_REPORTS` deaths it misses the next, and with a killed node those that it
                was not given yet. See `exqueue.contrib.sentry` and `exqueue.contrib.honeybadger`.

        Raises:
            ConfigError: something is not allowed; the message says what is.
        """
        config = SystemConfig(
            url_of_environment() if url is None else url,
            namespace=namespace,
            node=new_node_name() if node is None else node,
            lock_ttl=lock_ttl,
            shutdown_timeout=shutdown_timeout,
            ask_timeout=ask_timeout,
            max_payload=max_payload,
            max_abandoned=max_abandoned,
        )
        check_report(report)
        try:
            persistence = open_persistence(config.url, namespace=config.namespace)
        except ConfigError as error:
            if url is None and "EXQUEUE_URL" in os.environ:
                raise ConfigError(f"$EXQUEUE_URL is not allowed: {error}") from None
            raise
        return start_system(config, persistence, ThreadRuntime(), report)


def start_system(
    config: SystemConfig,
    persistence: Persistence,
    runtime: Runtime,
    report: Callable[[JobDied], object] | None = None,
) -> SystemRef:
    """Start the tree on this persistence and runtime.

    Raises:
        SystemStopped: an actor could not be started; the message says why.
    """
    settings = NodeSettings(config, persistence, default_codec(), runtime.token(8).hex(), report)
    context = ActorContext(name="", runtime=runtime, names=Names(), board=Board(), started=runtime.reply())
    context.names.expect("")
    try:
        root, task = ExqueueRoot.launch(
            context,
            settings=settings,
            children=topology.root_children(settings),
            strategy=topology.ROOT_STRATEGY,
            intensity=topology.ROOT_INTENSITY,
        )
        ref = SystemRef(root, task, context, settings)
        outcome = context.started.get(timeout=None) if context.started is not None else None
    except RuntimeError as no_thread:
        raise _not_started(persistence, runtime, str(no_thread)) from no_thread
    except BaseException:
        # An interrupt, while the tree is being started in its own thread: it is ended as soon as it stands.
        context.names.deliver("", Envelope(StopSystem(), kept=True))
        raise
    if isinstance(outcome, Exit):
        ref.stop()
        raise _not_started(persistence, runtime, outcome.error)
    return ref


def _not_started(persistence: Persistence, runtime: Runtime, why: str) -> SystemStopped:
    runtime.close()
    persistence.close()
    return SystemStopped(f"the system could not start: {why}")
