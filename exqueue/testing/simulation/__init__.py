"""Whole systems on one thread, in virtual time, where a seed decides all that is left to chance.

Needs greenlet: ``pip install exqueue[simulation]``.
"""

try:
    import greenlet  # noqa: F401 - only whether it is there
except ImportError as missing:
    raise ImportError("exqueue.testing.simulation needs greenlet: pip install 'exqueue[simulation]'") from missing
