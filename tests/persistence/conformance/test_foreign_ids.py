"""An id of bytes that are no UTF-8, which stand in it as lone surrogates: each verb finds its job again."""

from exqueue.persistence.base import Session
from exqueue.persistence.values import Bury, Done, Exchanged, Fence, GiveBack, Leave, NewJob, Push, Retry, Settlement

ID = "\udcff bad \udcc3"
FENCE = Fence(1, "token")


def push(session: Session, n: int, *jobs: NewJob) -> None:
    """Store jobs."""
    assert session.push("pusher", [Push("q", n, jobs)]) == (None,)


def exchange(session: Session, call: int, *ended: Settlement, want: int = 2, serial: bool = False) -> Exchanged:
    """One exchange of the first owner."""
    return session.exchange("q", FENCE, 1, call, ended, want, serial=serial, leave=Leave(suspect=True))


def test_it_is_handed_out_settled_and_handed_out_again(session: Session) -> None:
    """Given back, waiting and due, and at last done; with a sound one beside it."""
    push(session, 1, NewJob(ID, b"record"), NewJob("sound", b"record"))
    session.claim("q", FENCE, 1)
    bad, sound = exchange(session, 1).jobs
    assert (bad.id, sound.id) == (ID, "sound")
    assert {(entry.id, entry.run) for entry in session.claim("q", FENCE, 1).runs} == {
        (ID, bad.run),
        ("sound", sound.run),
    }
    back = exchange(session, 2, GiveBack(ID, bad.run), Done("sound", sound.run))
    assert back.refused == ()
    (bad,) = back.jobs
    due = exchange(session, 3, Retry(ID, bad.run, 0.0, b"trail"))
    assert due.refused == ()
    (bad,) = due.jobs or exchange(session, 4).jobs
    assert (bad.id, bad.trail) == (ID, b"trail")
    # Another leadership finds it running, and puts it back.
    session.claim("q", Fence(2, "other"), 1)
    (bad,) = session.exchange("q", Fence(2, "other"), 1, 1, [], 1, serial=False, leave=Leave(suspect=True)).jobs
    assert (bad.id, bad.recoveries) == (ID, 1)
    last = session.exchange(
        "q", Fence(2, "other"), 1, 2, [Done(ID, bad.run)], 1, serial=False, leave=Leave(suspect=True)
    )
    assert (last.refused, last.jobs) == ((), ())
    assert session.get_jobs(ID, ["q"]) == ()


def test_it_can_be_shown_and_acted_on(session: Session) -> None:
    """It halts a serial queue as any dead head, is named, retried, cancelled and deleted."""
    push(session, 1, NewJob(ID, b"record"))
    session.claim("q", FENCE, 1)
    for call in (1, 3):
        (bad,) = exchange(session, call, serial=True).jobs
        assert exchange(session, call + 1, Bury(ID, bad.run, None), serial=True).refused == ()
        (counts,) = session.overview(["q"]).queues
        assert (counts.head, counts.head_dead, counts.dead) == (ID, True, 1)
        assert [job.id for job in session.list_jobs("q", "dead", 10, 0)] == [ID]
        assert [(job.id, job.state) for job in session.get_jobs(ID, ["q"])] == [(ID, "dead")]
        if call == 1:
            assert session.retry_dead("q", "person", 1, [ID]) == (ID,)
    assert session.delete_dead("q", "person", 2, [ID]) == (ID,)
    push(session, 2, NewJob(ID, b"record", delay=60))
    assert session.cancel("q", "person", 3, ID) == "waiting"
    assert session.cancel("q", "person", 4, ID) is None
