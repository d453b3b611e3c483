"""A directory that the program may not write to: one ERROR that says so, and all goes on once it is mended."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.host.programs import Program

SCRIPT = """
from exqueue.persistence.urls import open_persistence
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
store = open_persistence(URL, namespace=NAMESPACE)
store.session(timeout=5).queues()
store.close()
folder = Path(URL.removeprefix("sqlite:///")).parent
for path in (*folder.iterdir(), folder):
    path.chmod(0o555 if path == folder else 0o666)
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
system = start()
ran = threading.Event()
class Noted:
    def perform(self):
        ran.set()
system.ask(StartWorker(Noted))
system.tell(Enqueue(Noted))
wait(lambda: system.ask(GetStatus()).outage_reason)
say("reason", system.ask(GetStatus()).outage_reason)
wait(ran.is_set)
wait(lambda: system.ask(GetStatus()).outage_reason is None)
system.drain()
system.stop()
say("ran")
"""


def test_a_read_only_directory_is_said_once_at_error(tmp_path: Path, namespace: str) -> None:
    """The file is there and may be written: SQLite needs the directory too, which is easily overlooked."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        with Program(tmp_path, SCRIPT, f"sqlite:///{folder}/store.db", namespace) as program:
            reason = program.await_line("reason")
            Path(folder).chmod(0o777)
            ended = program.end()
        assert (ended.code, ended.lines[-1]) == (0, "ran"), ended
    assert "store.db can't be written: give this user the right to write the file and its directory" in reason
    begins, ends = [line for line in ended.err.splitlines() if " the persistence " in line]
    assert begins.startswith("ERROR the persistence refuses, jobs wait until a person acts: ")
    assert reason.partition(" [")[0] in begins
    assert ends.startswith("INFO the persistence answers again and refuses no more")
