"""The Lua scripts: one a verb, in ``lua/``, each with a header that lists KEYS, ARGV and reply.

Files whose name begins with ``_`` are no scripts by themselves. Most are what several of them need: each is put before
the scripts whose header names it. One that is the second half of a script is put behind it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

SECOND_HALF: Final = re.compile(rb"Goes on in (_\w+)\.lua\.")
"""A script whose header says so gets that file put behind it: one text for the server, which then calls no function."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and the digest under which a server knows it once it was loaded."""

    name: str
    source: bytes
    sha: bytes


def script(name: str) -> Script:
    """That of ``lua/<name>.lua``."""
    return _SCRIPTS[name]


def _read_all() -> dict[str, Script]:
    sources = {
        path.name.removesuffix(".lua"): path.read_bytes()
        for path in (files("exqueue.persistence.redis") / "lua").iterdir()
        if path.name.endswith(".lua")
    }
    parts = {name: sources.pop(name) for name in sorted(sources) if name.startswith("_")}
    found = {}
    for name, text in sources.items():
        half = SECOND_HALF.search(text)
        behind = half[1].decode() if half is not None else ""
        before = [part for of, part in parts.items() if of != behind and f"{of}.lua".encode() in text]
        source = b"\n".join([*before, text, *([parts[behind]] if behind else ())])
        found[name] = Script(name, source, hashlib.sha1(source, usedforsecurity=False).hexdigest().encode())
    return found


# All of them now, by whoever imports this: reading a resource takes locks of the import system, and in a process that
# forks while one of its threads is about it the child could never import anything again.
_SCRIPTS: Final = _read_all()
