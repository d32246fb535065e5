"""Window edges to the millisecond, by both clocks, from every source that needs no broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import msgspec
import pytest

from lpa_core.settings.loading import load
from lpa_replay.database import opened
from lpa_replay.sources.opening import open_source
from lpa_replay.sources.record import Filters, Selection
from lpa_replay.sources.window import Clock, Window
from lpa_replay.testing.place import MOMENT, ReplayPlace, event

OFFSETS = range(-2, 3)
EDGES = [(-2, 3), (-1, 1), (0, 1), (0, 2), (2, 3), (3, 9), (-9, -2)]


def expected(start: int, end: int) -> int:
    return len([offset for offset in OFFSETS if start <= offset < end])


def taken(place: ReplayPlace, source: str, start: int, end: int, clock: Clock = Clock.EVENT) -> int:
    """How many records of a source a window takes."""
    settings, selection = load(), Selection(Window(start, end), clock, Filters())
    with ExitStack() as stack:
        where = source if source.endswith("-table") or source == "archive" else str(place.folder / source)
        found = open_source(
            where, "archive", selection, settings, lambda: stack.enter_context(opened(place.sink, settings))
        )
        stack.enter_context(closing(found))
        return sum(selection.takes(each) for some in found.read(selection) for each in some)


@pytest.mark.slow
def test_by_event_time_from_the_tables_and_files(place: ReplayPlace) -> None:
    good = [event(f"d{offset}", MOMENT + offset, pipeline="p") for offset in OFFSETS]
    place.ingest([*(event(str(offset), MOMENT + offset) for offset in OFFSETS), *good])
    place.ingest(good, "again.ndjson")
    (place.folder / "envelopes.ndjson").write_bytes(b"\n".join(envelopes(place)))
    for start, end in EDGES:
        for source in ("dlq-table", "quarantine-table", "envelopes.ndjson", "again.ndjson"):
            assert taken(place, source, MOMENT + start, MOMENT + end) == expected(start, end), source


def envelopes(place: ReplayPlace) -> Iterator[bytes]:
    """Those of the table of dead letters, as a topic has them."""
    for moment, body, offset in place.rows(
        "SELECT toUnixTimestamp64Milli(event_timestamp), payload_body, source_offset FROM {}.streaming_events_dlq"
    ):
        yield msgspec.json.encode(
            {
                "schemaVersion": "v1",
                "source": {"topic": "t", "partition": 0, "offset": offset, "recordTimestamp": 5},
                "failure": {"stage": "SCHEMA_VALIDATION", "failureClass": "SCHEMA_INVALID", "reason": "missing_field"},
                "payload": {"encoding": "json", "body": body},
                "eventTimestamp": moment,
            }
        )


def test_by_the_time_of_the_record_where_the_event_has_none(place: ReplayPlace) -> None:
    place.ingest([event("e", "no time")])
    ((moment, rejected),) = place.rows(
        "SELECT toUnixTimestamp64Milli(source_record_timestamp), toUnixTimestamp64Milli(ingestion_timestamp) "
        "FROM {}.streaming_events_dlq"
    )
    for start, end, count in ((0, 1, 1), (1, 2, 0), (-1, 0, 0)):
        assert taken(place, "dlq-table", moment + start, moment + end) == count
        assert taken(place, "dlq-table", rejected + start, rejected + end, Clock.INGESTION) == count


def test_from_the_archive_by_both_clocks(place: ReplayPlace) -> None:
    place.ingest([event(str(offset), MOMENT + offset) for offset in OFFSETS], "events.ndjson", "--archive", "archive")
    ((received,),) = place.rows("SELECT toUnixTimestamp64Milli(max(ingestion_timestamp)) FROM {}.streaming_events_dlq")
    for start, end in EDGES:
        assert taken(place, "archive", MOMENT + start, MOMENT + end) == expected(start, end)
    for start, end, count in ((0, 1, 5), (1, 2, 0), (-1, 0, 0)):
        assert taken(place, "archive", received + start, received + end, Clock.INGESTION) == count
