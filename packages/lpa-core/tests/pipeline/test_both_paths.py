"""Both paths make equal rows of a record, and no reject's row holds what its column cannot."""

from __future__ import annotations

import json
import os
import random
from typing import Any

import pytest

from lpa_core.delivery.blocks import blocks, envelopes, settle
from lpa_core.delivery.ranges import Range
from lpa_core.kafka.reject_records import reject_record
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected, envelope, envelope_json, reject_row
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.records import Position, RecordBatch
from lpa_core.tables.row_layout import DLQ_TABLE, RAW_TABLE
from lpa_core.tables.table import Column, Kind
from lpa_core.testing.both_paths import FAST, differences
from lpa_core.testing.mutations import mutated_records
from lpa_core.validation.json_document import Document, decoded
from lpa_core.validation.reasons import Failure, FailureClass, Reason, Stage

EVENT = {
    "id": "e",
    "type": "stream_trace",
    "timestamp": 1_767_900_000_000,
    "gateway": "g",
    "data": {"stream_id": "s", "request_id": "r", "type": "t"},
}
LIMIT = 1_000_000


def event(**changes: Any) -> bytes:
    return json.dumps(EVENT | changes).encode()


RANGES = {
    Kind.UINT8: (0, 2**8 - 1),
    Kind.UINT16: (0, 2**16 - 1),
    Kind.UINT32: (0, 2**32 - 1),
    Kind.UINT64: (0, 2**64 - 1),
    Kind.INT64: (-(2**63), 2**63 - 1),
    Kind.TIMESTAMP: (-2_208_988_800_000, 10_413_791_999_999),
}


def holds(column: Column, value: Any) -> bool:
    """Whether a column can hold a value, told without any database."""
    if value is None:
        return column.nullable
    if column.kind in (Kind.TEXT, Kind.LABEL):
        if isinstance(value, str):
            value.encode()
            return True
        return isinstance(value, bytes)
    least, most = RANGES[column.kind]
    return isinstance(value, int) and least <= value <= most


INPUTS = int(os.environ.get("LPA_FUZZ_INPUTS", "2000"))
SEED = int(os.environ.get("LPA_FUZZ_SEED", random.Random().randrange(1 << 32)))


def test_failure_01_both_paths_make_equal_rows() -> None:
    """``python -m lpa_core.testing.both_paths --inputs 1000000`` compares a million in two processes."""
    print(f"LPA_FUZZ_SEED={SEED}")
    found = list(differences(list(mutated_records(INPUTS, SEED, whole=0.1))))
    assert not found, f"LPA_FUZZ_SEED={SEED}: {found[0]}"


@pytest.mark.parametrize("name", ["id", "gateway", "version", "__replay", "__replay_id", "__replay_attempt"])
@pytest.mark.parametrize(
    "value",
    [
        *("-5", "-0", "-0.0", "1.0", "1e2", "65535", "65536", str(2**63), str(2**64), "1e999", "9" * 5000, "true"),
        *("null", '""', '" "', '"-5"', '"7"', r'"\u0000"', r'"\ud800"', "[]", '{"a":1}', '"v1"', '"\u00e9"', "NaN"),
    ],
)
def test_failure_01_any_value_in_the_envelope_makes_equal_rows(name: str, value: str) -> None:
    record = event(**{name: "HERE"}).replace(b'"HERE"', value.encode())
    assert not list(differences([record]))


@pytest.mark.parametrize(
    ("attempt", "stored"), [(-5, 0), (2**63, 65535), (2**64, 65535), (-(2**70), 0), (65536, 65535), (7, 7), ("7", 7)]
)
def test_failure_01_a_replay_attempt_out_of_range_is_clamped_in_every_row(attempt: object, stored: int) -> None:
    batch = RecordBatch("topic", 0, [0, 1], [event(__replay_attempt=attempt), event(__replay_attempt=attempt, id=[])])
    range_ = Range("topic", 0, 0, 2, 2, "", 1_767_900_000_000, duplicates=frozenset({1}))
    verdicts = FAST.judge(batch, range_.batch_time)
    settled = settle(batch, verdicts, [None, None], range_, FAST.describe)
    rejects = envelopes(settled, batch, range_, LIMIT)
    assert all(f'"attempt":{stored},'.encode() in envelope_json(reject) for reject in rejects)
    found = {
        block.table.name: dict(zip(block.table.column_names, block.columns, strict=True))
        for block in blocks(settled, rejects, batch, range_)
    }
    assert found[RAW_TABLE.name]["replay_attempt"] == [stored] if RAW_TABLE.name in found else True
    for name in set(found) - {RAW_TABLE.name, "stream_trace_events"}:
        assert list(found[name]["attempt"]) == [stored]


@pytest.mark.parametrize("time", [-1, -(2**63), 2**63 - 1, 10_413_792_000_000])
def test_failure_01_a_record_timestamp_that_no_column_holds_is_the_batch_time(time: int) -> None:
    batch = RecordBatch("topic", 0, [0, 1, 2], [event(), b"nope", event(id="f")], [time, time, 5])
    range_ = Range("topic", 0, 0, 3, 3, "", 1_767_900_000_000)
    settled = settle(batch, FAST.judge(batch, range_.batch_time), [None] * 3, range_, FAST.describe)
    rejects = envelopes(settled, batch, range_, LIMIT)
    for block in blocks(settled, rejects, batch, range_):
        if "source_record_timestamp" in block.table.column_names:
            stored = block.columns[block.table.column_names.index("source_record_timestamp")]
            assert list(stored) == [1_767_900_000_000, 5][: len(stored)]


def test_failure_01_no_record_makes_a_reject_that_cannot_be_stored_or_published() -> None:
    records = list(mutated_records(1500, SEED, whole=0.0))
    batch = RecordBatch("topic", 0, range(len(records)), records, [SEED * 10**10] * len(records))
    range_ = Range("topic", 0, 0, len(records), len(records), "", 1, duplicates=frozenset(range(len(records))))
    settled = settle(batch, FAST.judge(batch, range_.batch_time), [None] * len(records), range_, FAST.describe)
    assert len(settled.rejects) == len(records)
    for reject in envelopes(settled, batch, range_, LIMIT):
        reject_record(reject)
        for column, value in zip(DLQ_TABLE.columns, reject_row(reject), strict=True):
            assert holds(column, value), f"LPA_FUZZ_SEED={SEED}: {column.name} {value!r} of {reject.source}"


@pytest.mark.parametrize(
    "details", ["\ud800", "x" * 2_000_000, "\x00" * 2_000_000, 7, None], ids=["surrogate", "long", "NUL", "int", "None"]
)
def test_failure_01_details_that_a_plugin_gives_can_be_stored(details: Any) -> None:
    failure = Failure(Stage.PARSE, FailureClass.PARSING_FAILED, Reason.PARSE_EXCEPTION, details)
    found = envelope(Rejected(Position("t", 0, 0), failure, event()), 1, 2, LIMIT)
    assert all(holds(column, value) for column, value in zip(DLQ_TABLE.columns, reject_row(found), strict=True))
    assert len(reject_record(found).value) < 50_000


@pytest.mark.parametrize(
    "payload",
    [
        b'{"type":"stream_trace","x":[%s]}' % b",".join([b"1e15"] * 40_000),
        event(data={"region": '"' * 60_000, "broadcaster": '"' * 60_000, "orchestrator": "\x01" * 30_000}),
        event(id="\x01" * 30_000, type="\x02" * 30_000, version="\x03" * 30_000),
        b"\xff" * 900_000,
    ],
    ids=["numbers", "quotes", "control characters", "no text"],
)
@pytest.mark.parametrize("limit", [10_000, 200_000, LIMIT])
def test_failure_01_no_envelope_is_longer_than_rows_may_be(payload: bytes, limit: int) -> None:
    """Its topic has room for a row and its names: a longer one would be refused, for ever."""
    verdict = Pipeline([], max_row_bytes=limit).process(payload, Position("t", 0, 0))
    assert isinstance(verdict, Rejected)
    found = envelope(verdict, 1, 2, limit)
    assert len(reject_record(found).value) < limit + 2000
    assert (found.payload.size, len(found.payload.sha256)) == (len(payload), 64)
    assert all(holds(column, value) for column, value in zip(DLQ_TABLE.columns, reject_row(found), strict=True))


@pytest.mark.parametrize("answer", ["text", 7, Failure("S", "C", "R")])  # type: ignore[arg-type]  # a plugin's mistake
def test_failure_01_a_validator_that_answers_nonsense_rejects_the_event(answer: Any) -> None:
    def odd(document: Document) -> Any:
        return answer

    verdict = Pipeline(FAST.event_types.values(), plugin_validators=[odd]).process(event(), Position("t", 0, 0))
    assert isinstance(verdict, Rejected)
    assert verdict.failure.reason is Reason.PLUGIN_VALIDATOR
    assert "validator odd returned a" in verdict.failure.details


def test_failure_01_ids_beyond_doubles_are_no_key() -> None:
    """As text they would all be equal, and each event after the first a duplicate."""
    data = {"stream_id": "s", "request_id": "r", "pipeline": "p"}
    keys = set()
    for number in range(2):
        record = event(type="ai_stream_status", id="HERE", data=data | {"state": f"s{number}"})
        for huge in (b"1e999", b"9" * 5000):
            verdict = FAST.process(record.replace(b'"HERE"', huge), Position("t", 0, 0))
            assert isinstance(verdict, Accepted)
            assert verdict.dedup_strategy == "payload_hash"
            keys.add(verdict.dedup_key)
    assert len(keys) == 2


def test_failure_01_a_document_with_an_integer_that_python_cannot_read_is_still_json() -> None:
    long = b"9" * 4_301
    assert decoded(b'{"a":%s,"b":-%s,"c":12,"d":1e999}' % (long, long)) == {
        "a": float("inf"),
        "b": float("-inf"),
        "c": 12,
        "d": float("inf"),
    }
    for broken in (rb'{"a":%s,"b":"\ud800"}', b'{"a":%s,"b":NaN}', b'{"a":%s', b'{"a":%s}{}', b'{"a":%s,"b":"\xff"}'):
        with pytest.raises(ValueError):
            decoded(broken % long)
