"""docs/guarantees.md: every promise is held against every part it depends on, by tests that exist."""

import re

import pytest
from test_docs_failures import ROOT, TEST, defined_in

PAGE = (ROOT / "docs" / "guarantees.md").read_text()
PARTS = ["broker", "sink", "Redis", "disk", "clock", "transactions", "person"]
CANNOT_BE = re.compile(r"cannot be: .{15,}")
NOT_TESTED = re.compile(r"not tested: .{15,}")


def promises() -> dict[str, dict[str, str]]:
    """The title of each promise -> part -> what is said of it."""
    found = re.split(r"^## (\d+\. .*)$", PAGE, flags=re.MULTILINE)[1:]
    tables = [re.findall(r"^\| (\w+) \| (.+) \|$", text, re.MULTILINE) for text in found[1::2]]
    return {title: dict(rows[1:]) for title, rows in zip(found[::2], tables, strict=True)}


@pytest.mark.parametrize("promise", promises())
def test_a_promise_is_held_against_every_part(promise: str) -> None:
    assert list(promises()[promise]) == PARTS


@pytest.mark.parametrize("promise", promises())
def test_what_is_said_of_a_part_is_a_test_that_exists_or_a_reason(promise: str) -> None:
    for part, said in promises()[promise].items():
        named = TEST.findall(said)
        for file, name in named:
            assert name in defined_in(ROOT / file), f"{part}: {file} has no {name}"
        assert named or CANNOT_BE.match(said) or NOT_TESTED.match(said), f"{part}: {said}"


def test_at_most_one_in_five_is_not_tested() -> None:
    said = [text for parts in promises().values() for text in parts.values()]
    assert 5 * sum(bool(NOT_TESTED.match(text)) for text in said) <= len(said)
