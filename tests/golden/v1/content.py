"""What was stored in the first format: the arguments of jobs, their trails, and a store with a job in each state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from exqueue.persistence.values import Bury, Done, Fence, GiveBack, Leave, Mark, NewJob, Push, Recovered, Retry
from exqueue.record import JobError, Trail, encode_record, encode_trail

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.codec import Codec
    from exqueue.persistence.base import Session
    from exqueue.persistence.values import Fetched

NAMESPACE: Final = "golden"
JOB: Final = "Mail"
ENQUEUED_AT: Final = 1_700_000_000.25
FENCE: Final = Fence(1, "6f2a90c4d1b7e358")
NODE: Final = "node-1"
HOUR_S: Final = 3_600.0


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Address:
    city: str
    colour: Colour = Colour.RED


@dataclass
class Order:
    to: Address
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Money:
    amount: int


@dataclass(frozen=True)
class Gone:
    """Known where it was enqueued, and nowhere else."""

    why: str


def learn(codec: Codec) -> None:
    """Register what every node knows."""
    codec.register(Colour, "golden:Colour")
    codec.register(Address, "golden:Address")
    codec.register(Order, "golden:Order")
    codec.register(Money, "golden:Money", lambda money: {"amount": money.amount}, lambda plain: Money(plain["amount"]))


def learn_gone(codec: Codec) -> None:
    """Register what only the node that enqueued knows."""
    codec.register(Gone, "golden:Gone")


ARGUMENTS: Final[dict[str, dict[str, Any]]] = {
    "none": {},
    "plain": {"to": "ann", "count": 3, "cc": ["bob", "carl"], "urgent": True, "note": None, "nested": {"a": {"b": []}}},
    "numbers": {
        "small": -1,
        "words": [2**31, 2**63, 2**64 - 1, -(2**63)],
        "big": [2**64, -(2**63) - 1, 2**200],
        "floats": [0.1, -0.0, 1e300],
        "decimals": [Decimal("9.90"), Decimal("1E-999"), Decimal("-Infinity")],
        "complex": complex(1, -2),
    },
    "texts": {"text": "Grüße 🎉 \x00", "bytes": b"\x00\xff", "long": "x" * 300},
    "moments": {
        "naive": datetime(2026, 11, 1, 12, 30, 15, 123456),  # noqa: DTZ001 - a naive one is what is stored
        "utc": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "offset": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-3, minutes=-30), "NST")),
        "zone": datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Paris"), fold=1),
        "date": date(2026, 2, 28),
        "times": [time(23, 59, 59, 999999), time(1, tzinfo=UTC)],
        "spans": [timedelta(days=-1, microseconds=1), timedelta.max],
    },
    "containers": {"tuple": (1, ("a", [2])), "set": {1, "a", (2, 3)}, "frozen": frozenset({frozenset({1})})},
    "names": {"id": UUID(int=7), "posix": PurePosixPath("a/../b"), "windows": PureWindowsPath("C:\\a")},
    "registered": {"order": Order(Address("Ulm"), ["tea"]), "all": {Address("Bonn"), Colour.RED}, "price": Money(3)},
}
GONE: Final[dict[str, Any]] = {"it": Gone("moved"), "all": [{"in": (Gone("a"), 1)}]}
"""Of the record ``gone``: a node without the type lists and moves it, and changes none of its bytes."""

_ERRORS: Final = tuple(
    JobError("builtins.ValueError", f"no such person {n}", "Traceback ...\n", ENQUEUED_AT + n, NODE) for n in range(3)
)
TRAILS: Final[dict[str, Trail]] = {
    "failed once": Trail(1, _ERRORS[:1]),
    "buried": Trail(26, _ERRORS, buried=True, reason="it failed 26 times: all of its retries are used up"),
    "postponed": Trail(),
}


def records(codec: Codec, job: str = JOB) -> dict[str, bytes]:
    """Every record by its name, of jobs of that class. ``codec``: one that has learnt everything."""
    known = {name: encode_record(job, kwargs, ENQUEUED_AT, codec) for name, kwargs in ARGUMENTS.items()}
    return known | {"gone": encode_record(job, GONE, ENQUEUED_AT, codec)}


def trails() -> dict[str, bytes]:
    """Every trail by its name."""
    return {name: encode_trail(trail) for name, trail in TRAILS.items()}


def fill(session: Session, codec: Codec, pass_time: Callable[[float], None]) -> None:
    """A queue with jobs in every state and line, a serial one that holds on to its head, and a paused one."""
    assert session.acquire(NODE, FENCE.token, 10 * HOUR_S, 0) == FENCE
    session.beat(NODE, b"about the node", 10 * HOUR_S)
    _Queue(session, codec, "Mail").fill_every_line(pass_time)
    _Queue(session, codec, "Serial").fill_serially()
    paused = _Queue(session, codec, "Paused")
    paused.push("paused-1")
    session.set_paused("Paused", "caller-2", 1, True)


class _Queue:
    """Its owner and its producer."""

    def __init__(self, session: Session, codec: Codec, name: str) -> None:
        self._session = session
        self._records = records(codec, name)
        self._name = name
        self._n = 0
        self._call = 0
        session.claim(name, FENCE, 1)

    def push(self, *ids: str, delay: float = 0.0) -> None:
        """Store jobs, whose records take turns."""
        self._n += 1
        names = list(ARGUMENTS)
        jobs = tuple(NewJob(at, self._records[names[n % len(names)]], delay) for n, at in enumerate(ids, self._n))
        assert self._session.push("caller-1", [Push(self._name, self._n, jobs)]) == (None,)

    def exchange(self, *ends: Any, want: int = 0, serial: bool = False, suspect: bool = False) -> tuple[Fetched, ...]:
        """The next call."""
        self._call += 1
        said = self._session.exchange(self._name, FENCE, 1, self._call, ends, want, serial=serial, leave=Leave(suspect))
        return said.jobs

    def fill_every_line(self, pass_time: Callable[[float], None]) -> None:
        """Waiting, dead (reported and not), returned, suspect, running, done, cancelled, ready and scheduled."""
        stored = trails()
        self.push(*(f"mail-{n}" for n in range(1, 8)))
        retried, dead, reported, back, lost, _, done = self.exchange(want=7)
        self.exchange(
            Retry(retried.id, retried.run, 16.0, stored["failed once"]),
            Bury(dead.id, dead.run, stored["buried"]),
            Bury(reported.id, reported.run, stored["buried"]),
            GiveBack(back.id, back.run),
            Recovered(lost.id, lost.run),
            Done(done.id, done.run),
        )
        self._session.reported(self._name, [Mark(reported.id, reported.run)])
        pass_time(HOUR_S)
        # `back` and the one that was retried come again, too; only what is lost twice is a suspect.
        again = self.exchange(want=3)
        ends = [Recovered(job.id, job.run) if job.id == lost.id else GiveBack(job.id, job.run) for job in again]
        self.exchange(*ends)
        self.push("mail-8", "mail-9", "größe|10")
        assert self._session.cancel(self._name, "caller-2", 1, "mail-8") == "ready"
        self.push("mail-11", delay=2 * HOUR_S)
        # The first of them runs again; a second settlement of a run that is over is refused, which is kept.
        self.exchange(Done(done.id, done.run), want=1)

    def fill_serially(self) -> None:
        """Its head failed and waits, and what is ready waits for it."""
        self.push("serial-1", "serial-2")
        (head,) = self.exchange(want=5, serial=True)
        self.exchange(Retry(head.id, head.run, HOUR_S, trails()["failed once"]), serial=True)
