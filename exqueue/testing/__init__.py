"""For the tests of programs that use Exqueue."""

from exqueue.testing.crash import crash

__all__ = ["crash"]
