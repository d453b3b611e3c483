"""Whether a store is as the promises say: for the end of any test.

Importable from here: `assert_sound` for a store that a URL names, `assert_store_sound` for one that is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.persistence import fsck
from exqueue.persistence.inspection.check import check
from exqueue.persistence.inspection.shell import lines

if TYPE_CHECKING:
    from collections.abc import Collection

    from exqueue.persistence.base import Persistence
    from exqueue.persistence.inspection.report import Kind, Report


def assert_sound(url: str, namespace: str = "default", *, besides: Collection[Kind] = ()) -> None:
    """Fail with what is found in a store, but for ``besides``: what the test brought about itself."""
    _assert(fsck(url, namespace=namespace), besides)


def assert_store_sound(store: Persistence, *, besides: Collection[Kind] = (), records: bool = True) -> None:
    """As `assert_sound`; ``records=False`` where the records of the test are no real ones."""
    _assert(check(store, records=records), besides)


def _assert(report: Report, besides: Collection[Kind]) -> None:
    left = [finding for finding in report.findings if finding.kind not in besides]
    assert not left, "\n".join(lines(report, repair=False))
