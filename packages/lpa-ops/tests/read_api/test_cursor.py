"""Cursors: what a client sends back is the row that was meant, or is refused."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lpa_ops.read_api.cursor import Cursor, read_cursor

KEYS = ("a", "b")
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@given(st.integers(-2_208_988_800_000, 10_413_792_000_000), texts, texts)
@example(0, "", 'a"b\\\x00é')
def test_a_cursor_comes_back_as_it_was(hour_ms: int, first: str, second: str) -> None:
    cursor = Cursor(hour_ms, (first, second))
    assert read_cursor(str(cursor), KEYS) == cursor


@given(st.text(max_size=60) | st.text("ABCDEFabcdef0123456789-_", max_size=60))
@example("WyIxIiwiYSIsImIiXQ==")
@example("WyIxIiwiYSIsImIiLCJjIl0")
@example("WyIwMSIsImEiLCJiIl0")
@example("W10")
@example("WyIxIiwgImEiLCAiYiJd")
@example("W" * 5000)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    try:
        found = read_cursor(text, KEYS)
    except ValueError:
        return
    assert str(found) == text


def test_a_cursor_of_another_route_is_refused() -> None:
    with pytest.raises(ValueError):
        read_cursor(str(Cursor(0, ("a",))), KEYS)


def test_the_form_is_that_of_the_reference() -> None:
    assert str(Cursor(1767898800000, ("gw", ""))) == "WyIxNzY3ODk4ODAwMDAwIiwiZ3ciLCIiXQ"
