"""The Lua scripts: one a verb, in ``lua/``, each with a header that lists KEYS, ARGV and reply."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

COMMON: Final = b"Begins with _common.lua."
"""A script whose header says so gets that file put before it."""

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
    found = {}
    for name, text in sources.items():
        if name.startswith("_"):
            continue
        before = sources["_common"] + b"\n" if COMMON in text else b""
        half = SECOND_HALF.search(text)
        behind = b"\n" + sources[half[1].decode()] if half is not None else b""
        source = before + text + behind
        found[name] = Script(name, source, hashlib.sha1(source, usedforsecurity=False).hexdigest().encode())
    return found


# All of them now, by whoever imports this: reading a resource takes locks of the import system, and in a process that
# forks while one of its threads is about it the child could never import anything again.
_SCRIPTS: Final = _read_all()
