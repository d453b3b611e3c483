"""The pure parts of the comparison with other libraries."""

import re
from pathlib import Path

import pytest

from benchmarks.goals import AGAINST_PEERS
from benchmarks.peers.catalogue import PEERS, Peer, chosen
from benchmarks.peers.environments import OWN, PROGRAMS, stamp_of
from benchmarks.peers.measures import GROUPS, SLOTS, Figure
from benchmarks.peers.results import Missing, Results, requirements_of, short, table
from benchmarks.peers.side_by_side import running_again
from benchmarks.rig.records import Record

S = 1_000_000_000


def begun_at(*seconds: float) -> list[Record]:
    """Runs that began then."""
    return [Record(0, round(each * S), round(each * S)) for each in seconds]


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_each_peer_has_a_program_with_all_of_its_requirements_pinned(peer: Peer) -> None:
    """Who measures next year measures the same versions."""
    folder = PROGRAMS / peer.folder
    assert (folder / "program.py").exists() or (folder / "program.js").exists()
    if (folder / "requirements.txt").exists():
        lines = (folder / "requirements.txt").read_text().split()
        assert lines
        assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    elif peer.folder != OWN:
        assert not re.search(r'": "[\^~>*]', (folder / "package.json").read_text())
        assert (folder / "package-lock.json").exists()


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_program_stores_in_bulk_exactly_when_the_catalogue_says_so(peer: Peer) -> None:
    """A bulk that the catalogue forgets would be told as "none"."""
    program = next((PROGRAMS / peer.folder).glob("program.*")).read_text()
    assert bool(re.search(r"^(async )?(def|function) bulk\(", program, re.MULTILINE)) is peer.has_bulk


def test_each_program_cites_the_pages_of_its_settings() -> None:
    """Best settings are those that the peer's own pages recommend."""
    for peer in PEERS:
        if peer.folder != OWN:
            assert "https://" in next((PROGRAMS / peer.folder).glob("program.*")).read_text(), peer.name


def test_a_folder_stands_for_all_of_its_variants() -> None:
    """`--only dramatiq` measures it with and without prefetch; a full name only that one."""
    assert [peer.name for peer in chosen("dramatiq")] == ["dramatiq", "dramatiq-prefetch"]
    assert [peer.name for peer in chosen("huey-sqlite, rq")] == ["rq", "huey-sqlite"]
    assert chosen("") == PEERS


def test_an_unknown_peer_is_refused_with_the_names_that_there_are() -> None:
    """A typing mistake must not measure everybody."""
    with pytest.raises(ValueError, match=r"no peer is called hueyy; there are exqueue, dramatiq"):
        chosen("rq,hueyy")


def test_an_environment_is_made_again_when_its_requirements_change(tmp_path: Path) -> None:
    """Else figures of an old version would be told as those of the new one."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("rq==3.0.0\n")
    before = stamp_of(requirements)
    assert stamp_of(requirements) == before
    requirements.write_text("rq==3.0.1\n")
    assert stamp_of(requirements) != before


def test_the_goals_against_peers_name_peers_that_are_measured() -> None:
    """A goal that names nobody would silently be left out of the page."""
    titles = {peer.title for peer in PEERS}
    measures = {name for names, _ in GROUPS for name in names}
    for measure, who, whom, _ in AGAINST_PEERS:
        assert {who, whom} <= titles
        assert measure in measures


def test_running_again_is_counted_from_the_kill_to_the_last_of_the_ten() -> None:
    """Nine that run again are no recovery; a job that ran twice does not delay it."""
    all_ten = begun_at(*(5 + number / 10 for number in range(SLOTS)))
    assert running_again(all_ten, 2 * S, 120).value == pytest.approx(3.9)
    assert running_again([*all_ten, *begun_at(50)], 2 * S, 120).value == pytest.approx(3.9)
    short_of_one = running_again(all_ten[:-1], 2 * S, 120)
    assert short_of_one.value is None
    assert short_of_one.why == "none: 9 of 10 ran again within 120 s"


def test_rates_are_compared_with_the_raw_rate_of_their_own_repetition() -> None:
    """The machine differs from minute to minute; memory and latency are no rates."""
    results = Results()
    for value, raw in ((10.0, 10.0), (40.0, 20.0), (30.0, 10.0)):
        results.add("rq", "B", Figure("drain", "jobs/s", value), raw)
        results.add("rq", "B", Figure("latency p50", "ms", value), raw)
    drain, latency = results.rows
    assert (drain.median, drain.ratio) == (30.0, 2.0)
    assert (latency.median, latency.ratio) == (30.0, None)


def test_what_a_peer_cannot_do_is_said_once_and_left_out_nowhere() -> None:
    """Three repetitions say the same; the table and the file both have it."""
    results = Results()
    for _ in range(3):
        results.add("huey", "A", Figure("bulk", "jobs/s", None, "none: one call stores one job"))
    results.add("exqueue", "A", Figure("bulk", "jobs/s", 123_456.0), 1_000.0)
    assert results.missing == (Missing("huey", "bulk", "A", "none: one call stores one job"),)
    shown = table(results.rows, results.missing)
    assert shown.splitlines()[0] == "bulk, mode A"
    assert re.search(r"exqueue +123\.5k jobs/s +123\.46 x raw", shown)
    assert re.search(r"huey +none: one call stores one job", shown)
    assert results.to_plain(PEERS)["none"] == [
        {"subject": "huey", "measure": "bulk", "mode": "A", "why": "none: one call stores one job"}
    ]


@pytest.mark.parametrize(
    ("value", "shown"), [(24_912, "24.9k"), (9_999, "9999"), (964.6, "965"), (12.34, "12.3"), (0.774, "0.77")]
)
def test_figures_are_shown_with_three_digits_or_so(value: float, shown: str) -> None:
    """More would pretend a precision that they do not have."""
    assert short(value) == shown


def test_the_results_tell_what_was_installed() -> None:
    """For each peer the pins, for Exqueue what is there."""
    assert "rq==3.0.0" in requirements_of(next(peer for peer in PEERS if peer.name == "rq"))
    assert "bullmq" in requirements_of(next(peer for peer in PEERS if peer.name == "bullmq"))
    assert requirements_of(PEERS[0]).startswith("exqueue==")
