"""Files that a replay reads: cut off, being written, or of another kind."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import msgspec
import pytest

from lpa_core.replays import ReplayError
from lpa_replay.sources.file import FileSource
from lpa_replay.sources.record import Filters, Selection
from lpa_replay.sources.window import Clock, Window
from lpa_replay.testing.place import ReplayPlace, event

EVERYTHING = Selection(Window(), Clock.EVENT, Filters())
LINES = [msgspec.json.encode(event(str(number), pipeline="p")) for number in range(3)]
ENVELOPE = msgspec.json.encode({"schemaVersion": "v1", "failure": {}, "payload": {"encoding": "json", "body": "{}"}})


def read(path: Path) -> list[bytes | None]:
    return [found.payload for some in FileSource(path).read(EVERYTHING) for found in some]


@pytest.mark.parametrize("last", [LINES[0], ENVELOPE])
def test_failure_24_a_file_that_ends_in_the_middle_of_a_line_is_not_replayed(tmp_path: Path, last: bytes) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"\n".join([*LINES, last[:-10]]))
    with pytest.raises(ReplayError, match=r"ends in the middle of a line of \d+ bytes: .*`echo >> "):
        read(path)
    path.write_bytes(gzip.compress(b"\n".join([*LINES, last]))[:-9])
    with pytest.raises(ReplayError, match="breaks off after byte"):
        read(path)


def test_failure_24_a_last_line_that_is_whole_needs_no_end_in_a_replay(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"\n".join(LINES))
    assert read(path) == LINES


def test_failure_24_nothing_is_sent_of_a_file_that_is_being_written(place: ReplayPlace) -> None:
    (place.folder / "events.ndjson").write_bytes(b"\n".join([*LINES, LINES[0][:-10]]))
    place.ingest([], "nothing.ndjson")
    assert "ends in the middle of a line" in place.plan("--all", "--from", "events.ndjson", status=1)
    assert "ends in the middle of a line" in place.replay("--all", "--from", "events.ndjson", status=1)
    assert place.count("streaming_events") == place.count("streaming_events_dlq") == 0


def test_failure_25_a_replay_refuses_a_file_of_another_kind_with_the_way_out(place: ReplayPlace) -> None:
    (place.folder / "events.ndjson").write_bytes(bz2.compress(b"\n".join(LINES)))
    (place.folder / "array.json").write_bytes(b"[" + b",\n".join(LINES) + b"]")
    place.ingest([], "nothing.ndjson")
    folder = place.folder
    assert f"`bzcat {folder}/events.ndjson > lines.ndjson`" in place.plan("--all", "--from", "events.ndjson", status=1)
    assert f"`jq -c '.[]' {folder}/array.json > lines.ndjson`" in place.replay(
        "--all", "--from", "array.json", status=1
    )
    assert place.count("streaming_events") == place.count("streaming_events_dlq") == 0
