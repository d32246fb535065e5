"""Record times that no calendar has: a producer may give any."""

from __future__ import annotations

import msgspec
import pytest

from lpa_core.records import RecordBatch
from lpa_replay.testing.place import MOMENT, ReplayPlace, event
from lpa_sinks.archive import FileArchive

TIMES = (-(2**63), -1, 0, MOMENT, MOMENT * 1000, 20_000_000_000_000, 2**63 - 1)


@pytest.mark.slow
@pytest.mark.parametrize("source", ["archive", "envelopes.ndjson"])
def test_failure_26_a_plan_is_made_of_records_of_any_time(place: ReplayPlace, source: str) -> None:
    place.ingest([], "nothing.ndjson")
    values = [msgspec.json.encode(event(str(number), pipeline="p")) for number in range(len(TIMES))]
    archive = FileArchive(str(place.folder / "archive"), place.folder / "spool")
    archive.recover()
    archive.write(RecordBatch("t", 0, range(len(TIMES)), values, TIMES), MOMENT)
    archive.close()
    envelopes = [
        {
            "schemaVersion": "v1",
            "source": {"topic": "t", "partition": 0, "offset": offset, "recordTimestamp": time},
            "failure": {"stage": "PARSE", "failureClass": "PARSING_FAILED", "reason": "parse_exception"},
            "payload": {"encoding": "json", "body": value.decode()},
            "eventTimestamp": time,
            "ingestionTimestamp": time,
        }
        for offset, (time, value) in enumerate(zip(TIMES, values, strict=True))
    ]
    (place.folder / "envelopes.ndjson").write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in envelopes))
    options = ("--all", "--from", source, *(("--archive", "archive") if source == "archive" else ()))
    assert place.plan(*options)["selected"] == len(TIMES)
    done = place.replay(*options)
    assert done["published"] == len(TIMES)
    assert place.count("streaming_events") == len(TIMES)
