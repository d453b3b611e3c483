"""How supervisors let subscribers know of restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.actors.tables import subscribers_table
from exqueue.messages import ActorRestarted

if TYPE_CHECKING:
    from exqueue.supervision import Supervisor


def tell_restarted(supervisor: Supervisor, node: str, path: str, reason: str) -> None:
    """Tell the Reporter that ``path`` was started again, if anybody listens."""
    if not subscribers_table(supervisor.board):
        return
    role, _ = supervisor.board.table("tree").get(path, ("", ""))
    event = ActorRestarted(
        name=path,
        role=role,
        node=node,
        restarts=supervisor.board.table("restarts").get(path, 0),
        reason=reason,
        at=supervisor.clock.time(),
    )
    supervisor.tell("reporter", event)
