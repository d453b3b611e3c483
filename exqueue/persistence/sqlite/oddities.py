"""The rows and indexes of a file: of which types they are, whose call numbers and signs of life stand there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from exqueue.persistence.inspection.bounds import MOST_NUMBER, is_number
from exqueue.persistence.inspection.remedies import Own, blame
from exqueue.persistence.sqlite.failures import damaged
from exqueue.persistence.sqlite.file import SCHEMA
from exqueue.persistence.values import CALLER_KEPT_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue.persistence.inspection.remedies import Fault
    from exqueue.persistence.sqlite.connection import Step

MOST_LEASE_S: Final = 366 * 86_400.0
"""No sign of life is for longer."""

MOST_COMPLAINTS: Final = 1_000
MOST_SHOWN: Final = 60

INDEXES: Final = {
    found[1]: statement for statement in SCHEMA if (found := re.match(r"CREATE INDEX (\w+)", statement)) is not None
}
_OF_AN_INDEX: Final = re.compile(r"(?:missing from index|in index|entry in) (\w+)")
_OF_A_VALUE: Final = re.compile(r"value in |^NULL value")

# By table: the columns that say where a row belongs, and those whose type matters.
_TYPES: Final = {"INTEGER": "integer", "REAL": "real", "TEXT": "text", "BLOB": "blob"}
_COLUMN: Final = re.compile(r"^  (\w+) (INTEGER|REAL|TEXT|BLOB)\b(.*NOT NULL|.*PRIMARY KEY)?", re.MULTILINE)
_ROW_OF: Final = {
    "jobs": ("queue", "id"),
    "queues": ("key", "name"),
    "callers": ("queue", "caller"),
    "locks": ("namespace", "namespace"),
    "nodes": ("namespace", "node"),
}
_FITS: Final = {"integer": ("integer",), "real": ("real", "integer"), "text": ("text",), "blob": ("blob",)}
COLUMNS: Final = {
    found[1]: _COLUMN.findall(statement)
    for statement in SCHEMA
    if (found := re.search(r"CREATE TABLE (\w+)", statement)) is not None
}
"""By table: each column, its type, and whether it always has a value (else empty)."""
_NAMES: Final = frozenset({"namespace", "name", "id", "caller", "node", "key", "queue"})
"""What names a row is never changed."""

ADOPTED: Final = """
    INSERT OR IGNORE INTO queues (key, namespace, name, known, ready, waiting, running, dead)
    SELECT ?, ?, ?, 1, total(state < 3), total(state = 3), total(state = 5), total(state = 4) FROM jobs WHERE queue = ?
"""


class Rows:
    """The rows of one namespace. `walk` first: the rest tells what it has found."""

    def __init__(self, step: Step, path: str) -> None:
        self._step = step
        self._path = path
        self.unfit: set[int] = set()
        """The keys of queues that can't be looked into."""
        self.has_sound_lock = True
        """Whether the row of the lock is of the right types."""

    def walk(self) -> Iterator[Fault]:
        """Look at the file as a whole, then at what is of no job."""
        yield from self._of_indexes()
        yield from self._of_types()
        yield from self._of_no_queue()
        yield from self._of_callers()
        yield from self._of_beats()
        yield from self._of_renewals()

    def _ask(self, sql: str, *values: object) -> list[Any]:
        return self._step.db.execute(sql, values).fetchall()

    def _of_indexes(self) -> Iterator[Fault]:
        there = {name for (name,) in self._ask("SELECT name FROM sqlite_schema WHERE type = 'index'")}
        for name in sorted(set(INDEXES) - there):
            said = f"the file has no index {name}: what is asked of its queues is refused"
            yield blame(None)(
                "wrong_index",
                said,
                "makes it",
                Own("make", (INDEXES[name].replace("INDEX", "INDEX IF NOT EXISTS", 1),)),
            )
        wrong: set[str] = set()
        for (complaint,) in self._ask(f"PRAGMA integrity_check({MOST_COMPLAINTS})"):
            index = _OF_AN_INDEX.search(complaint)
            if index is not None and index[1] in INDEXES:
                wrong.add(index[1])
            elif complaint != "ok" and not _OF_A_VALUE.search(complaint):
                raise damaged(self._path, complaint)
        for name in sorted(wrong):
            said = f"the index {name} of the file does not agree with its table: jobs may be passed over"
            yield blame(None)("wrong_index", said, "makes it anew", Own("remake", (f"REINDEX {name}",)))

    def _of_types(self) -> Iterator[Fault]:
        """Tables that are strict hold nothing else than they should; one that somebody made anew may not be."""
        strict = {row[1]: row[5] for row in self._ask("PRAGMA table_list")}
        names = dict(self._ask("SELECT key, name FROM queues"))
        for table, (owner, row_name) in _ROW_OF.items():
            if strict.get(table):
                continue
            # As Exqueue declares them: whoever made the table anew may have left that out.
            there = {name for (name,) in self._ask("SELECT name FROM pragma_table_info(?)", table)}
            for column, declared, is_needed in COLUMNS[table]:
                if column in there - _NAMES:
                    about = (owner, row_name, column, _TYPES[declared])
                    yield from self._of_column(table, about, names, is_needed=bool(is_needed))

    def _of_column(
        self, table: str, about: tuple[str, str, str, str], names: dict[int, str], *, is_needed: bool
    ) -> Iterator[Fault]:
        owner, row_name, column, kind = about
        fits = (*_FITS[kind], *(() if is_needed else ("null",)))
        asked = (
            f"SELECT {owner}, {row_name}, typeof({column}) FROM {table} "  # noqa: S608 - names out of the schema
            f"WHERE typeof({column}) NOT IN ({', '.join('?' for _ in fits)})"
        )
        for of, name, found in self._ask(asked, *fits):
            queue = names.get(of) if table in {"jobs", "queues", "callers"} else None
            if table in {"jobs", "queues"}:
                self.unfit.add(of)
            self.has_sound_lock &= table != "locks"
            # A state that is none is for `no_place` to mend: 0 would run again what was dead.
            value = "-1" if column == "state" else f"CAST(coalesce({column}, '') AS {kind})"
            cast = f"UPDATE {table} SET {column} = {value} WHERE {owner} = ? AND {row_name} = ?"  # noqa: S608
            yield blame(queue, name if table == "jobs" else None)(
                "foreign_type",
                f"{table}.{column} of {name!a} is a {found}, and Exqueue keeps a {kind} there",
                f"makes a {kind} of it: of bytes the same, of a number that is none 0, of a state none",
                Own("cast", (cast, of, name)),
            )

    def _of_no_queue(self) -> Iterator[Fault]:
        asked = "SELECT queue, count(*) FROM jobs WHERE queue NOT IN (SELECT key FROM queues) GROUP BY queue"
        for key, count in self._ask(asked):
            name = f"found-{key}"
            said = f"{count:,} jobs are of a queue of key {key}, which is not there: they would never run"
            adopt = Own("adopt", (ADOPTED, key, self._step.namespace, name, key))
            yield blame(name)("jobs_of_no_queue", said, f"makes a queue {name} of them, paused by nobody", adopt)

    def _of_callers(self) -> Iterator[Fault]:
        asked = "SELECT queue, caller FROM callers WHERE queue NOT IN (SELECT key FROM queues)"
        for key, caller in self._ask(asked):
            said = f"the last call of caller {caller!a} is of a queue of key {key}, which is not there"
            sql = "DELETE FROM callers WHERE queue = ? AND caller = ? AND queue NOT IN (SELECT key FROM queues)"
            remedy = Own("forget", (sql, key, caller))
            yield blame(None)("caller_of_nobody", said, "forgets the caller", remedy)
        asked = (
            "SELECT queues.name, queue, caller, n, reply, until FROM callers JOIN queues ON key = queue "
            "WHERE namespace = ? AND typeof(n) = 'integer' AND typeof(reply) = 'text' AND typeof(until) = 'real'"
        )
        for queue, key, caller, n, reply, until in self._ask(asked, self._step.namespace):
            if not is_number(n):
                said = f"the last call of caller {caller!a} is {n}, which no caller was given: it is refused"
                yield blame(queue)("unreadable_caller", said, "forgets the caller", _forget(key, caller, reply))
            elif not _is_reply(reply):
                said = f"what caller {caller!a} was answered is {reply[:MOST_SHOWN]!a}: it can't be answered again"
                yield blame(queue)("unreadable_caller", said, "forgets the caller", _forget(key, caller, reply))
            elif until > self._step.now + 2 * CALLER_KEPT_S:
                said = f"the last call of caller {caller!a} is kept for ever, and is to be for an hour"
                sql = "UPDATE callers SET until = ? WHERE queue = ? AND caller = ? AND until = ?"
                hour = Own("limit", (sql, self._step.now + CALLER_KEPT_S, key, caller, until))
                yield blame(queue)("endless_caller", said, "keeps it for an hour", hour)

    def _of_beats(self) -> Iterator[Fault]:
        asked = (
            "SELECT node, until FROM nodes WHERE namespace = ? AND boot = ? AND typeof(until) = 'real' AND until > ?"
        )
        latest = self._step.lease_now + MOST_LEASE_S
        for node, until in self._ask(asked, self._step.namespace, self._step.boot, latest):
            said = f"the sign of life of node {node!a} never ends: the node would be shown for ever"
            sql = "DELETE FROM nodes WHERE namespace = ? AND node = ? AND until = ?"
            remedy = Own("forget", (sql, self._step.namespace, node, until))
            yield blame(None)("endless_beat", said, "removes it", remedy)

    def _of_renewals(self) -> Iterator[Fault]:
        asked = "SELECT renewals FROM locks WHERE namespace = ? AND renewals NOT BETWEEN 0 AND ?"
        for (renewals,) in self._ask(asked, self._step.namespace, MOST_NUMBER):
            said = f"the lease was renewed {renewals} times, which it never was: no node can lead"
            sql = "UPDATE locks SET renewals = 0 WHERE namespace = ? AND renewals = ?"
            remedy = Own("reset", (sql, self._step.namespace, renewals))
            yield blame(None)("unreadable_lease", said, "counts them anew", remedy)


def _forget(key: int, caller: str, reply: str) -> Own:
    return Own("forget", ("DELETE FROM callers WHERE queue = ? AND caller = ? AND reply = ?", key, caller, reply))


def _is_reply(kept: str) -> bool:
    """Whether a caller can be answered so again."""
    try:
        reply = json.loads(kept)
    except (ValueError, RecursionError):
        return False
    texts = reply if isinstance(reply, list) else [reply or ""]
    return all(isinstance(text, str) for text in texts)
