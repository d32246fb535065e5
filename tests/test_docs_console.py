"""The page about the console shows each of its pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lpa_ops.console.pages import PAGES

ROOT = Path(__file__).parents[1]
PICTURE = re.compile(r"!\[[^\]]+\]\((images/console/[a-z-]+\.png)\)")
MOST_BYTES = 120_000


@pytest.mark.parametrize("name", [*(page.path.replace("/", "-") for page in PAGES), "flow-dark", "flow-phone"])
def test_each_page_has_a_picture(name: str) -> None:
    shown = PICTURE.findall((ROOT / "docs" / "console.md").read_text())
    file = f"images/console/{name}.png"
    assert file in shown, "docs/console.md shows it"
    picture = (ROOT / "docs" / file).read_bytes()
    assert picture.startswith(b"\x89PNG"), "./dev screenshots makes it"
    assert len(picture) < MOST_BYTES


def test_no_picture_is_left_of_a_page_that_is_gone() -> None:
    shown = {Path(file).name for file in PICTURE.findall((ROOT / "docs" / "console.md").read_text())}
    assert {path.name for path in (ROOT / "docs" / "images" / "console").iterdir()} == shown
