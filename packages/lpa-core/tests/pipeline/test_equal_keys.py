"""A key that comes several times in an object: the last counts, in everything that is made of the record."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.records import Position

T = 1_767_873_600_000
POSITION = Position("topic", 0, 0)
FAST = Pipeline(BUILTIN_EVENT_TYPES)
# A validator of a plugin sends every record the thorough way.
THOROUGH = Pipeline(BUILTIN_EVENT_TYPES, plugin_validators=[lambda document: None])

EVENTS: list[dict[str, Any]] = [
    {
        "id": "e",
        "type": "stream_trace",
        "timestamp": T,
        "gateway": "g",
        "version": "1",
        "data": {
            "stream_id": "s",
            "request_id": "r",
            "type": "t",
            "timestamp": T,
            "orchestrator_info": {"address": "0xa", "url": "u"},
        },
    },
    {
        "id": "",
        "type": "ai_stream_status",
        "timestamp": T,
        "data": {
            "stream_id": "s",
            "request_id": "r",
            "pipeline": "p",
            "region": "north",
            "inference_status": {"fps": 1.5, "last_params": {"prompt": "x", "width": 7}},
            "input_status": {"fps": 2.5},
        },
    },
    {
        "id": "e",
        "type": "network_capabilities",
        "timestamp": T,
        "data": [
            {
                "address": "0xa",
                "hardware": [{"pipeline": "p", "model_id": "m", "gpu_info": {"0": {"id": "G", "name": "n"}}}],
                "capabilities": {"constraints": {"PerCapability": {"35": {"models": {"m": {"capacity": 2}}}}}},
            }
        ],
    },
]

junk = st.sampled_from([None, 1, -1, "other", T + 1, [], {}, {"address": "0xb"}, [1, {"fps": 9}], 1e300, "7"])


def escaped(key: str, draw: st.DrawFn) -> str:
    """The key as JSON, some of its letters escaped."""
    flags = draw(st.lists(st.booleans(), min_size=len(key), max_size=len(key)))
    letters = (f"\\u{ord(char):04x}" if flag else char for char, flag in zip(key, flags, strict=True))
    return f'"{"".join(letters)}"'


@st.composite
def repeated(draw: st.DrawFn, value: Any) -> str:
    """The value as JSON text, with other values under the same keys somewhere before the real ones."""
    if isinstance(value, list):
        return f"[{','.join(draw(repeated(item)) for item in value)}]"
    if not isinstance(value, dict):
        return json.dumps(value)
    members = []
    for key, item in value.items():
        before = draw(st.lists(junk, max_size=1))
        members += [f"{escaped(key, draw)}:{json.dumps(each)}" for each in before]
        members.append(f"{escaped(key, draw)}:{draw(repeated(item))}")
    return f"{{{','.join(members)}}}"


@pytest.mark.slow
@given(st.sampled_from(EVENTS), st.data())
def test_failure_07_the_last_of_equal_keys_counts_on_both_paths(event: dict[str, Any], data: st.DataObject) -> None:
    text = data.draw(repeated(event)).encode()
    assert json.loads(text) == event
    wanted = FAST.process(json.dumps(event).encode(), POSITION)
    assert isinstance(wanted, Accepted)
    for pipeline in (FAST, THOROUGH):
        found = pipeline.process(text, POSITION)
        assert isinstance(found, Accepted)
        assert (found.envelope, found.rows, found.dedup_key) == (wanted.envelope, wanted.rows, wanted.dedup_key)
        assert found.raw == text, "the text stays as it was sent"


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("type", b'{"type":"stream_trace","type":"x","timestamp":%d,"data":{}}' % T, "unsupported_event_type"),
        ("timestamp", b'{"type":"stream_trace","timestamp":%d,"timestamp":null,"data":{}}' % T, "missing_timestamp"),
        (
            "data",
            b'{"id":"e","type":"stream_trace","timestamp":%d,'
            b'"data":{"stream_id":"s","request_id":"r","type":"t"},"data":{"stream_id":"s"}}' % T,
            "missing_field",
        ),
        (
            "escaped",
            rb'{"id":"e","type":"stream_trace","timestamp":%d,'
            rb'"data":{"stream_id":"s","request_id":"r","type":"t","t\u0079pe":""}}' % T,
            "missing_field",
        ),
    ],
)
def test_failure_07_what_the_last_lacks_the_first_does_not_give(name: str, text: bytes, reason: str) -> None:
    for pipeline in (FAST, THOROUGH):
        verdict = pipeline.process(text, POSITION)
        assert not isinstance(verdict, Accepted), name
        assert verdict.failure.reason.value == reason


def test_failure_07_a_key_in_other_case_is_another_key() -> None:
    text = json.dumps(EVENTS[0])[:-1].replace("{", '{"ID":"x","TYPE":"y",', 1) + ',"Data":{},"Timestamp":1}'
    for pipeline in (FAST, THOROUGH):
        verdict = pipeline.process(text.encode(), POSITION)
        assert isinstance(verdict, Accepted)
        assert (verdict.envelope.id, verdict.envelope.timestamp) == ("e", T)
