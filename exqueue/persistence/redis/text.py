"""Text from the server and back, also where somebody else wrote bytes that are no UTF-8.

Those stand in the text as lone surrogates, so that what was read can be asked for again, byte by byte.
"""

from __future__ import annotations


def text_of(data: bytes) -> str:
    """Decode; never raises."""
    return data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """The bytes of a text that `text_of` made."""
    return text.encode("utf-8", "surrogateescape")


def is_utf8(data: bytes) -> bool:
    """Whether these bytes are text."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
