"""Parameters of a request: read, given a default, or refused in words."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_ops.read_api.parameters import ORG, capabilities, cursor, duration, limit, moment, read_parameters, whole_hours
from lpa_ops.read_api.problem import ReadRefused

NOW = 1_767_900_000_000
EVERY = (
    limit(50, 1000), cursor(("a",)), moment("start", ""), whole_hours("window", "", 24), duration("seen", "", "24h"),
    capabilities(), ORG,
)  # fmt: skip


def read(*given: tuple[str, str]) -> dict[str, Any]:
    return read_parameters(EVERY, given, NOW)


def refusal(*given: tuple[str, str]) -> str:
    with pytest.raises(ReadRefused) as error:
        read(*given)
    assert error.value.status is HTTPStatus.BAD_REQUEST
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_not_given_has_a_default() -> None:
    assert read() == {
        "limit": 50, "cursor": None, "start": None, "window": 24, "seen": 86_400_000, "caps": [], "org": None,
    }  # fmt: skip


def test_what_is_given_is_read() -> None:
    values = read(
        ("limit", "1000"), ("start", "2026-01-08T12:00:00Z"), ("window", "7d"), ("seen", "30m"),
        ("caps", "a/b/c"), ("caps", "x/y"), ("org", ""),
    )  # fmt: skip
    assert values["limit"] == 1000
    assert values["start"] == 1_767_873_600_000
    assert (values["window"], values["seen"]) == (168, 1_800_000)
    assert values["caps"] == [("a", "b/c"), ("x", "y")]
    assert values["org"] == "", "an org that is empty is one"
    assert read(("start", "2h"))["start"] == NOW - 7_200_000


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *[("limit", text) for text in ("0", "-1", "1001", "1.0", "", "٣", " 1", "1e2", "9" * 400)],
        *[("window", text) for text in ("", "24", "169h", "8d", "0h", "-1h", "24H", "1w", "30m")],
        *[("seen", text) for text in ("", "30", "10081m", "169h", "0m", "1s")],
        *[("caps", text) for text in ("", "a", "/", "a/", "/b", "a\x00/b")],
        *[("cursor", text) for text in ("", "!", "W10", "W10=")],
        *[("org", text) for text in ("a\nb", "\x7f", "x" * 257, "\ufffd")],
        *[("start", text) for text in ("", "soon", "2026-13-01", "1767873600", "0001-01-01T00:00:00Z")],
    ],
)
def test_what_is_wrong_is_refused_by_name(name: str, text: str) -> None:
    assert refusal((name, text)).startswith(name)


@pytest.mark.parametrize("name", ["offset", "page", "page_size"])
def test_other_paging_is_refused_with_the_way_to_page(name: str) -> None:
    assert refusal((name, "1")) == (
        f"{name} is not used here: send limit, and cursor with the next_cursor of the page before"
    )


def test_what_nobody_knows_is_refused() -> None:
    assert refusal(("limt", "1")).startswith("limt is not known here: limit, cursor, start")
    assert refusal(("\x1b[31m", "1")).startswith("a parameter is not known here")
    assert refusal(("limit", "1"), ("limit", "2")) == "limit is given twice: give it once"


@given(st.lists(st.tuples(st.sampled_from([each.name for each in EVERY]) | st.text(max_size=5), st.text(max_size=20))))
def test_any_request_is_read_or_refused(given_: list[tuple[str, str]]) -> None:
    try:
        values = read(*given_)
    except ReadRefused:
        return
    assert 1 <= values["limit"] <= 1000


@given(st.sampled_from(EVERY), st.text(max_size=12))
def test_what_a_schema_refuses_is_refused(parameter: Any, text: str) -> None:
    pattern = parameter.schema.get("pattern")
    if pattern and not re.search(pattern, text):
        assert parameter.name in refusal((parameter.name, text))
