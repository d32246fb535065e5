"""Replays of the archive: into an empty database, of a window, and of one that is damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from lpa_core.generate.generator import generate
from lpa_core.records import RecordBatch
from lpa_replay.sources.archive import ArchiveSource
from lpa_replay.sources.record import Filters, Selection
from lpa_replay.sources.window import Clock, Window
from lpa_replay.testing.place import MOMENT, ReplayPlace, event
from lpa_sinks.archive import FileArchive

HOUR_MS = 3_600_000
CONTENT = """
SELECT count(), groupBitXor(row_hash), sum(row_hash) FROM (
    SELECT sipHash64(formatRow('JSONEachRow', * EXCEPT (ingestion_timestamp, source_topic, source_partition,
        source_offset, replay))) AS row_hash
    FROM {}.%s)
"""


def typed_tables(place: ReplayPlace) -> dict[str, Any]:
    """The content of each typed table, but for where and when its rows were read."""
    names = place.rows(
        "SELECT table FROM system.columns WHERE database = '{}' AND name = 'raw_event_uid' AND default_kind = '' "
        "AND NOT startsWith(table, 'raw_') AND table IN "
        "(SELECT name FROM system.tables WHERE database = '{}' AND engine = 'MergeTree')"
    )
    return {name: place.rows(CONTENT % name) for (name,) in names}


@pytest.mark.slow
def test_into_an_empty_database_it_gives_the_same_typed_tables(
    place: ReplayPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.ingest(
        generate(2_000, duplicates=0.03, bad=0.03, sessions=20, seed=5), "events.ndjson", "--archive", "archive"
    )
    original, events = typed_tables(place), place.count("streaming_events")
    assert sum(rows[0][0] for rows in original.values()) > events

    place.engine.command(f"DROP DATABASE {place.database} SYNC")
    monkeypatch.setenv("LPA_DATA_DIR", str(place.folder / "elsewhere"))
    done = place.replay("--all", "--from", "archive", "--archive", "archive")
    assert done["selected"] == 2_000
    assert typed_tables(place) == original
    assert place.count("streaming_events") == events
    checks = place.verified(done["id"], status=1)
    assert checks["every record in one place"]["passed"]
    assert checks["rows in typed tables"]["passed"]

    again = place.replay("--all", "--from", "archive", "--archive", "archive")
    assert again["already_stored"] == events + 60, "duplicates of stored events among them"
    assert place.count("streaming_events") == events


@pytest.mark.slow
def test_a_repaired_record_that_is_archived_too_is_replayed_once(
    place: ReplayPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive has the broken record, and the one that an earlier replay sent in its place."""
    place.ingest([event("a")], "events.ndjson", "--archive", "archive")
    place.replay("--all", "--fix", "fix.toml")
    ((sent,),) = place.rows("SELECT raw_json FROM {}.streaming_events")
    archive = FileArchive("archive", place.folder / "spool")
    archive.recover()
    archive.write(RecordBatch("elsewhere", 0, range(1), [sent.encode()], [MOMENT]), MOMENT)
    archive.close()
    place.engine.command(f"DROP DATABASE {place.database} SYNC")
    monkeypatch.setenv("LPA_DATA_DIR", str(place.folder / "another"))
    done = place.replay("--all", "--from", "archive", "--archive", "archive")
    assert (done["selected"], done["published"], done["would_pass"]) == (2, 1, 1)


@pytest.fixture
def month(tmp_path: Path) -> Path:
    """30 days of archive: a record a day, and one for each hour of the fourth."""
    archive = FileArchive(str(tmp_path / "archive"), tmp_path / "spool", max_bytes=1)
    archive.recover()
    for hour in sorted({*range(0, 30 * 24, 24), *range(96, 120)}):
        moment = MOMENT + hour * HOUR_MS
        value = msgspec.json.encode(event(str(hour), moment, pipeline="p"))
        archive.write(RecordBatch("events", 0, [hour], [value], [moment]), moment)
    archive.close()
    return tmp_path / "archive"


def test_ten_minutes_of_a_month_read_only_the_files_of_that_window(month: Path) -> None:
    start = MOMENT + 100 * HOUR_MS
    for file in month.rglob("*.zst"):
        if "hour=16" not in str(file) or "date=2026-01-12" not in str(file):
            file.write_bytes(b"damaged: whoever reads this fails")
    selection = Selection(Window(start, start + 600_000), Clock.INGESTION, Filters())
    source = ArchiveSource(str(month), selection.window, selection.clock)
    found = [each for some in source.read(selection) for each in some if selection.takes(each)]
    assert [each.place.offset for each in found] == [100]
    assert source.bounds["files"].startswith("1 sha256 ")


@pytest.mark.slow
def test_a_damaged_file_sends_nothing(place: ReplayPlace) -> None:
    place.ingest([event(str(number), pipeline="p") for number in range(50)], "events.ndjson", "--archive", "archive")
    (file,) = (place.folder / "archive").rglob("*.zst")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    place.engine.command(f"TRUNCATE TABLE {place.database}.streaming_events SYNC")
    said = place.replay("--all", "--from", "archive", "--archive", "archive", status=1)
    assert "is damaged" in said
    assert place.count("streaming_events") == 0
    file.write_bytes(whole)
    assert place.replay("--all", "--from", "archive", "--archive", "archive")["published"] == 50
