"""Every backend answers a long random game as memory does, command by command, and looks the same after each."""

import pytest

from exqueue.persistence.base import Persistence
from exqueue.persistence.memory import MemoryPersistence
from tests.persistence.conformance.game import Game
from tests.persistence.conformance.play import Opener

STEPS = 400
ENOUGH = 0.8
"""The share of what can happen that happens in each game."""
SEEDS = range(3, 6)
GAMES = [("fakeredis", SEEDS[0]), *((backend, seed) for backend in ("redis", "sqlite") for seed in SEEDS)]
"""One is enough of the imitated server: it runs the scripts of the real one, three times as slowly."""
MUST_HAPPEN = {
    "answered again",
    "claim",
    "suspect held back",
    "suspect handed out",
    "poison handed out",
    "paused",
    "Fenced",
    "StaleCall",
    "retry_dead",
    "delete_dead",
    "cancel ready",
    "cancel waiting",
    "cancel running",
    "sweep fine",
    "reported",
    "sweep stale",
    "sweep due",
    "acquire Fence",
    "acquire Holder",
    "renew True",
    "release True",
    *(f"{end} {how}" for end in ("Done", "Retry", "Bury", "GiveBack", "Recovered") for how in ("applied", "refused")),
}


def play(store: Persistence, namespace: str, seed: int, steps: int = STEPS) -> set[str]:
    """Play one game of the store against memory; what happened in it."""
    reference = MemoryPersistence("", namespace)
    sessions = reference.session(timeout=10.0), store.session(timeout=10.0)
    try:
        game = Game(*sessions, seed)
        game.play(steps)
        return game.seen
    finally:
        for session in sessions:
            session.close()
        reference.close()


@pytest.fixture(params=["fakeredis", "redis", "sqlite"])
def opener(request: pytest.FixtureRequest) -> Opener:
    """Opens one and the same store, empty at first, of each backend but memory itself in turn."""
    found: Opener = request.getfixturevalue(f"{request.param}_opener")
    return found


@pytest.mark.parametrize(("opener", "seed"), GAMES, indirect=["opener"])
def test_a_backend_plays_like_memory(store: Persistence, namespace: str, seed: int) -> None:
    """The same commands have the same answers and leave the same jobs in the same states and orders."""
    assert len(play(store, namespace, seed) & MUST_HAPPEN) > len(MUST_HAPPEN) * ENOUGH


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 160))
def test_a_backend_plays_many_games_like_memory(store: Persistence, namespace: str, seed: int) -> None:
    """As above, longer and over many seeds."""
    assert len(play(store, namespace, seed, 2 * STEPS) & MUST_HAPPEN) > len(MUST_HAPPEN) * ENOUGH


def test_in_the_games_happens_all_that_can(namespace: str) -> None:
    """A game in which nothing happens would prove nothing."""
    happened: set[str] = set()
    for seed in SEEDS:
        memory = MemoryPersistence("", namespace)
        happened |= play(memory, namespace, seed)
        memory.close()
    assert MUST_HAPPEN - happened == set()
