"""The pure decision whether one more restart is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exqueue.supervision.child_spec import Intensity


def add_restart(history: tuple[float, ...], now: float, intensity: Intensity) -> tuple[tuple[float, ...], bool]:
    """Count a restart at ``now``.

    Args:
        history: monotonic times of earlier restarts, oldest first.
        now: monotonic seconds.
        intensity: how many are allowed in how long.

    Returns:
        The history with this restart, cut to the window (both ends belong to it), and whether it is allowed.

    Source: ``add_restart/3`` of Erlang/OTP's ``supervisor.erl``.
    """
    kept = (*(at for at in history if at >= now - intensity.period_s), now)
    return kept, len(kept) <= intensity.restarts
