"""The coercion rules of docs/spec/events.md section 2, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from lpa_core.events import coercion as rule
from lpa_core.events.capability_catalog import CATALOG, capability


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1771803956707, 1771803956707),
        (1771803956707.9, 1771803956707),
        (" 1771803956707 ", 1771803956707),
        (-5, -5),
        ("-5", None),
        ("1.0", None),
        ("1e3", None),
        ("", None),
        ("\u0661", None),
        (True, None),
        (None, None),
        ([], None),
        (rule.MAX_EPOCH_MS, rule.MAX_EPOCH_MS),
        (rule.MAX_EPOCH_MS + 1, None),
        (rule.MIN_EPOCH_MS - 1, None),
        (float("inf"), None),
    ],
)
def test_timestamp(value: Any, expected: int | None) -> None:
    assert rule.timestamp(value) == expected


@pytest.mark.parametrize(
    ("value", "text", "nullable"),
    [
        ("a", "a", "a"),
        (" ", " ", " "),
        (1, "1", "1"),
        (1.5, "1.5", "1.5"),
        (True, "true", "true"),
        ("", "", None),
        (None, "", None),
        ({}, "", None),
        ([1], "", None),
    ],
)
def test_text(value: Any, text: str, nullable: str | None) -> None:
    unfit = [0]
    assert rule.text_or_empty(value, unfit) == text
    assert rule.nullable_text(value, unfit) == nullable
    assert unfit == [0 if nullable or value in ("", None) else 2]


@pytest.mark.parametrize(
    ("value", "expected", "unfit"),
    [
        (7, 7, 0),
        (7.9, 7, 0),
        (-7.9, -7, 0),
        (" +7 ", 7, 0),
        ("-7", -7, 0),
        ("1.5", None, 1),
        ("", None, 0),
        (True, None, 1),
        ({}, None, 1),
        (2**31, None, 1),
        (str(2**31), None, 1),
        (-(2**31), -(2**31), 0),
    ],
)
def test_nullable_int(value: Any, expected: int | None, unfit: int) -> None:
    count = [0]
    assert rule.nullable_int32(value, count) == expected
    assert count == [unfit]


@pytest.mark.parametrize(
    ("value", "expected", "unfit"),
    [
        (7, 7, 0),
        ("7", 7, 0),
        ("7.9", 7, 0),
        (None, 0, 0),
        ("x", 0, 1),
        (" ", 0, 0),
        (True, 0, 1),
        (-1, 0, 1),
        (2**32, 0, 1),
        ("1e400", 0, 1),
    ],
)
def test_unsigned_or_zero(value: Any, expected: int, unfit: int) -> None:
    count = [0]
    assert rule.uint32_or_zero(value, count) == expected
    assert count == [unfit]


@pytest.mark.parametrize(
    ("value", "expected", "unfit"),
    [
        (1, 1.0, 0),
        ("1.5", 1.5, 0),
        (" 2 ", 2.0, 0),
        ("x", 0.0, 1),
        ("1_0", 0.0, 1),
        ("", 0.0, 0),
        (None, 0.0, 0),
        (1e39, 0.0, 1),
    ],
)
def test_float_or_zero(value: Any, expected: float, unfit: int) -> None:
    count = [0]
    assert rule.float32_or_zero(value, count) == expected
    assert count == [unfit]


def test_flag() -> None:
    assert [rule.nullable_flag(value, [0]) for value in (True, False, 2, "3", None, "x")] == [1, 0, 2, 3, None, None]


def test_address_and_blank() -> None:
    assert rule.address(" 0xAB ") == "0xab"
    assert [rule.blank(text) for text in (None, "", " \t", "x")] == [True, True, True, False]


def test_the_catalog_lists_ids_0_to_37() -> None:
    assert sorted(CATALOG) == list(range(38))
    assert capability(35) == (35, "Live video to video", "live-video")
    assert capability(99) == (99, "unknown", "unknown")
    assert capability(None) == (-1, "unknown", "unknown")
