"""What a spec, an intensity and a supervisor refuse, and what they are when nothing is said."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from exqueue.errors import ChildRefused, ConfigError, NotStarted
from exqueue.supervision import (
    ActorContext,
    ChildSpec,
    DeleteChild,
    Intensity,
    Restart,
    RestartChild,
    StartChild,
    Strategy,
    Supervisor,
    TerminateChild,
    Tree,
    WhichChild,
)
from tests.supervision.tree import Overseer, Player, child, crash, running

if TYPE_CHECKING:
    from collections.abc import Callable


def test_otp_016_what_holds_when_nothing_is_said() -> None:
    """OTP's defaults, with seconds for milliseconds."""
    supervisor = Supervisor(ActorContext(""))
    assert (supervisor.strategy, supervisor.intensity) == (Strategy.ONE_FOR_ONE, Intensity(1, 5.0))
    assert ChildSpec("a", Player).restart is Restart.PERMANENT
    assert (ChildSpec("a", Player).patience_s, ChildSpec("a", Overseer).patience_s) == (5.0, math.inf)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"id": ""}, "id is a non-empty text"),
        ({"id": "a/b"}, "id is a non-empty text"),
        ({"id": 7}, "id is a text"),
        ({"actor": "Player"}, "actor is a subclass of Actor"),
        ({"actor": dict}, "actor is a subclass of Actor"),
        ({"kwargs": 7}, "kwargs is a mapping"),
        ({"restart": "permanent"}, "restart is a member of Restart"),
        ({"shutdown_s": -10}, "shutdown_s is a number of seconds from 0"),
        ({"shutdown_s": math.nan}, "shutdown_s is a number of seconds from 0"),
        ({"shutdown_s": "5"}, "shutdown_s is a number of seconds"),
        ({"backoff": 1.0}, "backoff is a Backoff or None"),
    ],
)
def test_otp_017_a_spec_says_which_field_is_wrong(fields: dict[str, Any], message: str) -> None:
    """And what it may be."""
    with pytest.raises(ConfigError, match=message):
        ChildSpec(**{"id": "a", "actor": Player, **fields})


@pytest.mark.parametrize(("fields", "name"), [({"id": "a"}, "actor"), ({"actor": Player}, "id")])
def test_otp_017_a_spec_without_its_id_or_actor_is_none(fields: dict[str, Any], name: str) -> None:
    """Python itself names what is missing."""
    with pytest.raises(TypeError, match=f"'{name}'"):
        ChildSpec(**fields)


def test_otp_017_an_unknown_key_is_refused() -> None:
    """Other than in OTP, which passes over it: it is a slip of the pen."""
    with pytest.raises(TypeError, match="significant"):
        ChildSpec("a", Player, significant=True)  # type: ignore[call-arg] # the test
    with running() as tree, pytest.raises(NotStarted, match="unexpected keyword argument 'colour'"):
        tree.order(StartChild(child("a", colour="red")))


def test_otp_018_an_id_is_used_once() -> None:
    """In the list, and by a child that runs, is stopped or is being restarted."""
    with pytest.raises(ConfigError, match="two children have the id 'a'"):
        Tree.start(children=(child("a"), child("b"), child("a")))
    with running(child("a")) as tree:
        with pytest.raises(ChildRefused, match="a: already started"):
            tree.order(StartChild(child("a")))
        tree.order(TerminateChild("a"))
        with pytest.raises(ChildRefused, match="a: already present"):
            tree.order(StartChild(child("a", starting=crash(ValueError("not even tried")))))


@pytest.mark.parametrize("restarts", [-1, 1.5, True, "3", math.inf])
def test_otp_019_an_intensity_is_a_whole_number(restarts: object) -> None:
    """From 0, and not infinite."""
    with pytest.raises(ConfigError, match="restarts"):
        Intensity(restarts)  # type: ignore[arg-type]


@pytest.mark.parametrize("period_s", [0, -1, math.inf, math.nan])
def test_otp_019_a_period_is_above_zero_and_finite(period_s: float) -> None:
    """A window must end."""
    with pytest.raises(ConfigError, match="period_s"):
        Intensity(1, period_s)


@pytest.mark.parametrize(
    ("how", "message"),
    [({"strategy": "one_for_one"}, "member of Strategy"), ({"intensity": (1, 5)}, "intensity is an Intensity")],
)
def test_otp_019_a_supervisor_knows_its_strategies(how: dict[str, Any], message: str) -> None:
    """And nothing else."""
    with pytest.raises(ConfigError, match=message):
        Tree.start(**how)


@pytest.mark.parametrize("spec", [Player, None, "a", {"id": "a", "actor": Player}])
def test_what_is_no_spec_is_refused_before_it_is_sent(spec: Any) -> None:
    """By whoever makes the message, since the supervisor that got it would crash of it."""
    with pytest.raises(ConfigError, match="StartChild: spec is a ChildSpec, got"):
        StartChild(spec)


@pytest.mark.parametrize("message", [RestartChild, TerminateChild, DeleteChild, WhichChild])
@pytest.mark.parametrize("child_id", [5, None, ["a"], {}, b"a"])
def test_what_is_no_id_is_refused_before_it_is_sent(message: Callable[[Any], object], child_id: object) -> None:
    """As above: most of these can't even be looked up."""
    with pytest.raises(ConfigError, match=r"(Restart|Terminate|Delete|Which)Child: id is the text"):
        message(child_id)
