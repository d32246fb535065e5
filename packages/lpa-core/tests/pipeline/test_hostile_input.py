"""Nothing that a producer can send stops the pipeline or vanishes; both paths through it agree."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected, envelope, envelope_json
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.records import Position
from lpa_core.validation.json_document import Document
from lpa_core.validation.reasons import Failure, FailureClass, Reason, Stage

POSITION = Position("topic", 0, 0)
PIPELINE = Pipeline(BUILTIN_EVENT_TYPES)


def _passes(document: Document) -> Failure | None:
    return None


# A validator of a plugin sends every record the thorough way.
THOROUGH = Pipeline(BUILTIN_EVENT_TYPES, plugin_validators=[_passes])

GOOD = (
    b'{"id":"e","type":"stream_trace","timestamp":1700000000000,"data":{"stream_id":"s","request_id":"r","type":"t"%s}}'
)


@pytest.mark.parametrize(
    ("name", "payload", "reason"),
    [
        ("not UTF-8", b'{"type":"\xff"}', "json_parse_error"),
        ("not UTF-8 where nobody looks", GOOD % b',"unknown":"\xff"', "json_parse_error"),
        ("a byte order mark", b"\xef\xbb\xbf" + GOOD % b"", "json_parse_error"),
        ("100,000 brackets", b"[" * 100_000, "json_parse_error"),
        ("100,000 brackets where nobody looks", GOOD % (b',"x":' + b"[" * 100_000), "json_parse_error"),
        ("NaN", GOOD % b',"x":NaN', "json_parse_error"),
        ("Infinity", GOOD % b',"x":-Infinity', "json_parse_error"),
        ("a lone surrogate", GOOD % rb',"x":"\ud800"', "json_parse_error"),
        ("a NUL byte", GOOD % b',"x":"\x00"', "json_parse_error"),
        ("half a record", (GOOD % b"")[:-5], "json_parse_error"),
        ("two records", GOOD % b"" + GOOD % b"", "json_parse_error"),
        ("an escaped NUL", GOOD % rb',"x":"\u0000"', None),
        ("a number beyond doubles", GOOD % b',"x":1e999', None),
        ("an integer beyond 64 bits", GOOD % b',"x":123456789012345678901234567890', None),
        ("duplicate keys, the last one counts", GOOD % b',"type":"u"', None),
        ("white space around it", b" \r\n" + GOOD % b"" + b" \r", None),
    ],
)
def test_awkward_records(name: str, payload: bytes, reason: str | None) -> None:
    for pipeline in (PIPELINE, THOROUGH):
        verdict = pipeline.process(payload, POSITION)
        if reason is None:
            assert isinstance(verdict, Accepted), name
        else:
            assert isinstance(verdict, Rejected), name
            assert verdict.failure.reason.value == reason
            assert verdict.failure.details


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["12", "-1", "1.5", "1771803956707", " 7 ", "", "1e3", "9" * 60, 2**63, 2**32, 1e300, -0.0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)

SAMPLES: list[dict[str, Any]] = [
    {
        "type": "ai_stream_status",
        "data": {
            "stream_id": "s",
            "request_id": "r",
            "pipeline": "p",
            "state": "ONLINE",
            "start_time": 1,
            "orchestrator_info": {"address": "0xA", "url": "u"},
            "inference_status": {
                "fps": 1.5,
                "restart_count": 1,
                "last_error": None,
                "last_error_time": 5,
                "last_params_hash": "h",
                "last_params": {"prompt": "x", "width": 1, "height": 2},
            },
            "input_status": {"fps": 2},
        },
    },
    {
        "type": "stream_ingest_metrics",
        "data": {
            "stream_id": "s",
            "request_id": "r",
            "stats": {
                "conn_quality": "good",
                "peer_conn_stats": {"BytesReceived": 1, "BytesSent": 2},
                "track_stats": [{"type": "video", "jitter": 1, "packets_lost": 3}, {"type": "audio", "rtt": 2.5}],
            },
        },
    },
    {
        "type": "stream_trace",
        "data": {
            "stream_id": "s",
            "request_id": "r",
            "type": "t",
            "timestamp": 5,
            "orchestrator_info": {"address": "A"},
        },
    },
    {"type": "ai_stream_events", "data": {"stream_id": "s", "request_id": "r", "pipeline": "p", "type": "error"}},
    {"type": "discovery_results", "data": [{"address": "0xA", "url": "u", "latency_ms": "5"}, {}]},
    {
        "type": "network_capabilities",
        "data": [
            {
                "address": "0xA",
                "local_address": "0xB",
                "orch_uri": "u",
                "capabilities": {
                    "version": "1",
                    "capacities": {"35": 1, "x": 2},
                    "constraints": {"PerCapability": {"35": {"models": {"m": {"warm": True, "capacity": 1}}}}},
                },
                "capabilities_prices": [{"pricePerUnit": 1, "pixelsPerUnit": 1, "capability": 35, "constraint": "m"}],
                "hardware": [{"pipeline": "p", "model_id": "m", "gpu_info": {"0": {"id": "g", "memory_total": 5}}}],
            }
        ],
    },
    {
        "type": "create_new_payment",
        "data": dict.fromkeys(
            (
                "sessionID",
                "manifestID",
                "sender",
                "recipient",
                "orchestrator",
                "faceValue",
                "numTickets",
                "price",
                "winProb",
            ),
            "x",
        ),
    },
]


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [path, *(found for key, inner in value.items() for found in _paths(inner, (*path, key)))]
    if isinstance(value, list):
        return [path, *(found for index, inner in enumerate(value) for found in _paths(inner, (*path, index)))]
    return [path]


@st.composite
def damaged_records(draw: st.DrawFn) -> bytes:
    """A good record with up to two values anywhere replaced by any JSON value, or removed."""
    record = {"id": "e-1", "timestamp": "1771803956707", "gateway": "g", **draw(st.sampled_from(SAMPLES))}
    record = json.loads(json.dumps(record))
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(_paths(record)[1:] or [()]))
        if not path:
            break
        holder: Any = record
        for step in path[:-1]:
            holder = holder[step]
        if isinstance(holder, dict) and draw(st.booleans()):
            holder.pop(path[-1])
        else:
            holder[path[-1]] = draw(json_values)
    for name in draw(st.lists(st.sampled_from(["version", "__replay", "__replay_id", "__replay_attempt"]), max_size=2)):
        record[name] = draw(json_values)
    return json.dumps(record, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


def _outcome(verdict: Accepted | Rejected) -> Any:
    if isinstance(verdict, Rejected):
        return verdict
    table_rows = [(table.name, row) for table, row in verdict.rows]
    return (verdict.envelope, verdict.dedup_key, verdict.dedup_strategy, repr(table_rows))


@given(damaged_records())
def test_the_fast_path_and_the_thorough_one_agree(payload: bytes) -> None:
    assert _outcome(PIPELINE.process(payload, POSITION)) == _outcome(THOROUGH.process(payload, POSITION))


@given(damaged_records() | st.binary() | st.text().map(str.encode))
def test_every_record_is_accepted_with_rows_that_fit_or_rejected_with_a_reason(payload: bytes) -> None:
    verdict = PIPELINE.process(payload, POSITION)
    if isinstance(verdict, Rejected):
        whole = envelope(verdict, 1, 2, 1_000_000)
        assert msgspec.json.decode(envelope_json(whole))["failure"]["reason"] == verdict.failure.reason.value
        return
    for table, row in verdict.rows:
        for column, value in zip(table.columns[-len(row) :], row, strict=True):
            assert column.nullable or value is not None, (table.name, column.name)


def test_a_validator_that_raises_rejects_the_event() -> None:
    def broken(document: Document) -> Failure | None:
        raise RuntimeError("no luck")

    verdict = Pipeline(BUILTIN_EVENT_TYPES, plugin_validators=[broken]).process(GOOD % b"", POSITION)
    assert isinstance(verdict, Rejected)
    assert verdict.failure.reason is Reason.PLUGIN_VALIDATOR
    assert verdict.failure.details == "validator broken raised RuntimeError: no luck"


def test_a_classifier_may_answer_a_better_failure() -> None:
    better = Failure(Stage.DESERIALIZATION, FailureClass.DESERIALIZATION_FAILED, Reason.JSON_PARSE_ERROR, "XML")

    def xml(failure: Failure, payload: bytes | None) -> Failure | None:
        return better if payload and payload.startswith(b"<") else None

    pipeline = Pipeline(BUILTIN_EVENT_TYPES, classifiers=[xml])
    found = pipeline.process(b"<event/>", POSITION)
    other = pipeline.process(b"nope", POSITION)
    assert isinstance(found, Rejected)
    assert isinstance(other, Rejected)
    assert found.failure == better
    assert other.failure != better


def test_an_event_can_be_described_even_where_a_part_nobody_reads_is_beyond_reading() -> None:
    verdict = PIPELINE.process(GOOD % (b',"x":' + b"9" * 5_000), POSITION)
    assert isinstance(verdict, Accepted)
    duplicate = Failure(Stage.DEDUP, FailureClass.DUPLICATE, Reason.DUPLICATE_EVENT)
    described = PIPELINE.describe(verdict, POSITION, duplicate)
    assert (described.event_id, described.event_type, described.event_timestamp) == (
        "e",
        "stream_trace",
        1_700_000_000_000,
    )
    assert described.failure.quarantined
