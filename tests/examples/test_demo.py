"""What `make demo` plays, and the program of docs/simulate.md, run as a reader runs them."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.examples.running import DEADLINE_S, EXAMPLES, environment, python

if TYPE_CHECKING:
    from pathlib import Path


def takeover(url: str | None) -> subprocess.CompletedProcess[str]:
    """Run that example; its two processes say on stderr that one of them is gone."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / "takeover.py")]
    return subprocess.run(
        command, env=environment(url), check=False, capture_output=True, text=True, timeout=DEADLINE_S
    )


@pytest.fixture(params=["no URL", "redis"])
def demo_url(request: pytest.FixtureRequest) -> str | None:
    """Where the demo keeps its jobs; its namespace is its own."""
    if request.param == "no URL":
        return None
    url: str = request.getfixturevalue("redis_url")
    return url


def test_the_demo_shows_crashes_a_death_and_the_account(tmp_path: Path, demo_url: str | None) -> None:
    """It ends well, and shows the ERROR of the death, the tree in columns with its two restarts, and the table."""
    ended = python(str(EXAMPLES / "demo.py"), folder=tmp_path, url=demo_url)

    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert ended.stdout.count("log | ERROR job ") == 1
    assert "log | ConnectionError: the bank does not answer" in ended.stdout
    assert re.search(r"To run it again: system.tell\(RetryDead\('[^']+'\)\)", ended.stdout)
    tree = ended.stdout.partition("SendMail      QueueSupervisor")[2].partition("ChargeCard")[0].splitlines()[1:-1]
    assert tree[0].startswith("            fetcher   Fetcher          restarts: 1")
    assert [re.sub(r"job \S+$", "job ...", line) for line in tree[1:]] == [
        "            worker-1  Worker           restarts: 1  job ...",
        "            worker-2  Worker                        job ...",
        "            worker-3  Worker                        job ...",
        "            worker-4  Worker                        job ...",
    ]
    table = [line.split() for line in ended.stdout.partition("job class ")[2].splitlines()[1:4]]
    assert table == [
        ["SendMail", "40", "40", "0", "0", "40", "0"],
        ["ChargeCard", "1", "3", "1", "1", "1", "0"],
        ["write_report", "5", "5", "0", "0", "5", "0"],
    ]
    assert "WRONG" not in ended.stdout


def test_a_killed_process_is_taken_over_from(demo_url: str | None) -> None:
    """What was interrupted runs again, the rest once, within the promised time; the table says so."""
    ended = takeover(demo_url)

    assert ended.returncode == 0, ended.stdout
    table = [line.split() for line in ended.stdout.partition("attempt\n")[2].splitlines()[:6]]
    assert [(row[0], row[1], row[-1]) for row in table] == [
        ("0", "yes", "2"),
        ("1", "yes", "2"),
        ("2", "yes", "2"),
        ("3", "no", "1"),
        ("4", "no", "1"),
        ("5", "no", "1"),
    ]
    assert re.search(r"taken over after \d\.\d\d s, promised are 3 s", ended.stdout)


def test_a_takeover_needs_a_store_that_processes_share() -> None:
    """Memory is not one, and the program says so instead of failing."""
    ended = takeover("memory://")

    assert ended.returncode == 0
    assert "memory can't be shared with another process" in ended.stdout


A_LOST_MAIL = """
def all_but_one(jobs):
    return EnqueueMany([one for one in jobs if one.kwargs != {"number": 7}])
demo.EnqueueMany = all_but_one
"""
A_MAIL_SENT_TWICE = """
once = demo.SendMail.perform
def twice(self, *, number):
    once(self, number=number)
    if number == 7:
        once(self, number=number)
demo.SendMail.perform = twice
"""
PAGES_OUT_OF_TURN = """
def backwards_if_pages(jobs):
    jobs = list(jobs)
    return EnqueueMany(jobs[::-1] if "page" in jobs[0].kwargs else jobs)
demo.EnqueueMany = backwards_if_pages
"""
A_CHARGE_LEFT_IN_THE_STORE = """
judge = demo.judge
def after_another_charge(system, *rest):
    system.ask(Enqueue(demo.ChargeCard, {"card": "4712"}, delay=60))
    return judge(system, *rest)
demo.judge = after_another_charge
"""
A_CRASH_TOO_MANY = """
crash = demo.crash
def crash_another_too(system, path):
    crash(system, path)
    if path.endswith("worker-1"):
        crash(system, "queues/write_report/fetcher")
demo.crash = crash_another_too
"""
A_SECOND_ERROR = """
judge = demo.judge
def after_an_error(*everything):
    logging.getLogger("exqueue.actors.reporter").error("job P7 (ChargeCard) is dead")
    return judge(*everything)
demo.judge = after_an_error
"""


@pytest.mark.parametrize(
    ("breakage", "found"),
    [
        pytest.param(A_LOST_MAIL, "waited 2 s in vain: all mails", id="a mail is lost"),
        pytest.param(A_MAIL_SENT_TWICE, "SendMail 7 ran 2 times", id="a mail is sent twice"),
        pytest.param(PAGES_OUT_OF_TURN, "the pages were not written one after another", id="pages out of turn"),
        pytest.param(A_CHARGE_LEFT_IN_THE_STORE, "ChargeCard: the numbers are not those of 1 jobs", id="a job is left"),
        pytest.param(A_CRASH_TOO_MANY, "not exactly the two crashed actors were started again", id="too many restarts"),
        pytest.param(A_SECOND_ERROR, "there was not one ERROR, of the dead job, but 2", id="reported twice"),
    ],
)
def test_the_demo_finds_what_is_wrong(tmp_path: Path, breakage: str, found: str) -> None:
    """The demo's own checks can fail: with anything made wrong it says what, and exits with 1."""
    program = f"""
import logging, sys
sys.path.insert(0, {str(EXAMPLES)!r})
import demo
from exqueue import Enqueue, EnqueueMany
demo.PATIENCE_S = 2.0
{breakage}
sys.exit(demo.main())
"""
    ended = python("-c", program, folder=tmp_path, url=None)

    assert (ended.returncode, ended.stderr) == (1, ""), ended.stdout
    assert f"WRONG: {found}" in ended.stdout
    assert "Nothing was lost" not in ended.stdout


def test_a_double_charge_is_found_and_repaired() -> None:
    """The naive job charges twice when its node stands still between look and charge; the fenced one never."""
    ran = subprocess.run(
        [sys.executable, str(EXAMPLES / "charge_once.py")],
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
    )
    naive, how, fenced = ran.stdout.splitlines()
    assert naive == "Charge: charged 2 times"
    assert how == "Exqueue simulated this with the node frozen at place 1 of 4:"
    page = (EXAMPLES.parent / "docs" / "simulate.md").read_text()
    assert how in page
    assert naive.removeprefix("Charge: ") in page
    assert re.fullmatch(r"ChargeOnce: charged once in each of 39 runs with \d+ crashes", fenced)
