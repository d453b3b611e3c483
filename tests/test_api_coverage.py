"""No public message, reply, event or error is forgotten by the tests that use the library as its users do."""

import inspect
import re
from pathlib import Path

import exqueue

ROOMS = ("system", "messages")


def untold() -> list[str]:
    """The public classes that no test of these rooms names."""
    here = Path(__file__).parent
    told = "\n".join(path.read_text() for room in ROOMS for path in sorted((here / room).rglob("*.py")))
    classes = [name for name in exqueue.__all__ if inspect.isclass(getattr(exqueue, name))]
    return [name for name in classes if re.search(rf"\b{name}\b", told) is None]


def test_every_public_class_is_used_from_a_users_side() -> None:
    """Which is not proof that it is used well, but that it was not added and then forgotten."""
    assert untold() == []
