"""Records that rules pass over: cases P1 to P4 and P6 of docs/spec/producers.md section 9, and their neighbours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.pipeline.verdicts import Accepted, Ignored, Verdict
from lpa_core.records import Position
from lpa_core.validation.ignore_rules import BUILTIN_IGNORE_RULES, CORE_TRACE_TYPES, IgnoreRule, families
from lpa_core.validation.json_document import Document

NAMED = ("pipelines_api_request", "webrtc_stats")
RULES = (*BUILTIN_IGNORE_RULES, *families(NAMED))


def passes(document: Document) -> None:
    """A validator that turns nothing down: with it each record is looked at field by field."""


FAST = Pipeline(BUILTIN_EVENT_TYPES, ignore_rules=RULES)
THOROUGH = Pipeline(BUILTIN_EVENT_TYPES, ignore_rules=RULES, plugin_validators=[passes])


def trace(**data: Any) -> dict[str, Any]:
    ids = {"stream_id": "s", "request_id": "r", "type": "gateway_receive_stream_request"}
    given = {name: value for name, value in {**ids, **data}.items() if value is not ...}
    return {"id": "e", "type": "stream_trace", "timestamp": 1771803956707, "gateway": "gw", "data": given}


def judged(root: Any) -> Verdict:
    value = root if isinstance(root, bytes) else json.dumps(root).encode()
    position = Position("topic", 0, 0)
    verdict = FAST.process(value, position)
    assert THOROUGH.process(value, position) == verdict, "both paths say the same"
    return verdict


def reason(root: Any) -> str:
    verdict = judged(root)
    if isinstance(verdict, Ignored):
        return verdict.reason
    return verdict.failure.reason.value if isinstance(verdict, Rejected) else "accepted"


def test_p1_traces_of_apps_are_ignored_in_whatever_case() -> None:
    for name in ("app_", "app_x", "App_x", "APP_START"):
        assert reason(trace(type=name)) == "ignored_stream_trace_non_core_app"
    assert reason(trace(type="application")) == "accepted"
    assert reason(trace(type="wapp_x")) == "accepted"


def test_p2_noise_of_a_scope_client_is_ignored_and_incomplete_traces_of_other_types() -> None:
    noise = "ignored_stream_trace_scope_client_noise"
    assert reason(trace(type="error", stream_id=..., client_source="Scope")) == noise
    assert reason(trace(type="stream_heartbeat", client_source="scope")) == noise
    assert reason(trace(type="stream_heartbeat", client_source="other")) == "accepted"
    assert reason(trace(type="stream_heartbeat")) == "accepted"
    assert reason(trace(type="Error", client_source="scope")) == "accepted", "types of traces have one spelling"
    assert reason(trace(type="x", stream_id=..., client_source="scope")) == "unsupported_stream_trace_type"


def test_p3_named_families_are_ignored_whatever_they_hold_and_no_others() -> None:
    assert reason({"type": "webrtc_stats", "timestamp": "soon"}) == "ignored_event_family"
    assert reason({"type": "webrtc_stats"}) == "ignored_event_family"
    assert reason({"type": "webrtc_stats", "data": [1], "version": "99"}) == "ignored_event_family"
    unknown = {"id": "e", "type": "some_new_family", "timestamp": 1771803956707, "data": {}}
    assert reason(unknown) == "unsupported_event_type"
    assert reason(unknown | {"type": "WEBRTC_STATS"}) == "unsupported_event_type"


@pytest.mark.parametrize("missing", ["stream_id", "request_id"])
def test_p4_incomplete_traces_outside_the_core_types_are_ignored(missing: str) -> None:
    assert reason(trace(type="stream_stopped", **{missing: ...})) == "unsupported_stream_trace_type"
    assert reason(trace(type="stream_stopped", **{missing: ""})) == "unsupported_stream_trace_type"
    assert reason(trace(type="stream_stopped")) == "accepted"


@pytest.mark.parametrize("core", sorted(CORE_TRACE_TYPES))
def test_p6_incomplete_traces_of_core_types_are_dead_letters(core: str) -> None:
    assert reason(trace(type=core, request_id=...)) == "missing_field"


def test_a_trace_without_a_type_is_a_dead_letter() -> None:
    assert reason(trace(type=...)) == "missing_field"
    assert reason(trace(type=7, request_id=...)) == "missing_field"
    assert reason(trace() | {"data": "text"}) == "missing_field"


def test_what_is_no_json_object_is_never_ignored() -> None:
    assert reason(b'{"type": "webrtc_stats"') == "json_parse_error"
    assert reason(b'{"type": "webrtc_stats", "data": "\xff"}') == "json_parse_error"
    assert reason(b'["webrtc_stats"]') == "root_not_object"
    assert reason({"type": ["webrtc_stats"]}) == "missing_type"


def test_the_last_of_equal_keys_counts() -> None:
    assert reason(b'{"type": "x", "type": "webrtc_stats"}') == "ignored_event_family"
    assert reason(b'{"type": "webrtc_stats", "type": "x"}') == "missing_timestamp"
    assert reason(b'{"type": "webrtc_\\u0073tats"}') == "ignored_event_family", "however it is spelt"


def test_an_ignored_record_says_its_type_and_subtype() -> None:
    verdict = judged(trace(type="App_x"))
    assert isinstance(verdict, Ignored)
    assert (verdict.event_type, verdict.event_subtype) == ("stream_trace", "App_x")
    assert isinstance(judged(trace()), Accepted)


def test_without_rules_nothing_is_ignored() -> None:
    value = json.dumps(trace(type="app_x")).encode()
    assert isinstance(Pipeline(BUILTIN_EVENT_TYPES).process(value, Position("t", 0, 0)), Accepted)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["stream_trace", "webrtc_stats", "Webrtc_stats", "", None, 1]),
            "id": st.sampled_from(["e", ""]),
            "timestamp": st.sampled_from([1771803956707, "1771803956707", "soon", None]),
            "version": st.sampled_from(["1", 1, "99"]),
            "data": st.none()
            | st.lists(st.integers(), max_size=2)
            | st.fixed_dictionaries(
                {},
                optional={
                    "type": st.sampled_from(["app_x", "error", "orchestrator_swap", "ümpossible", "", 3]),
                    "client_source": st.sampled_from(["scope", "SCOPE", "", None, {}]),
                    "stream_id": st.sampled_from(["s", ""]),
                    "request_id": st.sampled_from(["r", "", 1]),
                },
            ),
        },
    )
)
def test_both_paths_ignore_the_same_records(root: dict[str, Any]) -> None:
    judged(root)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (lambda: IgnoreRule("Reason", ["x"]), "small letters"),
        (lambda: IgnoreRule(None, ["x"]), "small letters"),
        (lambda: IgnoreRule("reason", []), "event_types is empty"),
        (lambda: IgnoreRule("reason", "x"), "it must be a list or tuple"),
        (lambda: IgnoreRule("reason", [1]), "each must be a str"),
        (lambda: IgnoreRule("reason", ["x"], where=["y"]), "where is a list"),
        (lambda: IgnoreRule("reason", ["x"], where={"y": 1}), "where y is an int"),
        (lambda: IgnoreRule("reason", ["x"], subtype_prefix=None), "subtype_prefix is None"),
    ],
)
def test_a_wrong_rule_is_refused_when_it_is_made(rule: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        rule()
