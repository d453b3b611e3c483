"""An outage that lasts longer than any restart window: a state that is waited out, not a series of crashes."""

from __future__ import annotations

import pytest

from exqueue import ActorInfo, AskTimeout, Enqueue, GetStatus, GetTree, StartWorker, SystemStatus
from exqueue.config import SystemConfig
from exqueue.system import start_system
from tests.simulation.seeded_runtime import SeededRuntime
from tests.simulation.weathered import WeatheredPersistence

OUTAGE_S = 300.0
TTL_S = 10.0
SWEEP_S = 5.0


def restarts(info: ActorInfo) -> int:
    """How many actors were ever started again."""
    return info.restarts + sum(map(restarts, info.children))


@pytest.mark.parametrize("seed", range(10))
def test_five_minutes_without_the_persistence(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    """Jobs that ran are settled and not run again, what was told is stored, no actor was restarted, all said once."""
    caplog.set_level("INFO", logger="exqueue")
    runtime = SeededRuntime(seed)
    persistence = WeatheredPersistence(runtime)
    entered: list[int] = []
    free: set[int] = set()

    class Held:
        concurrency = 2

        def perform(self, *, who: int) -> None:
            entered.append(who)
            runtime.wait(lambda: who in free)

    config = SystemConfig("memory://", lock_ttl=TTL_S, shutdown_timeout=5)
    system = start_system(config, persistence, runtime)
    system.ask(StartWorker(Held))
    for who in range(3):
        system.ask(Enqueue(Held, {"who": who}))
    assert runtime.wait(lambda: len(entered) == 2, 2 * SWEEP_S)
    before: SystemStatus = system.ask(GetStatus())

    persistence.is_cut_off = True
    began = runtime.clock.time()
    runtime.sleep(OUTAGE_S / 3)
    free.add(entered[0])
    system.tell(Enqueue(Held, {"who": 3}))
    runtime.sleep(1.0)
    # The Producer knows of the outage by now, and sends nothing that it can still leave.
    with pytest.raises(AskTimeout, match="stored: no"):
        system.ask(Enqueue(Held, {"who": 4}, id="never"))
    runtime.sleep(OUTAGE_S / 3)
    during: SystemStatus = system.ask(GetStatus())
    assert during.outage_since is not None
    assert 0 <= during.outage_since - began <= TTL_S
    assert during.outage_reason == "it is cut off"
    runtime.sleep(OUTAGE_S / 3)
    assert len(entered) == 2

    persistence.is_cut_off = False
    assert runtime.wait(lambda: len(entered) == 3, 2 * SWEEP_S)
    free |= {0, 1, 2, 3}
    runtime.sleep(4 * SWEEP_S)
    after: SystemStatus = system.ask(GetStatus())
    assert sorted(entered) == [0, 1, 2, 3]
    assert [(queue.ready, queue.running, queue.processed) for queue in after.queues] == [(0, 0, 4)]
    assert (after.epoch, after.outage_since) == (before.epoch, None)
    assert restarts(system.ask(GetTree())) == 0
    weather = [one.levelname for one in caplog.records if "the persistence" in one.getMessage()]
    assert weather == ["WARNING", "INFO"]
    system.stop()


def test_a_node_without_queues_says_it_once_too(caplog: pytest.LogCaptureFixture) -> None:
    """Whose Listener is the only one to ask: what it did not have to ask is no answer."""
    caplog.set_level("INFO", logger="exqueue")
    runtime = SeededRuntime(0)
    persistence = WeatheredPersistence(runtime)
    system = start_system(SystemConfig("memory://", lock_ttl=TTL_S, shutdown_timeout=5), persistence, runtime)
    runtime.sleep(SWEEP_S)
    persistence.is_cut_off = True
    runtime.sleep(OUTAGE_S)
    assert system.ask(GetStatus()).outage_since is not None
    persistence.is_cut_off = False
    runtime.sleep(2 * SWEEP_S)
    assert system.ask(GetStatus()).outage_since is None
    assert [one.levelname for one in caplog.records] == ["WARNING", "INFO"]
    system.stop()
