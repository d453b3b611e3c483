"""Settings of a system: what is allowed, and that the refusal of the rest says what is allowed."""

import math
import os
from typing import Any

import pytest

from exqueue.checks import check_name
from exqueue.config import SystemConfig, new_node_name
from exqueue.errors import ConfigError
from tests.tables import A_YEAR, rows


def test_a_system_has_the_documented_defaults() -> None:
    """The defaults of ``ExqueueSystem.start``."""
    config = SystemConfig("memory://")
    assert (config.url, config.namespace) == ("memory://", "default")
    assert (config.lock_ttl, config.shutdown_timeout, config.ask_timeout) == (10, 25, 10)
    assert (config.max_payload, config.max_abandoned) == (1_048_576, 10)


@pytest.mark.parametrize(
    ("setting", "value", "allowed"),
    [
        *rows("namespace", "1 to 64 characters", "", "x" * 65, "a:b", None),
        *rows("node", "1 to 128 characters", "", "a b", 5),
        *rows("lock_ttl", "more than 0", 0, -1, math.nan, math.inf, True, "10", None, A_YEAR + 1),
        *rows("ask_timeout", "more than 0", 0, -1, math.nan, math.inf, True, "10", None),
        *rows("shutdown_timeout", "seconds, 0 to", -1, math.nan, math.inf, True, None),
        *rows("max_payload", "from 1 to", 0, 1.5, True, None, 2**40),
        *rows("max_abandoned", "from 0 to", -1, 1.5, True, None),
    ],
)
def test_a_setting_out_of_bounds_is_refused(setting: str, value: Any, allowed: str) -> None:
    """The refusal names the setting and what is allowed."""
    with pytest.raises(ConfigError, match=allowed) as refused:
        SystemConfig("memory://", **{setting: value})
    assert str(refused.value).startswith(f"{setting} must be")


@pytest.mark.parametrize("url", ["", "  ", None, 5])
def test_a_url_that_is_no_text_is_refused(url: Any) -> None:
    """The scheme is looked at elsewhere; here it has to be a text at all."""
    with pytest.raises(ConfigError, match="url must be a text such as redis://"):
        SystemConfig(url)


def test_a_system_may_stop_without_waiting() -> None:
    """``shutdown_timeout`` may be 0."""
    assert SystemConfig("memory://", shutdown_timeout=0).shutdown_timeout == 0


def test_each_start_is_another_node() -> None:
    """A reborn node must not be taken for the one that died."""
    names = {SystemConfig("memory://").node, SystemConfig("memory://").node, new_node_name()}
    assert len(names) == 3


def test_no_node_asks_for_a_new_one() -> None:
    """``node=None`` is the same as leaving it out."""
    assert SystemConfig("memory://", node=None).node  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize("host", ["my host!", "ü" * 300, "h" * 300])
def test_a_node_has_a_legal_name_on_any_host(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Whatever the machine is called, the name of the node keeps the rules, and its random end."""
    monkeypatch.setattr("socket.gethostname", lambda: host)
    name = new_node_name()
    assert check_name(name, "node") == name
    assert f"-{os.getpid()}-" in name
    assert name != new_node_name()


@pytest.mark.parametrize(("host", "shown"), [("web-1", "web-1"), ("", "node"), ("my host!", "my-host-")])
def test_a_node_is_named_after_its_host(monkeypatch: pytest.MonkeyPatch, host: str, shown: str) -> None:
    """Foreign characters become dashes; a host without a name is a node."""
    monkeypatch.setattr("socket.gethostname", lambda: host)
    assert new_node_name().startswith(f"{shown}-{os.getpid()}-")
