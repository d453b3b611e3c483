"""The bound that holds for one call of every persistence."""

from __future__ import annotations

from exqueue.errors import ConfigError
from exqueue.persistence.values import MAX_BATCH


def check_size(what: str, size: int) -> None:
    """Refuse what is too much for one call, before anything is done.

    Raises:
        ConfigError: it is not between 0 and `MAX_BATCH`.
    """
    if not 0 <= size <= MAX_BATCH:
        raise ConfigError(f"{what}: {size} is not allowed; allowed are 0 to {MAX_BATCH:,}. Nothing was changed.")
