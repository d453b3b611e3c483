"""Making an actor fail on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.actors.tables import ROOT
from exqueue.supervision import Crash, Envelope

if TYPE_CHECKING:
    from exqueue.system_ref import SystemRef


def crash(system: SystemRef, path: str) -> None:
    """Make the actor of this path raise in its next message, so that its supervisor starts it again.

    A busy Worker raises when its present job has ended.

    Args:
        system: a started system of this process.
        path: as in `ActorInfo.name`: ``leader``, ``queues/mail/fetcher``, ``queues/mail/worker-1``; of the root
            ``system``, after whose crash there is nobody to start it again.

    Raises:
        LookupError: no actor answers to this path.
    """
    if not system.send_to(ROOT if path == "system" else path, Envelope(Crash(f"exqueue.testing.crash({path!r})"))):
        raise LookupError(f"no actor answers to {path!r}; GetTree() shows which do")
