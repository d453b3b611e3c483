"""What the tables of refused settings are written with."""

A_YEAR = 365 * 86_400
"""Seconds."""


def rows(setting: str, allowed: str, *values: object) -> list[tuple[str, object, str]]:
    """Return a row of a table for each of these values of a setting."""
    return [(setting, value, allowed) for value in values]
