"""The names of `exqueue.testing`."""

import subprocess
import sys

PROGRAM = """
import importlib, inspect, pkgutil, sys
import exqueue.testing
assert [name for name in sys.modules if name.startswith("exqueue.testing.")] == []
for module in pkgutil.iter_modules(exqueue.testing.__path__, "exqueue.testing."):
    importlib.import_module(module.name)
names = {name: getattr(exqueue.testing, name) for name in exqueue.testing.__all__}
print(len(names), *(name for name, value in names.items() if inspect.ismodule(value)))
"""


def test_each_name_is_what_it_says() -> None:
    """Loaded at its first use, and no module in its place, whichever has been imported before."""
    told = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True).stdout.split()
    assert told == ["12"]
