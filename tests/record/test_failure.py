"""An exception becomes text, whatever it does against that, and nothing of it stays alive."""

import gc
import json
import sys
import weakref
from typing import Any

import pytest

from exqueue.record import MAX_MESSAGE, MAX_TRACEBACK, JobError, Trail, decode_trail, describe_error, encode_trail
from exqueue.record.failure import cut_middle


def raised(error: BaseException) -> BaseException:
    """Raise and catch, so that there is a traceback."""
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001 - jobs raise these too
        return caught


def described(error: BaseException) -> JobError:
    """Describe, and check what holds for every description: within its bounds, and storable."""
    failure = describe_error(raised(error), 12.5, "node-1")
    assert (failure.at, failure.node) == (12.5, "node-1")
    assert len(failure.message.encode()) <= MAX_MESSAGE
    assert len(failure.traceback.encode()) <= MAX_TRACEBACK
    assert len(failure.type.encode()) <= 200
    trail = Trail().after_failure(failure)
    assert decode_trail(encode_trail(trail)) == trail
    assert all(type(text) is str for text in (failure.type, failure.message, failure.traceback))
    return failure


class HostileText(Exception):
    def __init__(self, inner: type[BaseException]) -> None:
        super().__init__()
        self.inner = inner

    def __str__(self) -> str:
        raise self.inner

    __repr__ = __str__


class NoText(Exception):
    def __str__(self) -> str:
        return 1  # type: ignore[return-value]  # noqa: PLE0307 - that is the point


class LyingText(str):
    __slots__ = ()

    def __len__(self) -> int:
        return 1

    def __getitem__(self, _index: Any) -> Any:
        raise RuntimeError

    def encode(self, *_args: Any, **_kwargs: Any) -> bytes:
        raise RuntimeError


class Lying(Exception):
    def __str__(self) -> str:
        return LyingText("x" * 100_000)


class HostileCause(Exception):
    @property
    def __cause__(self) -> Any:  # type: ignore[override]
        raise SystemExit(3)


class HostileClass(type):
    @property
    def __module__(cls) -> Any:  # type: ignore[override]
        raise RuntimeError


def test_an_exception_is_told_with_type_message_and_traceback() -> None:
    """As Python prints it."""
    failure = described(ValueError("no such thing"))
    assert (failure.type, failure.message) == ("ValueError", "no such thing")
    assert failure.traceback.startswith("Traceback (most recent call last):\n")
    assert failure.traceback.endswith("ValueError: no such thing\n")
    assert "raise error" in failure.traceback


def test_the_type_is_told_with_its_module() -> None:
    """Two libraries may each have a ``DecodeError``."""
    assert described(json.JSONDecodeError("x", "y", 0)).type == "json.decoder.JSONDecodeError"


@pytest.mark.parametrize("inner", [ValueError, SystemExit, KeyboardInterrupt, RecursionError, MemoryError])
def test_a_str_that_raises_is_told_as_such(inner: type[BaseException]) -> None:
    """Also when it raises what would stop the program."""
    failure = described(HostileText(inner))
    assert failure.type.endswith("HostileText")
    assert "__str__ raised" in failure.message
    assert "raise error" in failure.traceback


def test_fault_021_a_str_that_is_no_text_or_lies_is_survived() -> None:
    """A subclass of str may do anything in its own methods."""
    assert "__str__ raised" in described(NoText()).message
    assert "characters cut" in described(Lying()).message


def test_an_exception_that_cannot_be_formatted_keeps_its_frames() -> None:
    """Where causes or notes raise, the lines of the code are told at least."""
    failure = described(HostileCause("text"))
    assert failure.message == "text"
    assert "raise error" in failure.traceback
    assert "could not be formatted" in failure.traceback


def test_a_class_that_hides_its_name_is_survived() -> None:
    """Even the name is an attribute that may raise."""
    hostile = HostileClass("Hidden", (Exception,), {})
    failure = described(hostile("text"))
    assert (failure.type, failure.message) == ("unknown exception", "text")


def test_fault_020_a_long_message_keeps_both_ends() -> None:
    """50 MB become 2 KB, and say so."""
    failure = described(ValueError("<" + "x" * 50_000_000 + ">"))
    assert failure.message.startswith("<xxx")
    assert failure.message.endswith("xxx>")
    assert failure.message.count("x") > 1_900
    assert "49,998,0" in failure.message


def test_fault_020_a_long_traceback_loses_its_middle_only() -> None:
    """Where it began and what was raised are what helps."""

    def descend(levels: int) -> None:
        # Two lines that call, or Python would print "repeated 400 times" instead.
        if levels == 0:
            raise ValueError("the end")
        if levels % 2:
            return descend(levels - 1)
        return descend(levels - 1)

    with pytest.raises(ValueError, match="the end") as caught:
        descend(400)
    failure = describe_error(caught.value, 0.0, "n")
    assert failure.traceback.startswith("Traceback")
    assert failure.traceback.endswith("ValueError: the end\n")
    assert "characters cut" in failure.traceback
    assert MAX_TRACEBACK - 100 < len(failure.traceback.encode()) <= MAX_TRACEBACK


def test_fault_021_recursion_and_lack_of_memory_are_told() -> None:
    """Real ones, with the stack that they had."""

    def forever() -> None:
        forever()

    with pytest.raises(RecursionError) as caught:
        forever()
    failure = describe_error(caught.value, 0.0, "n")
    assert failure.type == "RecursionError"
    assert "forever" in failure.traceback
    assert described(MemoryError()).type == "MemoryError"


def test_fault_021_what_filled_the_memory_is_let_go_of_first() -> None:
    """It lives in the frames of the error, and nothing else would have room while it does."""

    class Hoard:
        pass

    held: list[weakref.ref[Hoard]] = []

    def fill() -> None:
        hoard = Hoard()
        held.append(weakref.ref(hoard))
        raise MemoryError

    with pytest.raises(MemoryError) as caught:
        fill()
    error = caught.value
    assert held[0]() is not None
    failure = describe_error(error, 0.0, "n")
    assert held[0]() is None
    assert "in fill" in failure.traceback


def test_fault_021_a_full_stack_still_gives_a_description() -> None:
    """Called where hardly a frame is left it says less, and does not raise."""
    error = raised(ValueError("x"))
    kinds = set()

    def descend(levels: int) -> None:
        if levels:
            descend(levels - 1)
        else:
            kinds.add(type(describe_error(error, 0.0, "n")))

    depth = 0
    frame = sys._getframe()  # noqa: SLF001 - the depth of the stack stands nowhere else
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    for room in range(20, 60, 2):
        descend(sys.getrecursionlimit() - depth - room)
    assert kinds == {JobError}


def test_lone_surrogates_are_written_as_escapes() -> None:
    """Names of files with bytes that are no UTF-8 come up in errors; they must be storable."""
    failure = described(OSError("no file \udcff"))
    assert failure.message == "no file \\udcff"
    assert "\\udcff" in failure.traceback


def test_causes_groups_and_notes_are_told() -> None:
    """What Python prints, people read."""
    inner = ValueError("inner")
    inner.add_note("look there")
    group = ExceptionGroup("several", [inner, ExceptionGroup("more", [KeyError("k")])])
    group.__cause__ = raised(TypeError("cause"))
    text = described(group).traceback
    for part in ("inner", "look there", "several", "more", "KeyError: 'k'", "TypeError: cause", "direct cause"):
        assert part in text


def test_long_chains_and_wide_groups_stay_within_bounds() -> None:
    """A retry loop may chain thousands of exceptions."""
    error: BaseException = ValueError("first")
    for number in range(2_000):
        later = ValueError(f"error {number}")
        later.__context__ = error
        error = later
    assert "error 1999" in described(error).traceback
    described(ExceptionGroup("wide", [ValueError("x" * 1_000)] * 2_000))


@pytest.mark.parametrize("hostile", [False, True], ids=["plain", "hostile"])
def test_fault_020_nothing_of_the_exception_stays_alive(hostile: bool) -> None:
    """A description that held a frame would hold all that a job had in its variables."""

    class Big:
        pass

    def fail() -> weakref.ref[Big]:
        big = Big()
        try:
            raise HostileText(SystemExit) if hostile else ValueError("x")
        except Exception as error:  # noqa: BLE001 - as the worker catches it
            kept.append(describe_error(error, 0.0, "n"))
        return weakref.ref(big)

    kept: list[JobError] = []
    gc.disable()
    try:
        assert fail()() is None
    finally:
        gc.enable()
    assert len(kept) == 1


@pytest.mark.parametrize("text", ["", "x" * 200, "é" * 100, "\ud800" * 33], ids=["empty", "x", "é", "surrogates"])
def test_what_fits_is_not_cut(text: str) -> None:
    """The limit counts bytes as stored, and is allowed itself."""
    assert cut_middle(text, 200) == text.encode("utf-8", "backslashreplace").decode()


@pytest.mark.parametrize(
    "text", ["x" * 201, "é" * 101, "🎉" * 51, "\ud800" * 34], ids=["x", "é", "party", "surrogates"]
)
def test_what_does_not_fit_says_how_much_was_cut(text: str) -> None:
    """Characters are never cut in half."""
    cut = cut_middle(text, 200)
    assert len(cut.encode()) <= 200
    assert "characters cut" in cut
    assert "\ufffd" not in cut
    if "\ud800" not in text:
        head, _, rest = cut.partition("\n[... ")
        number, _, tail = rest.partition(" characters cut ...]\n")
        assert len(head) + int(number.replace(",", "")) + len(tail) == len(text)
