"""Jobs of a newer format in the status: as many as there are, and none any more when there are none."""

from exqueue.actors.newer import NewerRecords, sentences
from exqueue.execution import PUT_OFF_S
from exqueue.supervision import Board


class Clock:
    """Stands where it is put."""

    now = 100.0

    def monotonic(self) -> float:
        """Now."""
        return self.now

    time = boottime = monotonic


def test_the_count_is_that_of_the_last_whole_round() -> None:
    """While a round is under way the one before counts; jobs that came since count with it."""
    board, clock = Board(), Clock()
    newer = NewerRecords("q", board, clock)
    assert sentences(board, clock.now) == ()

    def told() -> int:
        (sentence,) = sentences(board, clock.now)
        assert sentence.startswith("queue q: jobs that wait for a newer Exqueue: ")
        return int(sentence.split("; ")[0].rpartition(" ")[2])

    assert [newer.met("why") for _ in range(5)] == [True, *[False] * 4]
    assert told() == 5
    clock.now += PUT_OFF_S + 0.1
    assert not newer.met("why")
    assert told() == 5
    for _ in range(6):
        newer.met("why")
    assert told() == 7
    clock.now += PUT_OFF_S + 0.1
    newer.met("why")
    clock.now += PUT_OFF_S + 0.1
    newer.met("another")
    assert (told(), sentences(board, clock.now)[0].endswith(": another")) == (1, True)
    clock.now += 2 * PUT_OFF_S
    assert sentences(board, clock.now) == ()
    assert newer.met("why")
