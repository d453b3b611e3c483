"""A store in a file, broken in every way: each is found, explained and mended."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from exqueue.errors import Outage, StoreDamaged, StoreInUse
from exqueue.persistence.inspection.check import check, fsck
from exqueue.persistence.inspection.inspector import Inspectable
from exqueue.persistence.inspection.remedies import Put
from exqueue.persistence.sqlite import open_sqlite
from exqueue.persistence.values import Fence
from tests.persistence.fsck.shop import QUEUE, TIMEOUT_S, Found, assert_mended, found, record, records_of

if TYPE_CHECKING:
    from tests.persistence.fsck.conftest import FileShop

GARBAGE = b"\x01 somebody else was here"

BROKEN: list[tuple[str, str, set[Found]]] = [
    (
        "no state",
        "UPDATE jobs SET state = 9 WHERE id = 'ready2'",
        {("no_place", QUEUE, "ready2"), ("wrong_count", QUEUE, None)},
    ),
    (
        "dead in no state",
        "UPDATE jobs SET state = -1 WHERE id = 'dead1'",
        {("no_place", QUEUE, "dead1"), ("wrong_count", QUEUE, None)},
    ),
    ("no trail", "UPDATE jobs SET trail = x'013f' WHERE id = 'failed1'", {("undecodable_trail", QUEUE, "failed1")}),
    (
        "no times",
        "UPDATE jobs SET recovered = 'nonsense' WHERE id = 'suspect1'",
        {("unreadable_recoveries", QUEUE, "suspect1")},
    ),
    ("no run", "UPDATE jobs SET run = x'3f' WHERE id = 'run1'", {("unreadable_run", QUEUE, "run1")}),
    (
        "a run without a name, and no times",
        "UPDATE jobs SET run = NULL, recovered = 'x' WHERE id = 'run1'",
        {("unreadable_run", QUEUE, "run1"), ("unreadable_recoveries", QUEUE, "run1")},
    ),
    ("a later seat", "UPDATE jobs SET run = CAST('1|9|1|1' AS BLOB) WHERE id = 'run1'", {("old_run", QUEUE, "run1")}),
    (
        "a run of what does not run",
        "UPDATE jobs SET run = CAST('1|1|1|1' AS BLOB) WHERE id = 'ready1'",
        {("old_run", QUEUE, "ready1")},
    ),
    ("never due", "UPDATE jobs SET rank = 9e999 WHERE id = 'later1'", {("no_number", QUEUE, "later1")}),
    ("half a place", "UPDATE jobs SET rank = 1.5 WHERE id = 'back1'", {("no_number", QUEUE, "back1")}),
    ("a suspect at large", "UPDATE jobs SET state = 1 WHERE id = 'suspect1'", {("wrong_line", QUEUE, "suspect1")}),
    ("a head in line", "UPDATE queues SET head = 'ready2'", {("wrong_line", QUEUE, "ready2")}),
    (
        "a mark of the living",
        "UPDATE jobs SET unreported = x'31' WHERE id = 'ready1'",
        {("mark_without_death", QUEUE, "ready1")},
    ),
    ("a count of ready ones", "UPDATE queues SET ready = 99", {("wrong_count", QUEUE, None)}),
    ("all counts", "UPDATE queues SET ready = 0, waiting = 0, dead = 9, running = 3", {("wrong_count", QUEUE, None)}),
    ("a count of places", "UPDATE queues SET places = 0", {("wrong_count", QUEUE, None)}),
    ("no refusals", "UPDATE queues SET refused = 'x'", {("unreadable_owner", QUEUE, None)}),
    ("a seat below nothing", "UPDATE queues SET seat = -1", {("unreadable_owner", QUEUE, None)}),
    ("an epoch below nothing", "UPDATE queues SET epoch = -1", {("unreadable_owner", QUEUE, None)}),
    ("a lost head", "UPDATE queues SET head = 'ghost'", {("lost_head", QUEUE, "ghost")}),
    ("off the list", "UPDATE queues SET known = 0", {("unlisted_queue", QUEUE, None)}),
    ("a fence set back", "UPDATE locks SET epoch = 0", {("epoch_ahead", QUEUE, None)}),
    ("a fence that is gone", "DELETE FROM locks", {("epoch_ahead", QUEUE, None)}),
    ("the same epoch twice", "UPDATE locks SET token = 'x'", {("epoch_ahead", QUEUE, None)}),
    ("no fence", "UPDATE locks SET epoch = -1", {("unreadable_fence", None, None)}),
    ("no answer", "UPDATE callers SET reply = 'nonsense' WHERE n = 1", {("unreadable_caller", QUEUE, None)}),
    ("an endless call", "UPDATE callers SET until = 1e15 WHERE n = 1", {("endless_caller", QUEUE, None)}),
    ("a call of nobody", "INSERT INTO callers VALUES (7, 'c', 1, 'null', 1e12)", {("caller_of_nobody", None, None)}),
    ("an endless beat", "UPDATE nodes SET until = 1e15", {("endless_beat", None, None)}),
    ("a huge epoch", "UPDATE locks SET epoch = 9223372036854775807", {("unreadable_fence", None, None)}),
    ("no end of renewals", "UPDATE locks SET renewals = 9223372036854775807", {("unreadable_lease", None, None)}),
    ("a huge call", "UPDATE callers SET n = 9223372036854775807 WHERE n = 1", {("unreadable_caller", QUEUE, None)}),
    (
        "the huge place of a run",
        "UPDATE jobs SET run = CAST('99999999999999999999|1|1|1' AS BLOB) WHERE id = 'run1'",
        {("unreadable_run", QUEUE, "run1")},
    ),
    ("a huge place", "UPDATE jobs SET rank = 1e300 WHERE id = 'back1'", {("no_number", QUEUE, "back1")}),
    ("due in no calendar", "UPDATE jobs SET rank = 1e300 WHERE id = 'later1'", {("no_number", QUEUE, "later1")}),
    (
        "recoveries to come",
        "UPDATE jobs SET recovered = '99999999999.0,99999999999.0' WHERE id = 'ready1'",
        {("unreadable_recoveries", QUEUE, "ready1")},
    ),
    (
        "no end of recoveries",
        "UPDATE jobs SET recovered = 'inf,nan,inf' WHERE id = 'back1'",
        {("unreadable_recoveries", QUEUE, "back1")},
    ),
    ("ready without an order", "UPDATE jobs SET rank = 9e999 WHERE id = 'ready1'", {("no_number", QUEUE, "ready1")}),
    ("ready at 1e300", "UPDATE jobs SET rank = -1e300 WHERE id = 'ready1'", {("no_number", QUEUE, "ready1")}),
    ("no index", "DROP INDEX lines", {("wrong_index", None, None)}),
]
"""What is done to a sound store, and what is found then."""


@pytest.mark.parametrize(("sql", "findings"), [pytest.param(*rest, id=name) for name, *rest in BROKEN])
def test_each_way_to_break_a_file_is_found_and_mended(file_shop: FileShop, sql: str, findings: set[Found]) -> None:
    """Nothing else is found, no record is lost by it, and every job can run or stays where it waits."""
    before = records_of(file_shop.session)
    file_shop.write(sql)
    report = check(file_shop.store)
    assert found(report) == findings
    assert_mended(file_shop.store, file_shop.session, before)


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        *((field, "unreadable_owner") for field in ("epoch", "seat", "call", "places", "processed", "failed")),
        *((field, "wrong_count") for field in ("ready", "waiting", "running", "dead")),
    ],
)
def test_a_number_that_nobody_counted_to_is_found_and_mended(file_shop: FileShop, field: str, kind: str) -> None:
    """Then a node can lead, claim the queue, and run all that it has."""
    before = records_of(file_shop.session)
    file_shop.write(f"UPDATE queues SET {field} = ?", 2**63 - 1)  # noqa: S608 - a constant
    assert found(check(file_shop.store)) == {(kind, QUEUE, None)}
    assert_mended(file_shop.store, file_shop.session, before)


@pytest.mark.parametrize("garbage", [b"", GARBAGE], ids=["nothing", "garbage"])
@pytest.mark.parametrize("job_id", ["ready1", "later1", "back1", "suspect1", "run1"])
def test_a_record_that_nobody_can_read_goes_to_the_dead_ones_with_its_bytes(
    file_shop: FileShop, job_id: str, garbage: bytes
) -> None:
    """As in Redis."""
    before = records_of(file_shop.session)
    file_shop.write("UPDATE jobs SET record = ? WHERE id = ?", garbage, job_id)
    assert found(check(file_shop.store)) == {("undecodable_record", QUEUE, job_id)}
    mended = assert_mended(file_shop.store, file_shop.session, before | {job_id: garbage})
    assert [finding.kind for finding in mended] == ["undecodable_record"]
    marked = {one.mark.id for one in file_shop.session.unreported(QUEUE, 10)}
    assert marked == {"dead1", job_id}


@pytest.mark.parametrize("run", [b"nonsense", b"1|9|1|1"])
def test_a_run_that_nobody_can_end_counts_as_lost(file_shop: FileShop, run: bytes) -> None:
    """As in Redis."""
    file_shop.write("UPDATE jobs SET run = ? WHERE id = 'run1'", run)
    check(file_shop.store, repair=True)
    (job,) = file_shop.session.get_jobs("run1", [QUEUE])
    assert (job.state, job.recoveries) == ("ready", 1)


def test_jobs_of_a_queue_that_is_gone_get_one(file_shop: FileShop) -> None:
    """Nobody can say what it was called; they run in a queue that is named after its key."""
    file_shop.write("DELETE FROM queues")
    file_shop.write("DELETE FROM callers")
    name = "found-1"
    assert found(check(file_shop.store)) == {("jobs_of_no_queue", name, None)}
    # Who ran them is gone with the queue: they are put back.
    report = check(file_shop.store, repair=True)
    assert report.is_mended
    assert check(file_shop.store).is_sound
    assert file_shop.session.queues() == (name,)
    (counts,) = file_shop.session.overview([name]).queues
    assert (counts.ready, counts.waiting, counts.running, counts.dead) == (6, 2, 0, 1)


def test_an_index_that_does_not_agree_with_its_table_is_made_anew(file_shop: FileShop) -> None:
    """Jobs that it leaves out would be passed over for ever."""
    before = records_of(file_shop.session)
    (kept,) = file_shop.ask("SELECT sql FROM sqlite_schema WHERE name = 'lines'")
    with closing(sqlite3.connect(file_shop.path)) as other:
        other.execute("PRAGMA writable_schema = ON")
        other.execute("UPDATE sqlite_schema SET sql = sql || ' WHERE state = 7' WHERE name = 'lines'")
        other.commit()
    with closing(sqlite3.connect(file_shop.path)) as other:
        other.execute("DELETE FROM jobs WHERE id = 'ready3'")
        other.execute(
            "INSERT INTO jobs (queue, id, state, rank, record) VALUES (1, 'ready3', 0, 99, ?)", before_of(before)
        )
        other.execute("PRAGMA writable_schema = ON")
        other.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'lines'", kept)
        other.commit()
    store = open_sqlite(f"sqlite:///{file_shop.path}", "default")
    assert found(check(store)) == {("wrong_index", None, None)}
    assert_mended(store, store.session(timeout=TIMEOUT_S), before)
    store.close()


def before_of(records: dict[str, bytes]) -> tuple[bytes]:
    """The record that is written once more."""
    return (records["ready3"],)


FOREIGN: list[tuple[str, str, set[Found], str | None]] = [
    ("rank", "UPDATE jobs SET rank = 'soon' WHERE id = 'later1'", {("foreign_type", QUEUE, "later1")}, None),
    ("state", "UPDATE jobs SET state = 'x' WHERE id = 'ready1'", {("foreign_type", QUEUE, "ready1")}, None),
    ("run", "UPDATE jobs SET run = 'x' WHERE id = 'run1'", {("foreign_type", QUEUE, "run1")}, None),
    ("record", "UPDATE jobs SET record = 'text' WHERE id = 'ready1'", {("foreign_type", QUEUE, "ready1")}, "ready1"),
    ("counts", "UPDATE queues SET ready = 'many', seat = 'x'", {("foreign_type", QUEUE, None)}, None),
    ("lock", "UPDATE locks SET epoch = 'x', lease_until = 'x'", {("foreign_type", None, None)}, None),
    ("callers", "UPDATE callers SET reply = 7, until = 'x'", {("foreign_type", QUEUE, None)}, None),
    ("no rank", "UPDATE jobs SET rank = NULL WHERE id = 'later1'", {("foreign_type", QUEUE, "later1")}, None),
    ("no state", "UPDATE jobs SET state = NULL WHERE id = 'dead1'", {("foreign_type", QUEUE, "dead1")}, None),
    ("no epoch", "UPDATE queues SET epoch = NULL, ready = NULL", {("foreign_type", QUEUE, None)}, None),
    ("no lock", "UPDATE locks SET epoch = NULL", {("foreign_type", None, None)}, None),
    ("no answer", "UPDATE callers SET reply = NULL, n = NULL", {("foreign_type", QUEUE, None)}, None),
    ("nodes", "UPDATE nodes SET info = 'text', until = 'x'", {("foreign_type", None, None)}, None),
]
"""In tables that somebody made anew, so that they are not strict: the statement, what is found, whose record it is."""


@pytest.mark.parametrize(("sql", "findings", "changed"), [pytest.param(*rest, id=name) for name, *rest in FOREIGN])
def test_values_of_other_types_are_found_and_made_what_they_should_be(
    file_shop: FileShop, sql: str, findings: set[Found], changed: str | None
) -> None:
    """Bytes stay the same bytes; a number that is none becomes 0, and what follows from that is mended, too."""
    before = records_of(file_shop.session)
    for table in ("jobs", "queues", "locks", "callers", "nodes"):
        loosen(file_shop, table)
    file_shop.write(sql)
    assert found(check(file_shop.store)) == findings
    # A text is the record's bytes now: of a newer format, by its first byte, so that it waits.
    after = before | ({changed: b"text"} if changed else {})
    assert_mended(file_shop.store, file_shop.session, after)


def test_a_record_that_is_not_there_at_all_is_none(file_shop: FileShop) -> None:
    """It goes to the dead ones with the bytes that it has: none."""
    before = records_of(file_shop.session)
    loosen(file_shop, "jobs")
    file_shop.write("UPDATE jobs SET record = NULL WHERE id = 'ready1'")
    assert found(check(file_shop.store)) == {("foreign_type", QUEUE, "ready1")}
    assert_mended(file_shop.store, file_shop.session, before | {"ready1": b""})
    assert {job.id for job in file_shop.session.list_jobs(QUEUE, "dead", 10, 0)} == {"dead1", "ready1"}


def test_what_was_dead_stays_dead_when_its_state_is_none(file_shop: FileShop) -> None:
    """Its trail says that it was buried: whatever stands as its state, it is not run."""
    loosen(file_shop, "jobs")
    file_shop.write("UPDATE jobs SET state = 'dead' WHERE id = 'dead1'")
    assert check(file_shop.store, repair=True).is_mended
    (job,) = file_shop.session.get_jobs("dead1", [QUEUE])
    assert job.state == "dead"


def loosen(shop: FileShop, table: str) -> None:
    """Make a table anew that takes values of any type."""
    ((sql,),) = shop.ask("SELECT sql FROM sqlite_schema WHERE name = ?", table)
    indexes = shop.ask("SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND type = 'index' AND sql NOT NULL", table)
    loose = (
        str(sql).replace(") STRICT, WITHOUT ROWID", ") WITHOUT ROWID").replace(") STRICT", ")").replace(" NOT NULL", "")
    )
    shop.write(f"ALTER TABLE {table} RENAME TO kept")
    shop.write(loose)
    shop.write(f"INSERT INTO {table} SELECT * FROM kept")  # noqa: S608 - a constant
    shop.write("DROP TABLE kept")
    for (index,) in indexes:
        shop.write(str(index))


def test_repair_is_refused_while_a_node_leads(file_shop: FileShop) -> None:
    """A check is not."""
    assert isinstance(file_shop.session.acquire("node-9", "nine", 60.0, 0), Fence)
    file_shop.write("UPDATE queues SET ready = 99")
    with pytest.raises(StoreInUse, match="node node-9 leads"):
        check(file_shop.store, repair=True)
    assert ("wrong_count", QUEUE, None) in found(check(file_shop.store))


def test_a_node_that_begins_to_lead_during_a_repair_ends_it(file_shop: FileShop) -> None:
    """Each step looks once more, so that none falls into its work."""
    assert isinstance(file_shop.session.acquire("node-9", "nine", 60.0, 0), Fence)
    assert isinstance(file_shop.store, Inspectable)
    inspector = file_shop.store.inspector(timeout=TIMEOUT_S)
    with pytest.raises(StoreInUse, match="a node began to lead"):
        inspector.apply(Put(QUEUE, "ready1", "dead"))
    inspector.close()
    assert file_shop.ask("SELECT state FROM jobs WHERE id = 'ready1'") == [(0,)]


def test_a_remedy_for_a_job_or_a_queue_that_is_gone_by_now_does_nothing(file_shop: FileShop) -> None:
    """Somebody may have cancelled it between the look and the step."""
    before = records_of(file_shop.session)
    assert isinstance(file_shop.store, Inspectable)
    inspector = file_shop.store.inspector(timeout=TIMEOUT_S)
    inspector.apply(Put(QUEUE, "ghost", "ready"))
    inspector.apply(Put("nowhere", "ready1", "ready"))
    inspector.close()
    assert records_of(file_shop.session) == before
    assert check(file_shop.store).is_sound


def test_an_endless_lease_gets_an_end(file_shop: FileShop) -> None:
    """As in Redis."""
    assert isinstance(file_shop.session.acquire("node-9", "nine", 60.0, 0), Fence)
    file_shop.write("UPDATE locks SET lease_until = 1e15")
    assert found(check(file_shop.store)) == {("endless_lease", None, None)}
    with pytest.raises(StoreInUse, match=r"had no end.*ends? in 10 s"):
        check(file_shop.store, repair=True)
    ((until,),) = file_shop.ask("SELECT lease_until FROM locks")
    assert isinstance(until, float)
    assert until < 1e14


def test_a_lease_of_another_leadership_is_told(file_shop: FileShop) -> None:
    """Nothing is done about it."""
    assert isinstance(file_shop.session.acquire("node-9", "nine", 60.0, 0), Fence)
    file_shop.write("UPDATE locks SET epoch = 7")
    assert ("lease_of_another", None, None) in found(check(file_shop.store))


def test_a_file_that_is_not_there_is_not_made(file_shop: FileShop) -> None:
    """Whoever asks for another one than he thinks has to hear of it."""
    other = file_shop.path.with_name("other.db")
    with pytest.raises(Outage, match="there is no file"):
        fsck(f"sqlite:///{other}")
    assert not other.exists()


def test_a_file_that_is_no_database_can_not_be_checked(file_shop: FileShop) -> None:
    """It is not touched."""
    other = file_shop.path.with_name("other.db")
    other.write_bytes(b"somebody else was here" * 100)
    with pytest.raises(StoreDamaged):
        fsck(f"sqlite:///{other}", repair=True)
    assert other.read_bytes() == b"somebody else was here" * 100


def test_records_are_those_that_were_pushed(file_shop: FileShop) -> None:
    """The tests above compare with what is in the store before it is broken."""
    assert records_of(file_shop.session) == {job_id: record(job_id) for job_id in records_of(file_shop.session)}
