"""A disk that is really full under an SQLite file: nothing is lost or repeated; to make room is all that is needed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.host.programs import Program

if TYPE_CHECKING:
    from pathlib import Path

MOUNT = 'mkdir disk && mount -t tmpfs -o size=1m tmpfs disk && exec "$0" "$1"'
NAMESPACES = ("unshare", "--user", "--map-root-user", "--mount")

SCRIPT = """
import sqlite3
from contextlib import closing
DISK = HERE / "disk"
class Held:
    def perform(self, *, number):
        note(f"begun-{number}")
        wait(lambda: (HERE / "go").exists())
        note(f"ended-{number}")
def fill():
    with (DISK / "ballast").open("ab", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass
def refused():
    try:
        system.ask(Enqueue(Note, {"text": "refused"}), timeout=2)
    except StorageFull as error:
        return str(error)
system = start(shutdown_timeout=5)
system.ask(StartWorker(Held, concurrency=2))
system.ask(StartWorker(Note))
for number in range(4):
    system.ask(Enqueue(Held, {"number": number}))
wait(lambda: len((HERE / "notes").read_text().split()) == 2 if (HERE / "notes").exists() else False)
fill()
wait(refused)
say("refused", refused())
(HERE / "go").touch()
wait(lambda: (HERE / "notes").read_text().count("ended") >= 2)
say("in hand", len(system.ask(ListJobs("running"))), len(system.ask(ListJobs("ready"))))
(DISK / "ballast").unlink()
system.drain(timeout=15)
system.ask(Enqueue(Note, {"text": "after"}))
system.drain(timeout=15)
status = system.ask(GetStatus())
say("counts", *[(queue.name, queue.processed, queue.failed, queue.dead) for queue in status.queues])
def restarts(info):
    return sum(map(restarts, info.children), info.restarts)
say("restarts", restarts(system.ask(GetTree())))
system.stop()
with closing(sqlite3.connect(DISK / "store.db")) as file:
    say("integrity", *file.execute("PRAGMA integrity_check").fetchone())
"""


@pytest.fixture(scope="module")
def own_mounts() -> None:
    """Skip on a machine that does not let us mount a small disk for ourselves."""
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare to mount a small disk")
    tried = subprocess.run([*NAMESPACES, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, capture_output=True)
    if tried.returncode != 0:
        pytest.skip("this machine allows no mounts in a namespace of one's own")


def test_fault_101_a_full_disk_is_waited_out(own_mounts: None, tmp_path: Path, namespace: str) -> None:
    """New jobs are refused; what ended is kept and settled when there is room again; no job is lost or run twice."""
    url = f"sqlite:///{tmp_path}/disk/store.db"
    command = [*NAMESPACES, "sh", "-c", MOUNT, sys.executable, str(tmp_path / "program.py")]
    with Program(tmp_path, SCRIPT, url, namespace, command=command) as program:
        ended = program.end()
    assert ended.code == 0, ended
    refused, *lines = ended.lines
    assert "there is no room on the disk" in refused
    assert "stored: no" in refused
    assert lines == ["in hand 2 2", "counts ('Held', 4, 0, 0) ('Note', 1, 0, 0)", "restarts 0", "integrity ok"]
    assert sorted(program.notes) == sorted(
        ["after", *(f"{what}-{number}" for what in ("begun", "ended") for number in range(4))]
    )
    assert ended.err.count("\n") == ended.err.count("there is no room on the disk") == 1, ended.err
