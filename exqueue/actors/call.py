"""An exchange under way, as a Fetcher keeps it until it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from exqueue.actors.tables import RunKey
    from exqueue.persistence.values import Leave, Settlement


class Call(NamedTuple):
    """One exchange under way: the same arguments under the same number until it is answered."""

    number: int
    settlements: tuple[tuple[RunKey, Settlement], ...]
    want: int
    leave: Leave
