"""Try the installed wheel the way a user meets it: run by `.ci/run` in an environment that holds nothing else."""

import importlib.metadata
import importlib.resources
import importlib.util
import sys
from pathlib import Path

import exqueue


def main() -> None:
    """Check that the wheel is complete, installed from itself, and light to import."""
    assert Path(exqueue.__file__).is_relative_to(sys.prefix), f"{exqueue.__file__} is not the installed wheel"
    assert importlib.metadata.version("exqueue") == exqueue.__version__
    assert importlib.resources.files("exqueue").joinpath("py.typed").is_file(), "py.typed is not in the wheel"
    assert importlib.util.find_spec("pytest_exqueue") is not None, "the plugin of pytest is not in the wheel"
    (plugin,) = (one for one in importlib.metadata.entry_points(group="pytest11") if one.name == "exqueue")
    assert plugin.value == "pytest_exqueue"
    heavy = {"redis", "sqlite3"} & set(sys.modules)
    assert not heavy, f"`import exqueue` imported {sorted(heavy)}"
    sys.stdout.write(f"exqueue {exqueue.__version__} works from its wheel\n")


if __name__ == "__main__":
    main()
