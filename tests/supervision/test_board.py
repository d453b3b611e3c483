"""The board's tables and counters."""

import threading

from exqueue.supervision import Board
from tests.supervision.tree import DEADLINE_S


def test_a_table_is_made_once_and_keeps_what_is_written() -> None:
    """Everyone who asks for a name gets the same table."""
    board = Board()
    board.table("runs")["a"] = 1
    assert board.table("runs") is board.table("runs")
    assert dict(board.table("runs")) == {"a": 1}
    assert board.table("others") == {}
    assert board.tables() == ("runs", "others")


def test_numbers_only_grow_each_name_for_itself() -> None:
    """They start with 1."""
    board = Board()
    assert [board.next_number("seat") for _ in range(3)] == [1, 2, 3]
    assert board.next_number("call") == 1


def test_threads_that_ask_at_once_get_one_table_and_different_numbers() -> None:
    """Both are single steps."""
    board = Board()
    go = threading.Barrier(4)
    tables: list[int] = []
    numbers: list[int] = []

    def ask() -> None:
        go.wait(DEADLINE_S)
        tables.append(id(board.table("t")))
        numbers.extend(board.next_number("n") for _ in range(100))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert len(set(tables)) == 1
    assert sorted(numbers) == list(range(1, 401))
