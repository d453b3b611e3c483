"""Every block of the README and of the pages does what it says: see `tests.docs.blocks` for how they are read."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.docs.blocks import BadBlock, Block, blocks_of
from tests.docs.reader import ROOT, SHOWN_SERVER, Differs, Reader
from tests.servers import real_server

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def with_blocks() -> list[Path]:
    """The pages that have any."""
    return [page for page in PAGES if "```" in page.read_text()]


@pytest.mark.timeout(300)  # Beside all other tests; alone no page takes more than some seconds.
@pytest.mark.parametrize("page", with_blocks(), ids=lambda page: str(page.relative_to(ROOT)))
def test_what_stands_in_a_page_does_what_it_says(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Each block in its order, as somebody types them who follows the page."""
    blocks = list(blocks_of(page.read_text()))
    with contextlib.ExitStack() as stack:
        server = ""
        if any(SHOWN_SERVER in block.text for block in blocks if block.directive != "not run"):
            request.getfixturevalue("needs_server")
            server = stack.enter_context(real_server()).url
        reader = Reader(tmp_path, server)
        for block in blocks:
            reader.read(block)


def block_of(text: str) -> Block:
    """The only one of a page."""
    (block,) = blocks_of(text)
    return block


def read(tmp_path: Path, page: str) -> None:
    """Do what a page says that needs no server."""
    reader = Reader(tmp_path)
    for block in blocks_of(page):
        reader.read(block)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("```python\n1 / 0\n```\n", id="a program fails"),
        pytest.param("```python\nprint(1)\n```\nIt prints:\n\n```text\n2\n```\n", id="it prints something else"),
        pytest.param("```python\nprint(1)\n```\nIt prints:\n\n```text\n1\n2\n```\n", id="it prints less"),
        pytest.param("```python\nimport warnings\nwarnings.warn('old')\n```\n", id="it warns"),
        pytest.param("```console\n$ echo 1\n2\n```\n", id="a command says something else"),
        pytest.param("```console\n$ echo 1\n```\n", id="a command says more"),
        pytest.param("```console\necho 1\n```\n", id="a command without a prompt"),
        pytest.param("```sh\nfalse\ntrue\n```\n", id="a command fails"),
        pytest.param("```pycon\n>>> 1 + 1\n3\n```\n", id="a session differs"),
        pytest.param("```ini\n[a]\n```\n", id="nobody looks at it"),
        pytest.param("It prints:\n\n```text\n1\n```\n", id="nobody prints"),
        pytest.param("<!-- excerpt: Makefile -->\n```sh\nmake war\n```\n", id="it is no excerpt"),
        pytest.param("<!-- with: a = 0 -->\n```python\n1 / a\n```\n", id="it fails with what is given"),
    ],
)
def test_a_page_that_is_not_true_is_found(page: str, tmp_path: Path) -> None:
    """Otherwise the test of the pages would say nothing."""
    with pytest.raises(Differs, match="line "):
        read(tmp_path, page)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param('```python title="a.py"\nprint(7)\n```\n```console\n$ python a.py\n7\n```\n', id="a file"),
        pytest.param("```console\n$ echo 1; echo 2\n1\n...\n$ exit 3\n```\n", id="dots and an exit code"),
        pytest.param(
            "```python\na = 1\nprint(a)\n```\n<!-- goes on -->\n```python\nprint(a)\n```\nprints:\n```text\n1\n```",
            id="a program that goes on",
        ),
        pytest.param("<!-- with: a = 1 -->\n```python\nprint(a)\n```\nIt prints:\n```text\n1\n```\n", id="a preface"),
        pytest.param("<!-- not run: a reason -->\n```python\n1 / 0\n```\n", id="not run"),
        pytest.param("1. So:\n\n    ```python\n    if True:\n        a = 1\n    ```\n", id="indented"),
        pytest.param("```pycon\n>>> print('ab')\na...\n```\n", id="a session"),
    ],
)
def test_a_page_that_is_true_passes(page: str, tmp_path: Path) -> None:
    """What the conventions allow."""
    read(tmp_path, page)


@pytest.mark.parametrize("page", ["```\nx\n```\n", "```ruby\nx\n```\n", "<!-- not run: -->\n```sh\nx\n```\n"])
def test_a_block_that_nobody_understands_is_refused(page: str) -> None:
    """No language, an unknown one, no reason."""
    with pytest.raises(BadBlock, match="line "):
        block_of(page)
