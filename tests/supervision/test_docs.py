"""The page about supervision says what is so."""

import re
import subprocess
import sys
from pathlib import Path

from exqueue import supervision
from tests.supervision.otp.test_all_rows import LEFT_OUT

PAGE = (Path(__file__).parents[2] / "docs/supervision.md").read_text(encoding="utf-8")


def test_the_program_of_the_page_prints_what_the_page_says() -> None:
    """As pasted, with every warning an error."""
    program, output = re.findall(r"```(?:python|text)\n(.*?)```", PAGE, re.DOTALL)
    ran = subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == (output, "")


def test_the_program_needs_nothing_but_supervision() -> None:
    """Of Exqueue."""
    program = PAGE.partition("```python")[2].partition("```")[0]
    assert re.findall(r"from (exqueue\S*)", program) == ["exqueue.supervision"]
    assert "job" not in program.lower()


def test_the_page_names_the_cases_that_are_left_out() -> None:
    """All of them, and no other."""
    sentence = PAGE.partition("Left out:")[2].partition("## ")[0]
    sentence = re.sub(r"(\d+) to (\d+)", lambda m: ", ".join(map(str, range(int(m[1]), int(m[2]) + 1))), sentence)
    assert {int(number) for number in re.findall(r"\d+", sentence)} == set(LEFT_OUT)


def test_supervision_knows_nothing_of_what_it_is_used_for() -> None:
    """The word does not occur in it."""
    room = Path(supervision.__file__).parent
    assert [path.name for path in room.glob("*.py") if re.search(r"\bjobs?\b", path.read_text(), re.IGNORECASE)] == []
