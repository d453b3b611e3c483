"""`exqueue.testing.simulate`: what a user finds out about job classes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from exqueue import ConfigError, ListJobs, current_job, job
from exqueue.testing import Simulation, simulate

if TYPE_CHECKING:
    from collections.abc import Callable

LATER_S = 60.0


class Paper:
    """What is written here stays, whatever happens to the node."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line)


paper = Paper()
write: Callable[[str], None] = paper.write


class Twice:
    """A job with two side effects."""

    def perform(self) -> None:
        write("first")
        write("second")


def set_up(simulation: Simulation) -> None:
    """A fresh paper, on which to write is a side effect."""
    global paper, write  # noqa: PLW0603 - as a client of a service is a global of many programs
    paper = Paper()
    write = simulation.side_effect(paper.write)


def run_twice(simulation: Simulation) -> None:
    """Run the job on a fresh paper."""
    set_up(simulation)
    simulation.start(Twice)
    simulation.enqueue(Twice)
    simulation.run()


def test_each_place_of_a_crash_is_tried() -> None:
    """Before and after each side effect, killed and frozen: every order of lines appears that a crash can make."""
    seen: Counter[tuple[str, ...]] = Counter()

    def scenario(simulation: Simulation) -> None:
        run_twice(simulation)
        assert paper.lines[-1] == "second"
        seen[tuple(paper.lines)] += 1

    done = simulate(scenario, seeds=())
    assert (done.points, done.runs, done.crashes) == (4, 9, 8)
    assert seen == {
        ("first", "second"): 2,  # no crash; killed before the first
        ("first", "first", "second"): 2,  # killed between the two: after the first, or before the second
        ("first", "second", "first", "second"): 3,  # killed after both; frozen before the first, or after both
        ("first", "first", "second", "second"): 2,  # frozen between the two: each run writes a second line
    }


def test_crashes_that_happened_are_counted() -> None:
    """What a seed plans at a place that its run does not come to is no crash."""
    happened: list[int] = []

    def scenario(simulation: Simulation) -> None:
        run_twice(simulation)
        happened.append(sum(line.split()[3] == "crashes" for line in simulation.story().splitlines()))

    done = simulate(scenario, seeds=range(20))
    assert done.runs == len(happened)
    assert done.crashes == sum(happened)
    assert 0 in happened[1 + 2 * done.points :]


class CleansUp:
    """A job that writes on its way out, whatever ends it."""

    def perform(self) -> None:
        try:
            write("work")
        except BaseException:
            write("caught")
            raise
        finally:
            write("clean")


def test_the_dead_do_nothing() -> None:
    """Jobs of a killed node never come to their clean-up: what they would write there is not written, even later."""
    papers: list[Paper] = []

    def scenario(simulation: Simulation) -> None:
        set_up(simulation)
        papers.append(paper)
        simulation.start(CleansUp)
        simulation.enqueue(CleansUp)
        simulation.run()
        paper.lines.append("the end")

    simulate(scenario, seeds=())
    assert {one.lines[-1] for one in papers} == {"the end"}
    assert not any("caught" in one.lines for one in papers)


def test_what_has_not_ended_when_the_scenario_ends_does_nothing() -> None:
    """A node that stands still while the scenario ends goes on no more than a dead one."""
    papers: list[Paper] = []

    def scenario(simulation: Simulation) -> None:
        set_up(simulation)
        papers.append(paper)
        simulation.start(CleansUp)
        simulation.enqueue(CleansUp)
        if len(papers) == 1:
            simulation.run()
        else:
            while not simulation.crashes:
                simulation.ask(ListJobs("dead"))
        paper.lines.append("the end")

    simulate(scenario, seeds=())
    assert {one.lines[-1] for one in papers} == {"the end"}


class Threaded:
    """A job whose side effect is called in a thread of its own."""

    def perform(self) -> None:
        write("first")
        with ThreadPoolExecutor(1) as pool:
            refused.append(pool.submit(write, "in a thread").exception())


refused: list[BaseException | None] = []


def test_side_effects_in_threads_are_refused() -> None:
    """The call raises and does nothing; so does `run`, as the job may have looked away."""

    def scenario(simulation: Simulation) -> None:
        set_up(simulation)
        simulation.start(Threaded)
        simulation.enqueue(Threaded)
        simulation.run()

    refused.clear()
    with pytest.raises(ConfigError, match="a thread has no part in a simulation: ") as found:
        simulate(scenario)
    assert refused == [found.value]
    assert paper.lines == ["first"]
    assert found.value.__notes__[0].startswith("Exqueue simulated this with no crash:")


def test_a_thread_that_outlives_its_job_is_refused_as_well() -> None:
    """It may call its side effect when `run` is over."""
    go = Event()
    late: list[Future[None]] = []

    with ThreadPoolExecutor(1) as pool:

        @job
        def leaves_a_thread() -> None:
            write("first")
            late.append(pool.submit(lambda: write(str(go.wait(LATER_S)))))

        def scenario(simulation: Simulation) -> None:
            set_up(simulation)
            simulation.start(leaves_a_thread)
            simulation.enqueue(leaves_a_thread)
            simulation.run()
            go.set()
            assert isinstance(late[0].exception(), ConfigError)

        with pytest.raises(ConfigError, match="a thread has no part in a simulation: "):
            simulate(scenario)


def test_side_effects_of_an_earlier_run_are_refused() -> None:
    """A job that still calls one reads why; and none is wrapped again."""
    wrapped: list[Callable[[], None]] = []
    raised: list[str] = []

    @job
    def calls() -> None:
        write("called")
        try:
            wrapped[0]()
        except ConfigError as error:
            raised.append(str(error))

    def scenario(simulation: Simulation) -> None:
        set_up(simulation)
        wrapped.append(simulation.side_effect(lambda: None))
        simulation.start(calls)
        simulation.enqueue(calls)
        simulation.run()

    simulate(scenario, seeds=())
    assert set(raised) == {"what an earlier run has made was called: a scenario makes its world anew"}
    with pytest.raises(ConfigError, match="<lambda> is a side effect already: "):
        simulate(lambda simulation: wrapped.append(simulation.side_effect(wrapped[0])))


def test_a_mock_can_be_a_side_effect() -> None:
    """Though it has every attribute and no name."""
    sent = Mock()
    send: Callable[[], None] = sent

    @job
    def sends() -> None:
        send()

    def scenario(simulation: Simulation) -> None:
        nonlocal send
        sent.reset_mock()
        send = simulation.side_effect(sent)
        simulation.start(sends)
        simulation.enqueue(sends)
        simulation.run()
        assert sent.called

    assert simulate(scenario, seeds=()).points == 2


def test_a_failure_says_what_led_to_it_and_is_found_again() -> None:
    """The note names the crash or the seed, and tells the story; that seed alone shows the same."""

    def scenario(simulation: Simulation) -> None:
        set_up(simulation)
        simulation.start(Twice)
        simulation.enqueue(Twice, id="the-job")
        simulation.run()
        assert Counter(paper.lines)["first"] <= 2, paper.lines

    with pytest.raises(AssertionError) as found:
        simulate(scenario)
    (note,) = found.value.__notes__
    first = note.splitlines()[0]
    assert first.startswith("Exqueue simulated this simulate(..., seeds=[")
    assert "crashes" in note
    assert "the-job" in note
    seed = int(first.partition("[")[2].partition("]")[0])
    with pytest.raises(AssertionError) as again:
        simulate(scenario, seeds=[seed])
    assert again.value.__notes__ == [note]


@pytest.mark.parametrize("error", [pytest.fail.Exception("twice"), SystemExit("twice")])
def test_what_is_no_exception_is_told_as_well(error: BaseException) -> None:
    """`pytest.fail` raises what is no `Exception`; its story is wanted as much as that of an assertion."""

    def scenario(simulation: Simulation) -> None:
        run_twice(simulation)
        if simulation.crashes:
            raise error

    with pytest.raises(type(error)) as found:
        simulate(scenario)
    (note,) = found.value.__notes__
    assert note.startswith("Exqueue simulated this with the node killed at place 0 of 4:\n")
    assert "killed before write" in note


def test_who_interrupts_is_told_nothing() -> None:
    """It is no failure of the scenario."""

    def scenario(simulation: Simulation) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as found:
        simulate(scenario)
    assert not hasattr(found.value, "__notes__")


def test_time_is_virtual() -> None:
    """A job that is enqueued for later, and retried later still, is over at once."""
    times: list[int] = []

    @job
    def fails_once() -> None:
        it = current_job()
        assert it is not None
        times.append(it.attempt)
        write("tried")
        if it.attempt == 1:
            raise ValueError

    def scenario(simulation: Simulation) -> None:
        set_up(simulation)
        times.clear()
        simulation.start(fails_once, backoff=LATER_S)
        simulation.enqueue(fails_once, delay=LATER_S)
        simulation.run()
        ended_at = float(simulation.story().splitlines()[-1].split()[0])
        assert simulation.crashes or (times == [1, 2] and ended_at > 2 * LATER_S)

    assert simulate(scenario, seeds=range(2)).points == 4


def test_dead_jobs_are_there_to_be_asked_for() -> None:
    """A scenario can look at the jobs as any program can."""

    @job(max_retries=0)
    def dies() -> None:
        write("last words")
        raise ValueError

    def scenario(simulation: Simulation) -> None:
        set_up(simulation)
        simulation.start(dies)
        simulation.enqueue(dies, id="1")
        simulation.run()
        assert [one.id for one in simulation.ask(ListJobs("dead"))] == ["1"]

    simulate(scenario, seeds=range(2))


def test_where_nothing_could_crash_nothing_was_tried() -> None:
    """A scenario whose jobs have no side effect is refused; a call from outside of jobs is none."""

    @job
    def does_nothing() -> None:
        pass

    def scenario(simulation: Simulation) -> None:
        set_up(simulation)
        write("from outside")
        simulation.note("written")
        assert "written" in simulation.story()
        simulation.start(does_nothing)
        simulation.enqueue(does_nothing)
        simulation.run()
        assert simulation.points == 0

    with pytest.raises(ConfigError, match="no job called a side effect in run\\(\\), so nothing was tried: "):
        simulate(scenario, seeds=range(3))


def test_a_scenario_that_forgets_to_run_is_refused() -> None:
    """It would pass, whatever its jobs do."""

    def scenario(simulation: Simulation) -> None:
        set_up(simulation)
        simulation.start(Twice)
        simulation.enqueue(Twice)

    with pytest.raises(ConfigError, match="the scenario did not call run\\(\\), so nothing was tried: "):
        simulate(scenario, seeds=range(3))


def test_async_jobs_are_refused() -> None:
    """There is no event loop in it."""

    @job
    async def waits() -> None:
        pass

    with pytest.raises(ConfigError, match="waits is async, and a simulation has no event loop"):
        simulate(lambda simulation: simulation.start(waits))


def test_what_is_missing_is_said() -> None:
    """Who has no greenlet reads what to install, and can use the rest of `exqueue.testing`."""
    program = (
        "import sys; sys.modules['greenlet'] = None\n"
        "from exqueue.testing import crash\n"
        "try:\n    from exqueue.testing import simulate\n"
        "except ImportError as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "to simulate needs greenlet: pip install 'exqueue[simulation]'"


def test_what_is_no_part_of_it_is_not_found() -> None:
    """As in any module."""
    import exqueue.testing  # noqa: PLC0415 - to look at it as a module

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = exqueue.testing.nothing
