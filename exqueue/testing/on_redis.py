"""A system for one test on a real server, under a namespace of its own that is erased at the end."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from exqueue.persistence.redis.erase import erase
from exqueue.testing.using import use

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from exqueue.system_ref import SystemRef
    from exqueue.testing.real import RealSystem


@contextmanager
def use_redis(url: str, *, instead_of: SystemRef | Iterable[SystemRef] = ()) -> Iterator[RealSystem]:
    """As `exqueue.testing.use` in mode ``real``. Processes that test at the same time do not meet.

    Args:
        url: of the server.
        instead_of: see `exqueue.testing.use`.
    """
    namespace = f"test-{secrets.token_hex(8)}"
    try:
        with use("real", url=url, namespace=namespace, instead_of=instead_of) as system:
            yield system
    finally:
        erase(url, namespace)
