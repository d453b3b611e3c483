"""The Lua scripts: one a verb, in ``lua/``, each with a header that lists KEYS, ARGV and reply."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

COMMON = "Begins with _common.lua."
"""A script whose header says so gets that file put before it."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and the digest under which a server knows it once it was loaded."""

    name: str
    source: bytes
    sha: bytes


@cache
def script(name: str) -> Script:
    """Read ``lua/<name>.lua``."""
    folder = files("exqueue.persistence.redis") / "lua"
    source = (folder / f"{name}.lua").read_bytes()
    if COMMON.encode() in source:
        source = (folder / "_common.lua").read_bytes() + b"\n" + source
    return Script(name, source, hashlib.sha1(source, usedforsecurity=False).hexdigest().encode())
