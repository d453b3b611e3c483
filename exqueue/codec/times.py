"""Points and lengths of time as plain data, without loss: microseconds, fold, the name of the zone.

A datetime or time is ``[wall clock as ISO 8601, fold, zone]``. The zone is ``None`` (naive), the key of a `ZoneInfo`,
an offset from UTC in microseconds, or ``[offset, name]`` when a `timezone` was given a name. A ``tzinfo`` of any other
class is kept as the offset that it has at that moment.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from exqueue.errors import PayloadError

_MICROSECOND: Final = timedelta(microseconds=1)

PlainZone = str | int | list[object] | None


def datetime_to_plain(value: datetime) -> list[object]:
    """Return ``[wall, fold, zone]``."""
    wall = value.replace(tzinfo=None, fold=0).isoformat()
    return [wall, value.fold, _zone_to_plain(value)]


def datetime_from_plain(plain: tuple[str, int, PlainZone]) -> datetime:
    """Build the datetime again.

    Raises:
        Exception: the zone is not known here, or the data is not what `datetime_to_plain` makes.
    """
    wall, fold, zone = plain
    return datetime.fromisoformat(wall).replace(tzinfo=_zone_from_plain(zone), fold=fold)


def time_to_plain(value: time) -> list[object]:
    """Return ``[wall, fold, zone]``."""
    wall = value.replace(tzinfo=None, fold=0).isoformat()
    return [wall, value.fold, _zone_to_plain(value)]


def time_from_plain(plain: tuple[str, int, PlainZone]) -> time:
    """Build the time again; raises as `datetime_from_plain`."""
    wall, fold, zone = plain
    return time.fromisoformat(wall).replace(tzinfo=_zone_from_plain(zone), fold=fold)


def timedelta_to_plain(value: timedelta) -> list[int]:
    """Return ``[days, seconds, microseconds]``."""
    return [value.days, value.seconds, value.microseconds]


def timedelta_from_plain(plain: tuple[int, int, int]) -> timedelta:
    """Build the timedelta again."""
    days, seconds, microseconds = plain
    return timedelta(days, seconds, microseconds)


def _zone_to_plain(value: datetime | time) -> PlainZone:
    zone = value.tzinfo
    if zone is None:
        return None
    if isinstance(zone, ZoneInfo) and isinstance(zone.key, str):
        return zone.key
    offset = value.utcoffset()
    if offset is None:
        raise PayloadError(f"its tzinfo of type {type(zone).__name__} gives no offset; use zoneinfo.ZoneInfo")
    if type(zone) is timezone and zone.tzname(None) != timezone(offset).tzname(None):
        return [offset // _MICROSECOND, zone.tzname(None)]
    return offset // _MICROSECOND


def _zone_from_plain(zone: PlainZone) -> tzinfo | None:
    if zone is None:
        return None
    if isinstance(zone, str):
        return ZoneInfo(zone)
    if isinstance(zone, int):
        return timezone(zone * _MICROSECOND)
    offset, name = zone
    if not (isinstance(offset, int) and isinstance(name, str)):
        raise TypeError("the stored zone is not what was written")
    return timezone(offset * _MICROSECOND, name)
