"""Cases E1 to E18 of docs/spec/events.md section 12 that the pure pipeline decides, and each reason of section 4.

E10, E11 and E15 need a dedup store and a clock: they are in the delivery tests.
"""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected, envelope
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.records import Position

POSITION = Position("topic", 0, 7)
PIPELINE = Pipeline(BUILTIN_EVENT_TYPES)


def event(event_type: str = "ai_stream_status", **changes: Any) -> dict[str, Any]:
    root: dict[str, Any] = {
        "id": "e-1",
        "type": event_type,
        "timestamp": 1771803956707,
        "gateway": "gw",
        "data": {"stream_id": "s", "request_id": "r", "pipeline": "p", "type": "t"},
    }
    return {name: value for name, value in {**root, **changes}.items() if value is not ...}


def judged(value: bytes | dict[str, Any] | list[Any] | None) -> Accepted | Rejected:
    payload = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
    return PIPELINE.process(payload, POSITION)


def accepted(value: dict[str, Any] | bytes) -> Accepted:
    verdict = judged(value)
    assert isinstance(verdict, Accepted), verdict
    return verdict


def rejected(value: bytes | dict[str, Any] | list[Any] | None) -> tuple[str, str]:
    verdict = judged(value)
    assert isinstance(verdict, Rejected), verdict
    return verdict.failure.failure_class.value, verdict.failure.reason.value


def rows(verdict: Accepted, table: str) -> list[dict[str, Any]]:
    return [
        dict(zip(found.column_names[-len(row) :], row, strict=True))
        for found, row in verdict.rows
        if found.name == table
    ]


def test_e1_text_that_is_not_json() -> None:
    verdict = judged(b"not json")
    assert isinstance(verdict, Rejected)
    assert rejected(b"not json") == ("DESERIALIZATION_FAILED", "json_parse_error")
    found = envelope(verdict, 1, 2, 1_000_000)
    assert found.payload.encoding == "base64"
    assert found.payload.body == "bm90IGpzb24="
    assert found.dimensions is None
    assert not found.identity.event_type


def test_e2_tombstone() -> None:
    verdict = judged(None)
    assert isinstance(verdict, Rejected)
    assert rejected(None) == ("DESERIALIZATION_FAILED", "null_payload")
    assert envelope(verdict, 1, 2, 1_000_000).payload.body is None


@pytest.mark.parametrize("payload", [b"[]", b"null", b"3", b'"text"', b"", b"  \t "])
def test_e3_root_that_is_no_object(payload: bytes) -> None:
    assert rejected(payload) == ("SCHEMA_INVALID", "root_not_object")


def test_e4_timestamp_as_digits_is_the_number() -> None:
    assert accepted(event(timestamp="1771803956707")).envelope.timestamp == 1771803956707
    assert accepted(event(timestamp=" 1771803956707 ")).envelope.timestamp == 1771803956707
    assert accepted(event(timestamp=1771803956707.9)).envelope.timestamp == 1771803956707


@pytest.mark.parametrize(
    "timestamp",
    [..., "1771803956707.0", "1.7e12", "-5", "", True, None, {}, "9" * 5000, "\u0661"],
)
def test_e5_unreadable_timestamp(timestamp: Any) -> None:
    assert rejected(event(timestamp=timestamp)) == ("SCHEMA_INVALID", "missing_timestamp")


def test_e6_unsupported_type() -> None:
    assert rejected(event("foo")) == ("SCHEMA_INVALID", "unsupported_event_type")


@pytest.mark.parametrize("changes", [{"version": 2}, {"version": "v2"}, {"data": {"version": 3}}])
def test_e7_unsupported_version(changes: dict[str, Any]) -> None:
    assert rejected(event(**changes)) == ("UNSUPPORTED_VERSION", "unsupported_version")


def test_e8_version_defaults_to_1() -> None:
    assert accepted(event()).envelope.version == "1"
    assert accepted(event(version=None)).envelope.version == "1"


@pytest.mark.parametrize(("version", "text"), [("1", "1"), ("v1", "v1"), (1, "1"), (1.9, "1")])
def test_versions_that_are_supported(version: Any, text: str) -> None:
    assert accepted(event(version=version)).envelope.version == text


def test_versions_are_not_judged_where_none_is_listed() -> None:
    lenient = Pipeline(BUILTIN_EVENT_TYPES, supported_versions=())
    verdict = lenient.process(json.dumps(event(version="77")).encode(), POSITION)
    assert isinstance(verdict, Accepted)
    assert verdict.envelope.version == "77"


def test_e9_trace_without_id() -> None:
    verdict = judged(event("stream_trace", id=...))
    assert isinstance(verdict, Rejected)
    assert (verdict.failure.reason.value, verdict.failure.details) == ("missing_field", "id")


REQUIRED = [(event_type, path) for event_type in BUILTIN_EVENT_TYPES for path in event_type.required if path != "data"]


@pytest.mark.parametrize(("event_type", "path"), REQUIRED)
@pytest.mark.parametrize("value", [..., None, ""])
def test_every_required_path(event_type: Any, path: str, value: Any) -> None:
    data = {name.removeprefix("data."): "x" for name in event_type.required if name.startswith("data.")}
    whole = event(event_type.name, data=data)
    assert isinstance(judged(whole), Accepted)
    holder, name = (data, path.removeprefix("data.")) if path.startswith("data.") else (whole, path)
    if value is ...:
        del holder[name]
    else:
        holder[name] = value
    verdict = judged(whole)
    assert isinstance(verdict, Rejected)
    assert (verdict.failure.reason.value, verdict.failure.details) == ("missing_field", path)


def test_white_space_passes_as_present() -> None:
    assert accepted(event(data={"stream_id": " ", "request_id": "\t", "pipeline": " "}))


def test_e12_capabilities_fan_out_by_hardware_and_gpu() -> None:
    orchestrator = {
        "address": "0xABC ",
        "hardware": [
            {"pipeline": "p", "model_id": "m", "gpu_info": {"0": {"id": "g0"}, "1": {"id": "g1", "major": 12}}},
            {"pipeline": "p2", "model_id": "m2"},
        ],
    }
    found = rows(accepted(event("network_capabilities", data=orchestrator)), "network_capabilities")
    assert [(row["gpu_id"], row["pipeline"]) for row in found] == [("g0", "p"), ("g1", "p"), (None, "p2")]
    assert {row["orchestrator_address"] for row in found} == {"0xabc"}
    assert {(row["capability_id"], row["capability_name"]) for row in found} == {(-1, "unknown")}


@pytest.mark.parametrize("data", [[], {}, [{}], [1, None, "x"]])
def test_e13_capabilities_of_nobody_are_accepted_without_rows(data: Any) -> None:
    assert accepted(event("network_capabilities", data=data)).rows == ()


@pytest.mark.parametrize("data", [[], {}, 1, "x"])
def test_e14_discovery_without_items(data: Any) -> None:
    assert rejected(event("discovery_results", data=data)) == ("SCHEMA_INVALID", "empty_array")


@pytest.mark.parametrize("data", [1, True, "text"])
def test_capabilities_of_another_shape(data: Any) -> None:
    assert rejected(event("network_capabilities", data=data)) == ("SCHEMA_INVALID", "invalid_data_shape")


@pytest.mark.parametrize("event_type", [each.name for each in BUILTIN_EVENT_TYPES if each.required])
def test_null_data_is_a_missing_field_and_absent_data_is_missing_data(event_type: str) -> None:
    assert rejected(event(event_type, data=None)) == ("SCHEMA_INVALID", "missing_field")
    assert rejected(event(event_type, data=...)) == ("SCHEMA_INVALID", "missing_data")


@pytest.mark.parametrize("kind", [..., None, 1, [], {}])
def test_type_that_is_no_string(kind: Any) -> None:
    assert rejected(event(type=kind)) == ("SCHEMA_INVALID", "missing_type")


def test_the_first_failure_decides() -> None:
    broken = {"data": 1, "version": 9}
    assert rejected(broken)[1] == "missing_type"
    assert rejected({**broken, "type": "foo"})[1] == "missing_timestamp"
    assert rejected({"type": "foo", "timestamp": 10**12, "version": 9})[1] == "missing_data"
    assert rejected({**broken, "type": "foo", "timestamp": 10**12})[1] == "unsupported_event_type"
    assert rejected({**broken, "type": "discovery_results", "timestamp": 10**12})[1] == "unsupported_version"


@pytest.mark.slow
def test_e16_row_of_exactly_the_limit_is_stored_and_one_byte_more_is_not() -> None:
    def with_message(length: int) -> Accepted | Rejected:
        data = {"stream_id": "s", "request_id": "r", "pipeline": "p", "type": "t", "message": "x" * length}
        return judged(event("ai_stream_events", data=data))

    fits = 990_000
    assert isinstance(with_message(fits), Accepted)
    while isinstance(with_message(fits + 100), Accepted):
        fits += 100
    while isinstance(with_message(fits + 1), Accepted):
        fits += 1
    too_large = with_message(fits + 1)
    assert isinstance(too_large, Rejected)
    assert too_large.failure.stage.value == "SINK_GUARD"
    assert too_large.failure.failure_class.value == "RECORD_TOO_LARGE"
    assert "has 1000001 bytes, the limit is 1000000" in too_large.failure.details


def test_oversized_reject_keeps_size_hash_and_position() -> None:
    data = {"stream_id": "s", "request_id": "r", "pipeline": "p", "type": "t", "message": "é" * 2_000_000}
    verdict = judged(event("ai_stream_events", data=data))
    assert isinstance(verdict, Rejected)
    found = envelope(verdict, 1, 2, 1_000_000)
    assert found.payload.truncated
    assert found.payload.size == len(verdict.payload or b"")
    assert len(found.payload.sha256) == 64
    assert len((found.payload.body or "").encode()) <= 65_536
    assert (found.source.topic, found.source.partition, found.source.offset) == ("topic", 0, 7)


def test_fan_out_that_multiplies_a_long_text_is_rejected() -> None:
    orchestrator = {"address": "a" * 300_000, "hardware": [{"model_id": str(n)} for n in range(2_000)]}
    assert rejected(event("network_capabilities", data=orchestrator))[0] == "RECORD_TOO_LARGE"


def test_e17_warm_as_a_boolean_is_1() -> None:
    models = {"m": {"warm": True, "runnerVersion": "0.14", "capacityInUse": 1}}
    orchestrator = {
        "address": "0x1",
        "capabilities": {"version": "0.8", "constraints": {"PerCapability": {"35": {"models": models}}}},
        "capabilities_prices": [{"pricePerUnit": 10**12, "pixelsPerUnit": 1, "capability": 35, "constraint": "m"}],
        "hardware": [{"pipeline": "live", "model_id": "m"}],
    }
    verdict = accepted(event("network_capabilities", data=[orchestrator]))
    (row,) = rows(verdict, "network_capabilities")
    assert (row["warm"], row["capacity"], row["capacity_in_use"]) == (1, None, 1)
    assert (row["capability_id"], row["capability_group"]) == (35, "live-video")
    assert (row["price_per_unit"], row["orchestrator_version"]) == (10**12, "0.8")
    assert rows(verdict, "network_capabilities_model_constraints")[0]["model_id"] == "m"
    assert rows(verdict, "network_capabilities_prices")[0]["constraint_name"] == "m"


def test_e18_latency_as_text() -> None:
    verdict = accepted(event("discovery_results", data=[{"address": "0xAB", "latency_ms": "12"}, {"latency_ms": -1}]))
    assert [row["latency_ms"] for row in rows(verdict, "discovery_results")] == [12, 0]
    assert verdict.unfit == 1


def test_a_shape_that_raises_is_a_parse_exception() -> None:
    def broken(envelope: Any, data: Any) -> Any:
        raise KeyError("nothing here")

    types = [
        attrs.evolve(kind, model=kind.decoded, shape=broken) if kind.name == "stream_trace" else kind
        for kind in BUILTIN_EVENT_TYPES
    ]
    verdict = Pipeline(types).process(json.dumps(event("stream_trace")).encode(), POSITION)
    assert isinstance(verdict, Rejected)
    assert verdict.failure.stage.value == "PARSE"
    assert verdict.failure.failure_class.value == "PARSING_FAILED"
    assert verdict.failure.details == "KeyError: 'nothing here'"


def test_a_row_of_the_wrong_length_is_a_parse_exception() -> None:
    types = [
        attrs.evolve(kind, model=kind.decoded, shape=lambda envelope, data, kind=kind: [(kind.tables[0], ("s",))])
        if kind.name == "stream_trace"
        else kind
        for kind in BUILTIN_EVENT_TYPES
    ]
    verdict = Pipeline(types).process(json.dumps(event("stream_trace")).encode(), POSITION)
    assert isinstance(verdict, Rejected)
    assert verdict.failure.details == "ValueError: a row of stream_trace_events has 1 values for 7 columns"
