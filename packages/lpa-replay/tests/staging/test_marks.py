"""The marks of a replay: they never change what an event is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.records import Position
from lpa_replay.sources.record import Found
from lpa_replay.staging.marks import Marks, NotAnObjectError, lineage, marked, position_text

PLACE = Position("events", 3, 41)
PIPELINE = Pipeline(BUILTIN_EVENT_TYPES)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
names = st.text().filter(lambda name: not name.startswith("__replay"))
objects = st.dictionaries(names, json_values, max_size=4)


def added(attempt: int = 1, replay_id: str = "r", origin: str = "events:3:41") -> Marks:
    return Marks(True, 1_767_873_600_000, "dlq", replay_id, attempt, origin, "SCHEMA_INVALID")


def test_all_of_them() -> None:
    assert msgspec.to_builtins(added(attempt=2)) == {
        "__replay": True,
        "__replay_ts": 1_767_873_600_000,
        "__replay_source": "dlq",
        "__replay_failure_class": "SCHEMA_INVALID",
        "__replay_id": "r",
        "__replay_attempt": 2,
        "__replay_origin": "events:3:41",
    }


@given(objects)
def test_they_are_added_and_the_rest_stays_byte_for_byte(document: dict[str, Any]) -> None:
    text = msgspec.json.encode(document)
    found = marked(b" " + text + b"\n", added())
    assert found.endswith(text[1:]) or b"__replay" in text or b"\\u00" in text
    assert msgspec.json.decode(found) == {**document, **msgspec.to_builtins(added())}


@given(objects)
def test_marked_again_it_has_the_new_ones_only(document: dict[str, Any]) -> None:
    twice = marked(marked(msgspec.json.encode(document), added(1, "first")), added(2, "second"))
    assert msgspec.json.decode(twice) == {**document, **msgspec.to_builtins(added(2, "second"))}
    assert twice.count(b'"__replay_attempt"') == 1 or b"__replay_attempt" in msgspec.json.encode(document)


@pytest.mark.parametrize("letter", range(2, len("__replay_id")))
def test_failure_07_an_old_mark_is_replaced_however_it_is_spelled(letter: int) -> None:
    name = "__replay_id"
    spelled = f"{name[:letter]}\\u{ord(name[letter]):04X}{name[letter + 1 :]}"
    found = marked(f'{{"{spelled}":"old","n":1,"n":2}}'.encode(), added(replay_id="new"))
    assert msgspec.json.decode(found) == {**msgspec.to_builtins(added(replay_id="new")), "n": 2}


@given(st.text(min_size=1), st.integers(0, 9), st.integers(1, 9))
def test_the_dedup_key_stays_whatever_the_attempt(message: str, data: int, attempt: int) -> None:
    event = {
        "type": "ai_stream_status",
        "timestamp": 1_767_873_600_000,
        "data": {"stream_id": "s", "request_id": "r", "pipeline": "p", "type": "error", "message": message, "x": data},
    }
    plain = PIPELINE.process(msgspec.json.encode(event), PLACE)
    again = PIPELINE.process(marked(msgspec.json.encode(event), added(attempt)), PLACE)
    assert isinstance(plain, Accepted)
    assert isinstance(again, Accepted)
    assert plain.dedup_key == again.dedup_key
    assert plain.rows == again.rows
    assert (again.envelope.replay, again.envelope.replay_id, again.envelope.replay_attempt) == (True, "r", attempt)


@pytest.mark.parametrize(
    ("payload", "said"),
    [(b"[]", "it is not a JSON object"), (b"5", "it is not a JSON object"), (b"not json", "it is not JSON")],
)
def test_what_is_no_object_cannot_be_marked(payload: bytes, said: str) -> None:
    with pytest.raises(NotAnObjectError) as refused:
        marked(payload, added())
    assert str(refused.value) == said


def test_a_record_remembers_where_it_was_first_read_from() -> None:
    origin = Position("a:topic:with colons", 1, 5)
    again = Found(marked(b"{}", added(2, origin=position_text(origin))), PLACE, attempt=1)
    assert lineage(again) == (origin, 2, None, None)
    assert lineage(Found(b"{}", PLACE, attempt=1)) == (PLACE, 1, None, None)


@pytest.mark.parametrize(("earlier", "remembered"), [(5_000, 5_000), (None, 9_000)])
def test_failure_08_a_record_remembers_the_time_it_was_first_read_with(earlier: int | None, remembered: int) -> None:
    again = marked(b"{}", msgspec.structs.replace(added(2), record_ms=earlier))
    assert lineage(Found(again, PLACE, record_ms=9_000)).record_ms == remembered
    assert lineage(Found(b"{}", PLACE, record_ms=9_000)).record_ms == 9_000


@pytest.mark.parametrize(
    "payload",
    [
        b'{"__replay_origin": 5}',
        b'{"__replay_origin": "t:x:y"}',
        b'{"__replay": true}',
        b"__replay",
        b'["__replay_origin"]',
    ],
)
def test_marks_that_nobody_made_lead_nowhere(payload: bytes) -> None:
    assert lineage(Found(payload, PLACE, attempt=1)) == (PLACE, 1, None, None)
