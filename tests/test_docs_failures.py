"""docs/failures.md: every row names tests that exist, and every section has enough of them."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "failures.md"
TEST = re.compile(r"`([\w/.-]+\.py)::(test_\w+)`")


def sections() -> dict[str, list[str]]:
    """The number of each section -> its rows."""
    found = re.split(r"^## (\d+)\. .*$", PAGE.read_text(), flags=re.MULTILINE)[1:]
    rows = [re.findall(r"^\|(?!---| what happens).*\|$", text, re.MULTILINE) for text in found[1::2]]
    return dict(zip(found[::2], rows, strict=True))


@cache
def defined_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    return frozenset(each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("number", sections())
def test_every_row_names_tests_that_exist(number: str) -> None:
    for row in sections()[number]:
        named = TEST.findall(row)
        assert named, f"no test is named: {row}"
        for file, name in named:
            assert name in defined_in(ROOT / file), f"{file} has no {name}"
