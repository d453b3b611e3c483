"""The package as a whole: what importing it costs, and what it asks of its users."""

import importlib.metadata
import importlib.resources
import re
import subprocess
import sys

import exqueue

IMPORT_BUDGET_S = 0.1
RUNS = 5


def in_a_fresh_interpreter(program: str) -> str:
    """Run a program in an interpreter that has imported nothing yet; return what it printed."""
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.strip()


def requirements() -> list[str]:
    """What the core requires of everybody, without the extras."""
    return [line for line in importlib.metadata.requires("exqueue") or [] if "extra ==" not in line]


def test_importing_loads_no_backend() -> None:
    """Nobody pays for a backend that is not used: `import exqueue` imports neither redis nor sqlite3."""
    loaded = in_a_fresh_interpreter("import sys, exqueue; print(*sys.modules)").split()

    assert "exqueue" in loaded
    assert not {"redis", "sqlite3"} & set(loaded)


def test_importing_is_quick() -> None:
    """`import exqueue` costs a program less than 0.1 s of a processor, whatever else the machine is busy with."""
    program = "import time; t = time.process_time(); import exqueue; print(time.process_time() - t)"

    best_s = min(float(in_a_fresh_interpreter(program)) for _ in range(RUNS))

    assert best_s < IMPORT_BUDGET_S


def test_the_core_requires_three_packages() -> None:
    """The core depends on msgpack, pykka and redis and on nothing else."""
    names = {re.split(r"[^A-Za-z0-9_.-]", line, maxsplit=1)[0] for line in requirements()}

    assert names == {"msgpack", "pykka", "redis"}


def test_fault_047_requirements_are_floors() -> None:
    """An application chooses its own versions: no requirement is a pin, and msgpack's floor is 1.2.1."""
    assert "msgpack>=1.2.1" in requirements()
    assert not [line for line in requirements() if re.search(r"==|~=|<", line)]


def test_the_types_are_shipped() -> None:
    """Type checkers read the package's annotations because py.typed lies beside them."""
    assert importlib.resources.files("exqueue").joinpath("py.typed").is_file()


def test_the_version_is_the_installed_one() -> None:
    """`exqueue.__version__` and the package's metadata agree."""
    assert exqueue.__version__ == importlib.metadata.version("exqueue")


def test_every_public_name_can_be_loaded() -> None:
    """What `__all__` promises is there, and nothing else is."""
    assert [name for name in exqueue.__all__ if getattr(exqueue, name, None) is None] == []
    assert not hasattr(exqueue, "no_such_name")


def test_every_error_stands_in_one_file() -> None:
    """All that derives from `ExqueueError` is defined in `exqueue.errors`, where a reader finds the whole tree."""
    program = """
import importlib, pkgutil, exqueue, exqueue.errors
for module in pkgutil.walk_packages(exqueue.__path__, "exqueue."):
    importlib.import_module(module.name)
found = [exqueue.errors.ExqueueError]
for error in found:
    found += error.__subclasses__()
print(len(found), *{f"{one.__module__}.{one.__name__}" for one in found if one.__module__ != "exqueue.errors"})
"""
    count, *elsewhere = in_a_fresh_interpreter(program).split()

    assert int(count) > 20
    assert elsewhere == []


def test_the_first_program_of_the_readme_prints_what_it_says() -> None:
    """The program runs as pasted, and its output is the block below it."""
    readme = (importlib.resources.files("exqueue").joinpath("..") / "README.md").read_text(encoding="utf-8")
    program, output = re.findall(r"```(?:python|text)\n(.*?)```", readme, re.DOTALL)[:2]

    assert in_a_fresh_interpreter(program).strip() == output.strip()


def test_the_second_program_of_the_readme_runs() -> None:
    """As pasted; its queue has one worker, so the jobs run in the order in which they were enqueued."""
    readme = (importlib.resources.files("exqueue").joinpath("..") / "README.md").read_text(encoding="utf-8")
    program = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)[1]

    printed = in_a_fresh_interpreter(program).splitlines()

    assert printed == ["Hello, Ann", "Hi, Bob", "Hello, Cas", "Hello, Dee"]
