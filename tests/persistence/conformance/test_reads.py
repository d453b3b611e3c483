"""What can be read: queues, counts, lists, single jobs, nodes."""

import pytest

from exqueue.errors import ConfigError
from exqueue.persistence.base import Persistence, Session
from exqueue.persistence.values import MAX_BATCH, Fence, Holder, QueueCounts, Settlement, State, StoredJob
from tests.persistence.conformance.play import (
    FAR_S,
    PREPARED,
    SOON_S,
    STATES,
    Client,
    Owner,
    bring_into,
    bury,
    done,
    eventually,
    give_back,
    ids,
    listed,
    pass_time,
    recovered,
    retry,
)

NOTHING = QueueCounts(
    queue="nowhere",
    ready=0,
    waiting=0,
    running=0,
    dead=0,
    paused=False,
    head=None,
    head_dead=False,
    oldest_ready=None,
    suspects=0,
    processed=0,
    failed=0,
    epoch=0,
)


# -- queues
def test_queues_are_those_that_were_pushed_to_claimed_or_paused(session: Session) -> None:
    """Sorted, each once, and for good, whether or not there is a job."""
    assert session.queues() == ()
    Client(session, "pushed").push("a")
    Client(session, "paused").pause()
    owner = Owner(session, "claimed")
    owner.exchange()
    Client(session, "pushed").cancel("a")
    assert session.queues() == ("claimed", "paused", "pushed")


def test_reading_makes_no_queue(session: Session) -> None:
    """Asking for a queue does not call it into being."""
    session.overview(["nowhere"])
    session.list_jobs("nowhere", "ready", 10, 0)
    session.get_jobs("a", ["nowhere"])
    assert session.queues() == ()


# -- overview
def test_a_queue_unknown_here_is_all_zeros(session: Session) -> None:
    """The overview answers for each queue that was asked for."""
    assert session.overview(["nowhere"]).queues == (NOTHING,)


def test_queues_are_told_in_the_order_asked_for(session: Session) -> None:
    """The answer can be read beside the question."""
    for name in ("b", "a", "c"):
        Client(session, name).push("x")
    assert [counts.queue for counts in session.overview(["c", "a", "b", "a"]).queues] == ["c", "a", "b", "a"]


def test_the_counts_are_those_of_the_lists(session: Session, owner: Owner, client: Client) -> None:
    """Every job is in exactly one state; suspects and returned ones are ready."""
    for number, state in enumerate(("dead", "dead", "running", "suspect", "returned", "waiting", "ready", "ready")):
        bring_into(state, owner, client, f"{state}-{number}")
    client.push("cancelled")
    client.cancel("cancelled")
    counts = session.overview(["q"]).queues[0]
    assert (counts.ready, counts.waiting, counts.running, counts.dead, counts.suspects) == (4, 1, 1, 2, 1)
    assert [len(listed(session, state)) for state in STATES] == [4, 1, 1, 2]
    assert len({job_id for state in STATES for job_id in listed(session, state)}) == 8


def test_the_oldest_ready_is_the_next_in_line(session: Session, owner: Owner, client: Client) -> None:
    """What went back stands before what is fresh; a suspect is in the line by its place."""
    assert session.overview(["q"]).queues[0].oldest_ready is None
    client.push("a", "b")
    assert session.overview(["q"]).queues[0].oldest_ready == b"a!"
    a = owner.fetch_one()
    assert session.overview(["q"]).queues[0].oldest_ready == b"b!"
    owner.settle(recovered(a))
    assert session.overview(["q"]).queues[0].oldest_ready == b"a!"
    owner.settle(recovered(owner.fetch_one()))
    assert session.overview(["q"]).queues[0].oldest_ready == b"a!"


@pytest.mark.parametrize("state", PREPARED)
def test_suspects_are_counted_in_every_state(session: Session, owner: Owner, client: Client, state: str) -> None:
    """Two recoveries make a suspect, wherever the job is now."""
    bring_into("suspect", owner, client, "a")
    if state != "suspect":
        job = owner.fetch_one(suspect=True)
        ends: dict[str, list[Settlement]] = {
            "waiting": [retry(job, FAR_S)],
            "ready": [retry(job)],
            "dead": [bury(job)],
            "returned": [give_back(job)],
            "running": [],
        }
        owner.settle(*ends[state])
    assert session.overview(["q"]).queues[0].suspects == 1


def test_the_lock_stands_in_the_overview(session: Session) -> None:
    """Its holder with epoch and node; nobody when it is free."""
    assert session.overview([]).holder is None
    fence = session.acquire("node-1", "token", 30.0, 0)
    assert isinstance(fence, Fence)
    assert session.overview([]).holder == Holder(fence.epoch, "token", "node-1")
    session.release(fence)
    assert session.overview([]).holder is None


def test_a_lease_that_ended_is_nobodys(session: Session) -> None:
    """The overview tells the lease that stands, not the last one."""
    session.acquire("node-1", "token", SOON_S, 0)
    assert eventually(lambda: session.overview([]).holder is None)


# -- lists
def test_a_listed_job_is_told_as_it_is_stored(session: Session, owner: Owner, client: Client) -> None:
    """Each state has its own time; what does not belong to the state is not told."""
    began = session.overview(()).now
    for state in ("dead", "running", "waiting", "ready"):
        bring_into(state, owner, client, state)
    ended = session.overview(()).now
    (dead,), (running,), (waiting,), (ready,) = (
        session.list_jobs("q", state, 10, 0) for state in ("dead", "running", "waiting", "ready")
    )
    run = session.claim("q", owner.fence, 0).runs[0].run
    assert ready == StoredJob("ready", "q", "ready", b"ready!", None, 0)
    assert (waiting.died_at, waiting.started_at, waiting.run) == (None, None, None)
    assert began - 0.01 <= (waiting.due_at or 0.0) - FAR_S <= ended + 0.01
    assert (running.due_at, running.died_at, running.run) == (None, None, run)
    assert began - 0.01 <= (running.started_at or 0.0) <= ended + 0.01
    assert (dead.due_at, dead.started_at, dead.run) == (None, None, None)
    assert began - 0.01 <= (dead.died_at or 0.0) <= ended + 0.01


def test_running_jobs_are_listed_in_the_order_in_which_they_started(
    session: Session, owner: Owner, client: Client
) -> None:
    """The longest running first, whatever their places."""
    client.push("a", "b", "c")
    a, *_ = owner.fetch(2)
    pass_time(session, 0.005)
    owner.exchange(give_back(a), want=1)
    pass_time(session, 0.005)
    owner.fetch(1)
    assert listed(session, "running") == ["b", "a", "c"]


@pytest.mark.parametrize("state", STATES)
def test_lists_are_paged(session: Session, owner: Owner, client: Client, state: State) -> None:
    """Limit and offset cut the same order; past the end there is nothing."""
    for number in range(5):
        bring_into(state, owner, client, f"job-{number}")
    whole = session.list_jobs("q", state, MAX_BATCH, 0)
    assert len(whole) == 5
    assert [session.list_jobs("q", state, 2, offset) for offset in (0, 2, 4, 5, 99)] == [
        whole[0:2],
        whole[2:4],
        whole[4:5],
        (),
        (),
    ]
    assert session.list_jobs("q", state, 0, 0) == ()


def test_pages_of_jobs_of_one_time_make_up_the_list(session: Session, client: Client) -> None:
    """Each is on one page, whichever end of the line that is nearer to."""
    client.push(*(f"job-{number:02}" for number in range(25)), delay=FAR_S)
    whole = listed(session, "waiting")
    pages = [ids(session.list_jobs("q", "waiting", 4, offset)) for offset in range(0, 28, 4)]
    assert [job for page in pages for job in page] == whole
    assert len(set(whole)) == 25


def test_a_page_may_reach_from_the_returned_into_the_fresh(session: Session, owner: Owner, client: Client) -> None:
    """The ready ones are one list: by place what went back, suspects among it, then the fresh ones."""
    client.push("a", "b", "c")
    a, b, c = owner.fetch(3)
    owner.settle(give_back(c), recovered(b), give_back(a))
    a, b, c = owner.fetch(3)
    owner.settle(give_back(c), recovered(b), give_back(a))
    client.push("d", "e")
    assert listed(session, "ready") == ["a", "b", "c", "d", "e"]
    assert [ids(session.list_jobs("q", "ready", 2, offset)) for offset in range(5)] == [
        ["a", "b"],
        ["b", "c"],
        ["c", "d"],
        ["d", "e"],
        ["e"],
    ]


@pytest.mark.parametrize("state", STATES)
def test_a_list_is_no_longer_than_a_batch(session: Session, state: State) -> None:
    """A limit above `MAX_BATCH` is refused."""
    with pytest.raises(ConfigError):
        session.list_jobs("q", state, MAX_BATCH + 1, 0)


def test_a_thousand_jobs_are_listed_at_once(session: Session, client: Client) -> None:
    """`MAX_BATCH` jobs are one page."""
    names = [f"job-{number:04}" for number in range(MAX_BATCH)]
    client.push(*names)
    assert listed(session, "ready") == names


# -- single jobs
@pytest.mark.parametrize("state", PREPARED)
def test_a_job_is_found_as_it_is_listed(session: Session, owner: Owner, client: Client, state: str) -> None:
    """Looking up a job and listing its state tell the same."""
    bring_into(state, owner, client, "a")
    (found,) = session.get_jobs("a", ["q"])
    assert session.list_jobs("q", found.state, 10, 0) == (found,)
    assert found.state == {"returned": "ready", "suspect": "ready"}.get(state, state)
    assert found.recoveries == (2 if state == "suspect" else 0)


def test_a_job_is_looked_for_in_many_queues(session: Session) -> None:
    """One id may stand in many queues; those that have it answer, in the order asked for."""
    for name in ("mail", "image", "sound"):
        Client(session, name).push("a")
    Client(session, "sound").cancel("a")
    found = session.get_jobs("a", ["image", "nowhere", "sound", "mail"])
    assert [(job.queue, job.id, job.record) for job in found] == [("image", "a", b"a!"), ("mail", "a", b"a!")]
    assert session.get_jobs("b", ["image", "mail"]) == ()
    assert session.get_jobs("a", []) == ()


def test_a_job_that_is_done_is_not_found(session: Session, owner: Owner, client: Client) -> None:
    """A job that succeeded is gone."""
    client.push("a")
    owner.settle(done(owner.fetch_one()))
    assert session.get_jobs("a", ["q"]) == ()


# -- nodes
def test_nodes_are_known_by_their_beats(session: Session) -> None:
    """Sorted by name, each with its last word."""
    session.beat("b", b"first", FAR_S)
    session.beat("a", bytes(range(256)), FAR_S)
    session.beat("b", b"second", FAR_S)
    assert session.nodes() == (("a", bytes(range(256))), ("b", b"second"))


def test_a_node_that_beats_no_more_is_forgotten(session: Session) -> None:
    """Its time to live counts from its last beat; the others stay."""
    session.beat("short", b"", SOON_S)
    session.beat("long", b"", FAR_S)
    assert eventually(lambda: session.nodes() == (("long", b""),))


def test_a_beat_prolongs_the_memory(session: Session) -> None:
    """The last beat counts, not the first."""
    session.beat("a", b"1", SOON_S)
    session.beat("a", b"2", FAR_S)
    pass_time(session, SOON_S)
    assert session.nodes() == (("a", b"2"),)


def test_a_node_may_take_back_its_beat(session: Session) -> None:
    """A node that stops is not shown; taking back twice is harmless."""
    session.beat("a", b"", FAR_S)
    session.beat("b", b"", FAR_S)
    session.forget("a")
    session.forget("a")
    session.forget("nobody")
    assert session.nodes() == (("b", b""),)


# -- the persistence itself
def test_the_persistence_tells_its_namespace(store: Persistence, namespace: str) -> None:
    """Namespace and address are known without a connection."""
    assert store.namespace == namespace
    assert "://" in store.address


def test_a_diagnosis_is_sentences(session: Session) -> None:
    """Whatever endangers the promises is said in words; nothing is changed by asking."""
    assert all(" " in danger.sentence for danger in session.diagnose())


def test_sessions_share_the_store(store: Persistence, session: Session, client: Client) -> None:
    """What one session stores another one sees, pooled or not; closing is harmless, also twice."""
    client.push("a")
    for pooled in (False, True):
        other = store.session(timeout=10.0, pooled=pooled)
        assert listed(other, "ready") == ["a"]
        other.close()
        other.close()
    assert listed(session, "ready") == ["a"]
