"""A plugin for pykka's own tests: their actors are made on Exqueue's base actor instead of pykka's."""

from __future__ import annotations

from typing import Any

from exqueue.supervision import Actor


def pytest_plugin_registered(plugin: Any) -> None:
    """As soon as their conftest is loaded, and before anything of it is used."""
    runtimes = getattr(plugin, "RUNTIMES", None)
    if isinstance(runtimes, dict):
        for parameter in runtimes.values():
            parameter.values[0].actor_class = Actor
