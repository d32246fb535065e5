"""A fix file made of an edit: it does to the record what the person did, and to others only where they are the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.records import Position
from lpa_core.replays import ReplayRecord, ReplayRefused
from lpa_replay.fix.edit import FailureOf, fix_of_edit
from lpa_replay.fix.file import parse_fixes

FAILURE = FailureOf("SCHEMA_INVALID", "missing_field", "ai_stream_status")


def record(payload: bytes, failure: FailureOf = FAILURE) -> ReplayRecord:
    return ReplayRecord(
        payload,
        Position("t", 0, 1),
        failure_class=failure.failure_class,
        failure_reason=failure.failure_reason,
        event_type=failure.event_type,
    )


def repaired(before: Any, after: Any, other: Any = None, failure: FailureOf = FAILURE) -> Any:
    """What the fix of an edit makes of the record that was edited, or of another one."""
    text = fix_of_edit(json.dumps(before).encode(), json.dumps(after).encode(), FAILURE)
    payload = json.dumps(before if other is None else other).encode()
    found = parse_fixes(text, "fix.toml").apply(record(payload, failure))
    return None if found is None else json.loads(found)


names = st.text(st.characters(codec="utf-8", exclude_characters=".*"), min_size=1, max_size=6).filter(
    lambda name: not name.startswith("__replay")
)
scalars = st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    scalars | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
documents = st.dictionaries(names, values, max_size=4)


@pytest.mark.slow
@given(documents, documents)
def test_the_fix_of_an_edit_does_the_edit(before: dict[str, Any], after: dict[str, Any]) -> None:
    old, new = json.dumps(before).encode(), json.dumps(after).encode()
    text = fix_of_edit(old, new, FAILURE)
    if not text:
        assert json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
        return
    found = parse_fixes(text, "fix.toml").apply(record(old))
    assert found is not None
    assert json.dumps(json.loads(found), sort_keys=True) == json.dumps(after, sort_keys=True)


def test_a_record_that_is_wrong_in_another_way_is_left_alone() -> None:
    before, after = {"data": {"a": 1}}, {"data": {"a": 1, "pipeline": "live"}}
    assert repaired(before, after, {"data": {"pipeline": "other"}}) is None
    assert repaired(before, after, {"data": {}}) == {"data": {"pipeline": "live"}}
    assert repaired({"v": "1"}, {"v": "2"}, {"v": "3"}) is None
    assert repaired({"v": "1"}, {}, {"v": "3"}) is None
    assert repaired({"v": None}, {"v": "2"}, {"v": "3"}) is None
    assert repaired({"v": None}, {"v": "2"}) == {"v": "2"}
    assert repaired({"v": None}, {}) == {}
    assert repaired(before, after, failure=FailureOf("SCHEMA_INVALID", "missing_field", "stream_trace")) is None


def test_characters_that_do_not_print_are_escapes() -> None:
    text = fix_of_edit(b"{}", json.dumps({"x": "a\u202e\x00\x7f\U000e0001\n"}).encode(), FAILURE)
    assert all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (b"nothing", b"{}", "the record is not JSON"),
        (b"{}", b"[1]", "the edited record is not a JSON object"),
        (b"{}", b'{"x": nan}', "the edited record is not JSON"),
        (b"{}", b'{"x": null}', "x: a fix file cannot hold null"),
        (b"{}", b'{"a.b": 1}', "'a.b': the path of a fix file cannot name this key"),
        (b"{}", b'{"__replay_id": 1}', "cannot name this key"),
        (b'{"a": {"*": {"b": 1}}}', b'{"a": {"*": {"b": 2}}}', "cannot name this key"),
    ],
)
def test_what_a_fix_file_cannot_say_is_refused(before: bytes, after: bytes, said: str) -> None:
    with pytest.raises(ReplayRefused, match=said):
        fix_of_edit(before, after, FAILURE)
