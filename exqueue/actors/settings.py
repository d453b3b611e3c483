"""What every actor of a system is given at its start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.codec import Codec
    from exqueue.config import SystemConfig
    from exqueue.messages import JobDied
    from exqueue.persistence.base import Persistence

VERB_TIMEOUT_S = 5.0
"""How long one call of the persistence may take, but for those of the lock (a quarter of its time-to-live)."""


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """The same for the life of a system; no actor changes it.

    ``token``: drawn once, at the start of the system, so that a restarted Leader goes on under its own fence.
    ``report``: what is called with each death, see `exqueue.actors.courier`.
    """

    config: SystemConfig
    persistence: Persistence
    codec: Codec
    token: str
    report: Callable[[JobDied], object] | None = None
