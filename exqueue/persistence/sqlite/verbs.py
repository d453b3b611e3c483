"""What the verbs of a session have in common: a connection, and the bounds of what they take."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.lending import Lender
    from exqueue.persistence.sqlite.connection import Step, Wire
    from exqueue.persistence.sqlite.file import StoreFile
    from exqueue.persistence.sqlite.presence import LifeSigns

T = TypeVar("T")


class Verbs:
    """The part of a session that all groups of verbs use.

    Args:
        lender: of its connection.
        file: where that leads to.
        namespace: of everything here.
        life: shows that whoever uses this lives.
    """

    def __init__(self, lender: Lender[Wire], file: StoreFile, namespace: str, life: LifeSigns) -> None:
        self._lender = lender
        self._file = file
        self._namespace = namespace
        self._life = life

    def _write(self, act: Callable[[Step], T], *, durable: bool = False, stores: bool = False) -> T:
        """One transaction; see `Wire.write`. What people and producers were promised is ``durable``.

        An exchange is not: what a power cut takes of it is done once more, which is the price of not waiting for the
        disk at every turn, and never lost, since the cut takes the last transactions only, in their order.
        """
        wire = self._lender.lend()
        try:
            return wire.write(act, durable=durable, stores=stores)
        finally:
            self._lender.take_back(wire)

    def _read(self, act: Callable[[Step], T]) -> T:
        wire = self._lender.lend()
        try:
            return wire.read(act)
        finally:
            self._lender.take_back(wire)

    def close(self) -> None:
        """See `Session.close`."""
        self._lender.close()
