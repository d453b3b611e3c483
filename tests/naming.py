"""Names of tests that are the same in every process, so that several processes can share them out."""

import re


def plain_repr(value: object) -> str:
    """What a value shows of itself, without addresses in memory and with the members of a set in order."""
    if isinstance(value, set | frozenset) and value:
        members = ", ".join(sorted(map(plain_repr, value)))
        return f"{type(value).__name__}({{{members}}})"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))
