"""The header ``traceparent`` of a record stays with it when it is rejected."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.pending_range import PendingRange, build_blocks, claim
from lpa_core.delivery.range_steps import RangeSteps
from lpa_core.delivery.ranges import Range
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.kafka.reject_records import reject_record
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import read_envelope_json
from lpa_core.pipeline.traceparent import traceparent_of
from lpa_core.records import RecordBatch
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE
from lpa_core.testing.simulation.records import event

NOW = 1_768_000_000_000
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
Headers = list[list[tuple[str, bytes | None]] | None]


def rejected(headers: Headers | None) -> PendingRange:
    """An event, a duplicate of it, and a dead letter."""
    pipeline = Pipeline(BUILTIN_EVENT_TYPES)
    batch = RecordBatch("topic", 0, range(3), [event("one"), event("one"), b"{"], [NOW] * 3, headers=headers)
    range_ = Range("topic", 0, 0, 3, 3, "", NOW)
    verdicts = RangeSteps(pipeline, [], lambda stage, seconds: None).judge(batch, range_)
    pending = PendingRange(batch, verdicts, range_)
    claim(pending, MemoryDedupStore(86_400_000))
    build_blocks(pending, pipeline)
    return pending


def test_rows_and_published_records_of_rejects_have_it() -> None:
    named: list[tuple[str, bytes | None]] = [("other", None), ("Traceparent", PARENT.encode())]
    pending = rejected([named, named, [("traceparent", PARENT.encode())]])
    for table in (DLQ_TABLE, QUARANTINE_TABLE):
        (block,) = [block for block in pending.blocks if block.table is table]
        assert list(block.columns[table.column_names.index("traceparent")]) == [PARENT]
    for envelope in pending.envelopes:
        record = reject_record(envelope)
        assert dict(record.headers)["traceparent"] == PARENT.encode()
        assert read_envelope_json(record.value).traceparent == PARENT
        assert msgspec.json.decode(record.value)["traceparent"] == PARENT


@pytest.mark.parametrize("headers", [None, [None, None, None], [[], [("traceparent", b"nonsense")], [("x", b"y")]]])
def test_without_one_nothing_is_added(headers: Headers | None) -> None:
    pending = rejected(headers)
    assert len(pending.envelopes) == 2
    for envelope in pending.envelopes:
        record = reject_record(envelope)
        assert "traceparent" not in dict(record.headers)
        assert b"traceparent" not in record.value
        assert read_envelope_json(record.value).traceparent == ""


@given(st.binary(max_size=80))
def test_what_is_kept_is_always_text_of_the_standards_form(value: bytes) -> None:
    found = traceparent_of([("traceparent", value)])
    assert found in ("", value.decode(errors="replace"))
    assert not found or len(found.split("-")) >= 4


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (PARENT, True),
        (f"{PARENT}-more", False),
        (f"01{PARENT[2:]}-more", True),
        (f"ff{PARENT[2:]}", False),
        (PARENT.upper(), False),
        (PARENT.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32), False),
        (PARENT.replace("b7ad6b7169203331", "0" * 16), False),
        (f"{PARENT}\n", False),
        (f" {PARENT}", False),
        ("", False),
    ],
)
def test_the_standard_decides_what_is_one(value: str, kept: bool) -> None:
    assert traceparent_of([("traceparent", value.encode())]) == (value if kept else "")


def test_the_first_of_several_counts() -> None:
    assert traceparent_of([("traceparent", b"x"), ("traceparent", PARENT.encode())]) == ""
    assert traceparent_of([("traceparent", None), ("traceparent", PARENT.encode())]) == PARENT
