"""The lines of docs/operations/guide.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PAGE = (Path(__file__).parents[2] / "docs" / "operations" / "guide.md").read_text()


class Line(NamedTuple):
    section: str
    text: str
    """Of the guide."""
    runs: str
    """The same, or what stands in its place."""


def lines() -> Iterator[Line]:
    for section, rows in re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", PAGE, re.MULTILINE):
        for text, runs in re.findall(r"^\| (.+?) \| (.+?) \|(?: .*)? \|$", rows, re.MULTILINE):
            if text != "line of the guide":
                yield Line(section, text.strip("`"), text.strip("`") if runs == "as it stands" else runs.strip("`"))


LINES = list(lines())


def in_section(*sections: str) -> list[Line]:
    return [line for line in LINES if line.section in sections]


def beginning(*words: str) -> list[Line]:
    return [line for line in LINES if line.runs.startswith(words)]
