"""Both processes by one command, until Ctrl-C or SIGTERM. In production each is a service of its own, as in ../deploy.

$BIND says where the application listens, 127.0.0.1:8000 unless it is set.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
GUNICORN = ["-m", "gunicorn", "--workers=2", "--no-control-socket", f"--pythonpath={HERE}", "--log-level=warning"]


def main() -> int:
    """Start both, wait until one of them ends or a signal comes, end both; return 0 if both ended well."""
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # They wait for `sigwait`, also when they come before it.
    # In sessions of their own: Ctrl-C reaches this program only, and this program tells them, once.
    commands = ([str(HERE / "node.py")], [*GUNICORN, f"--bind={os.environ.get('BIND', '127.0.0.1:8000')}", "shop:app"])
    processes = [
        subprocess.Popen(  # noqa: S603 - the two programs beside this one
            [sys.executable, *command],
            start_new_session=True,
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, signals),  # noqa: PLW1509 - no threads here
        )
        for command in commands
    ]
    signal.sigwait(signals)
    for process in processes:
        process.terminate()
    return max(abs(process.wait()) for process in processes)


if __name__ == "__main__":
    sys.exit(main())
