"""What looks at many queues lets the server serve others in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from exqueue.persistence.redis import connection
from exqueue.persistence.redis.verbs import QUEUES_A_SCRIPT
from exqueue.persistence.values import Fence, NewJob, Owned, Push

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.redis.session import RedisSession

FENCE = Fence(1, "token")
QUEUES = [f"queue-{n}" for n in range(2 * QUEUES_A_SCRIPT + 1)]

LOOKS: dict[str, Callable[[RedisSession], object]] = {
    "sweep": lambda session: session.sweep([Owned(name, FENCE, 1, 0) for name in QUEUES]),
    "overview": lambda session: session.overview(QUEUES),
}


@pytest.mark.parametrize("verb", LOOKS)
def test_a_look_at_many_queues_is_many_scripts_in_one_round_trip(
    session: RedisSession, loaded: None, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of them blocks the server for long, and waiting for each would take long."""
    session.queues()
    trips: list[int] = []
    talk = connection.Wire.talk

    def note(wire: connection.Wire, commands: Any) -> Any:
        trips.append(len(commands))
        return talk(wire, commands)

    monkeypatch.setattr(connection.Wire, "talk", note)
    LOOKS[verb](session)
    assert trips == [3]


def test_a_sweep_tells_of_each_queue_in_the_order_asked_for(session: RedisSession) -> None:
    """Also across the pieces in which they are looked at."""
    assert session.sweep(()) == ()
    for name in QUEUES[1:]:
        session.claim(name, FENCE, 1)
    session.push("me", [Push(QUEUES[-1], 1, (NewJob("1", b"record"),))])
    verdicts = session.sweep([Owned(name, FENCE, 1, 0) for name in QUEUES])
    assert verdicts == ("stale", *["fine"] * (len(QUEUES) - 2), "due")
