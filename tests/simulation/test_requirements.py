"""What simulations need besides Exqueue."""

import subprocess
import sys


def test_without_greenlet_it_is_said_what_installs_it() -> None:
    """As the services in contrib do."""
    code = "import sys; sys.modules['greenlet'] = None; import exqueue.testing.simulation"
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, check=False)
    assert "pip install 'exqueue[simulation]'" in done.stderr.splitlines()[-1]
