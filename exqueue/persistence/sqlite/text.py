"""Text of the file and back, also where somebody else wrote bytes that are no UTF-8.

Those stand in the text as lone surrogates, so that what was read can be asked for again, byte by byte.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from exqueue.ids import is_utf8

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

text_of: Final[Callable[[bytes], str]] = partial(str, encoding="utf-8", errors="surrogateescape")
"""Decodes what is stored as text; never raises."""


class TextConnection(sqlite3.Connection):
    """A connection whose parameters may be whatever `text_of` made: the module itself refuses lone surrogates."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """As in the base class; nothing but placeholders may be a question mark in ``sql``."""
        try:
            return super().execute(sql, parameters)
        except UnicodeEncodeError:
            return super().execute(_with_casts(sql, parameters), [_storable(value) for value in parameters])

    def executemany(self, sql: str, rows: Any, /) -> sqlite3.Cursor:
        """As `execute`, row by row where one of them needs it; the cursor is then that of the last."""
        rows = list(rows)
        if not any(_is_foreign(value) for row in rows for value in row):
            return super().executemany(sql, rows)
        cursor = self.cursor()
        for row in rows:
            cursor = self.execute(sql, row)
        return cursor


def _is_foreign(value: object) -> bool:
    return isinstance(value, str) and not is_utf8(value)


def _storable(value: object) -> object:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) and _is_foreign(value) else value


def _with_casts(sql: str, parameters: Sequence[object]) -> str:
    """The statement that makes text of those parameters that are bytes by now."""
    first, *rest = sql.split("?")
    marks = ("CAST(? AS TEXT)" if _is_foreign(value) else "?" for value in parameters)
    return first + "".join(mark + piece for mark, piece in zip(marks, rest, strict=True))
