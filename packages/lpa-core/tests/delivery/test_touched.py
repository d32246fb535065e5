"""What a range says it touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from lpa_core.delivery.touched_sessions import (
    JOB_TABLES,
    PROJECTED_TABLES,
    Touch,
    UnreadableTouchError,
    decode,
    touches,
)
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.job_events import lpa_event_types as job_event_types
from lpa_core.tables.table import Block

EVENT_TYPES = [*BUILTIN_EVENT_TYPES, *job_event_types()]
TABLES = {table.name: table for event_type in EVENT_TYPES for table in event_type.tables}


def block(name: str, *rows: Mapping[str, Any]) -> Block:
    """Rows of a table; what is not given is the same in all."""
    table = TABLES[name]
    fallback = {"source_topic": "events", "source_partition": 3, "ingestion_timestamp": 1_700}
    columns = [[row.get(column, fallback.get(column, "")) for row in rows] for column in table.column_names]
    return Block(table, "events", 3, range(len(rows)), columns, "token")


def session(stream_id: str, request_id: str) -> Touch:
    return Touch("events", 3, 1_700, stream_id, request_id)


def keys(blocks: Sequence[Block]) -> list[str]:
    return [touch.key.decode() for touch in touches(blocks)]


def test_a_session_is_told_once_whatever_tables_its_signals_went_to() -> None:
    found = [
        *touches(
            [
                block("ai_stream_status", *[{"stream_id": "s", "request_id": "r"}] * 3),
                block("stream_trace_events", {"stream_id": "s", "request_id": "r"}, {"stream_id": "t"}),
                block("ai_stream_events", {"stream_id": "s", "request_id": "other"}),
            ]
        )
    ]
    assert found == [session("s", "r"), session("t", ""), session("s", "other")]


def test_ids_that_differ_by_outer_spaces_go_to_one_partition() -> None:
    signals = [{"stream_id": " s", "request_id": "r "}, {"stream_id": "s", "request_id": "r"}]
    assert keys([block("ai_stream_status", *signals)]) == ["s|r", "s|r"]


def test_sessions_of_two_orgs_are_told_apart_and_without_an_org_all_is_as_before() -> None:
    signal = {"stream_id": "s", "request_id": "r"}
    (without,) = touches([block("ai_stream_status", signal)])
    (of_a,) = touches([block("ai_stream_status", signal | {"org": "a"})])
    assert of_a == Touch("events", 3, 1_700, "s", "r", org="a")
    assert decode(of_a.encode()) == of_a
    assert of_a.key == b"a\x1fs|r"
    assert without.encode() == b'{"topic":"events","partition":3,"batch_time":1700,"stream_id":"s","request_id":"r"}'


def test_projected_tables_are_told_by_name_and_others_not_at_all() -> None:
    everything = [block(name, {}) for name in sorted(TABLES)]
    assert {touch.table for touch in touches(everything) if touch.table} == PROJECTED_TABLES
    assert keys([block("discovery_results", {}), block("payment_events", {}), block("job_auth_events", {})]) == []


def test_failure_32_jobs_are_told_once_as_earlier_versions_tell_sessions_without_ids() -> None:
    """They look for such sessions in the range, which does no harm; a table or field that they do not know would."""
    (touch,) = touches([block(name, {"request_id": "r"}, {"request_id": "q"}) for name in sorted(JOB_TABLES)])
    assert touch.encode() == b'{"topic":"events","partition":3,"batch_time":1700}'
    both = [block("ai_stream_status", {}), block("job_gateway_events", {"request_id": "r"})]
    assert [*touches(both)] == [touch]


def test_failure_32_what_later_versions_add_is_passed_over() -> None:
    assert decode(b'{"topic":"t","partition":0,"batch_time":1,"stream_id":"s","x":1}') == Touch("t", 0, 1, "s")
    with pytest.raises(UnreadableTouchError, match="derives nothing from table fact_of_tomorrow"):
        decode(b'{"topic":"t","partition":0,"batch_time":1,"table":"fact_of_tomorrow"}')


@pytest.mark.parametrize("touch", [session("s", "ü|"), Touch("t", 0, 0, table="network_capabilities")])
def test_a_record_says_again_what_was_written(touch: Touch) -> None:
    assert decode(touch.encode()) == touch


@pytest.mark.parametrize("value", [None, b"", b"{}", b"[]", b'{"topic":"t","partition":0,"batch_time":"1"}', b"\xff"])
def test_what_is_no_touch_is_turned_down(value: bytes | None) -> None:
    with pytest.raises(UnreadableTouchError):
        decode(value)
