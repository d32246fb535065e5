"""Window edges to the millisecond, by both clocks, from every source that needs no broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from lpa_replay.testing.place import MOMENT, Place, event

OFFSETS = range(-2, 3)
EDGES = [(-2, 3), (-1, 1), (0, 1), (0, 2), (2, 3), (3, 9), (-9, -2)]
Select = Callable[[int, int], list[int]]


def expected(start: int, end: int) -> list[int]:
    return [offset for offset in OFFSETS if start <= offset < end]


@pytest.fixture
def select(place: Place) -> Callable[..., list[int]]:
    """How many records of each offset from MOMENT a window takes."""

    def taken(start: int, end: int, *options: str) -> list[int]:
        plan = place.plan("--start", str(start), "--end", str(end), *options)
        found: list[Any] = [plan["selected"]]
        return found

    return taken


def test_by_event_time_from_the_tables_and_files(place: Place, select: Callable[..., list[int]]) -> None:
    broken = [event(str(offset), MOMENT + offset) for offset in OFFSETS]
    place.ingest([*broken, *(event(f"d{offset}", MOMENT + offset, pipeline="p") for offset in OFFSETS)])
    place.ingest([event(f"d{offset}", MOMENT + offset, pipeline="p") for offset in OFFSETS], "again.ndjson")
    envelopes = place.rows(
        "SELECT toUnixTimestamp64Milli(event_timestamp), payload_body, source_offset FROM {}.streaming_events_dlq"
    )
    lines = [
        {
            "schemaVersion": "v1",
            "source": {"topic": "t", "partition": 0, "offset": offset, "recordTimestamp": 5},
            "failure": {"stage": "SCHEMA_VALIDATION", "failureClass": "SCHEMA_INVALID", "reason": "missing_field"},
            "payload": {"encoding": "json", "body": body},
            "eventTimestamp": moment,
        }
        for moment, body, offset in envelopes
    ]
    (place.folder / "envelopes.ndjson").write_bytes(b"\n".join(map(msgspec.json.encode, lines)))
    sources = ("dlq-table", "quarantine-table", "envelopes.ndjson", "again.ndjson")
    for start, end in EDGES:
        for source in sources:
            assert select(MOMENT + start, MOMENT + end, "--from", source) == [len(expected(start, end))], source


def test_by_the_time_of_the_record_where_the_event_has_none(place: Place, select: Callable[..., list[int]]) -> None:
    place.ingest([event("e", "no time")])
    ((moment, rejected),) = place.rows(
        "SELECT toUnixTimestamp64Milli(source_record_timestamp), toUnixTimestamp64Milli(ingestion_timestamp) "
        "FROM {}.streaming_events_dlq"
    )
    for start, end, count in ((0, 1, 1), (1, 2, 0), (-1, 0, 0)):
        assert select(moment + start, moment + end) == [count]
        assert select(rejected + start, rejected + end, "--by", "ingestion") == [count]


def test_from_the_archive_by_both_clocks(place: Place, select: Callable[..., list[int]]) -> None:
    place.ingest([event(str(offset), MOMENT + offset) for offset in OFFSETS], "events.ndjson", "--archive", "archive")
    ((received,),) = place.rows("SELECT toUnixTimestamp64Milli(max(ingestion_timestamp)) FROM {}.streaming_events_dlq")
    source = ("--from", "archive", "--archive", "archive")
    for start, end in EDGES[:4]:
        assert select(MOMENT + start, MOMENT + end, *source, "--by", "event") == [len(expected(start, end))]
    for start, end, count in ((0, 1, 5), (1, 2, 0), (-1, 0, 0)):
        assert select(received + start, received + end, *source) == [count]
