"""The main job on the embedded default, through the command line, on events as producers sent them."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from services.preloaded import preloaded_lpa, preloaded_python

REAL_EVENTS = Path(__file__).parents[2] / "shared/data/events/streaming_events_2026-01-08.ndjson"
TRIAGE = Path(__file__).parents[1] / "packages/lpa-ops/src/lpa_ops/triage/sql"

pytestmark = pytest.mark.each_share
needs_real_events = pytest.mark.skipif(not REAL_EVENTS.exists(), reason=f"{REAL_EVENTS} is absent")


def lpa(*arguments: str, cwd: Path, stdin: bytes = b"", check: bool = True, **environment: str) -> str:
    """Run the command as a user would; what it printed."""
    done = subprocess.run(
        [preloaded_lpa(), *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env={**os.environ, **environment},
        check=False,
    )
    assert not check or done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    return done.stdout.decode()


def refused(*arguments: str, cwd: Path) -> str:
    """What the command says when it refuses."""
    command = [preloaded_lpa(), *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def ingest(source: str, cwd: Path, *arguments: str, **environment: str) -> dict[str, Any]:
    return json.loads(lpa("ingest", source, "--json", *arguments, cwd=cwd, **environment))  # type: ignore[no-any-return]


QUERY = """
import clickhouse_connect, json, sys
client = clickhouse_connect.get_client(interface="chdb", path=sys.argv[1])
print(json.dumps([client.query(sql).result_rows for sql in sys.argv[2:]], default=str))
"""


def query(folder: Path, *statements: str) -> list[list[list[Any]]]:
    done = subprocess.run(
        [preloaded_python(), "-c", QUERY, str(folder / "lpa-data/clickhouse"), *statements],
        check=True,
        capture_output=True,
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.mark.slow
@needs_real_events
def test_real_events_are_stored_once(tmp_path: Path) -> None:
    shutil.copy(REAL_EVENTS, tmp_path / "events.ndjson")
    first = ingest("events.ndjson", tmp_path)
    assert (first["read"], first["accepted"], first["dead_lettered"], first["quarantined"]) == (65, 65, 0, 0)
    typed = {
        "stream_ingest_metrics": 34,
        "ai_stream_status": 17,
        "stream_trace_events": 6,
        "payment_events": 6,
        "discovery_results": 1,
        "network_capabilities": 1,
    }
    assert typed.items() <= first["rows"].items()

    assert ingest("events.ndjson", tmp_path)["read"] == 0

    shutil.copy(REAL_EVENTS, tmp_path / "copy.ndjson")
    copy = ingest("copy.ndjson", tmp_path)
    assert (copy["read"], copy["accepted"], copy["quarantined"]) == (65, 0, 65)

    counts = [f"SELECT count() FROM livepeer_analytics.{table}" for table in typed]
    reasons = "SELECT failure_class, count() FROM livepeer_analytics.streaming_events_quarantine GROUP BY 1"
    views = [f"SELECT count(), countIf(raw_json != '') FROM livepeer_analytics.raw_{table}" for table in typed]
    found = query(tmp_path, *counts, reasons, *views)
    assert [rows[0][0] for rows in found[: len(typed)]] == list(typed.values())
    assert found[len(typed)] == [["DUPLICATE", 65]]
    assert [rows[0] for rows in found[len(typed) + 1 :]] == [[count, count] for count in typed.values()]


@pytest.mark.slow
@needs_real_events
def test_stored_values_are_those_that_were_sent(tmp_path: Path) -> None:
    shutil.copy(REAL_EVENTS, tmp_path / "events.ndjson")
    ingest("events.ndjson", tmp_path)
    (raw, status) = query(
        tmp_path,
        "SELECT source_offset, raw_json, id, type, data FROM livepeer_analytics.streaming_events ORDER BY 1",
        "SELECT toString(round(output_fps, 3)), pipeline, orchestrator_address, "
        "toUnixTimestamp64Milli(event_timestamp), toUnixTimestamp64Milli(start_time), prompt_width, last_error, "
        "source_topic, source_partition FROM livepeer_analytics.ai_stream_status ORDER BY source_offset LIMIT 1",
    )
    lines = REAL_EVENTS.read_text().splitlines()
    assert [row[1] for row in raw] == lines
    sent = [json.loads(line) for line in lines]
    assert [(row[2], row[3], json.loads(row[4])) for row in raw] == [(e["id"], e["type"], e["data"]) for e in sent]
    (first,) = (event for event in sent if event["id"] == "f0f0e510-9cda-4879-8546-6adbc080fb6e")
    assert status == [
        [
            "17.298",
            "streamdiffusion-sdxl-faceid",
            "0x52cf2968b3dc6016778742d3539449a6597d5954",
            int(first["timestamp"]),
            first["data"]["start_time"],
            512,
            None,
            "events.ndjson",
            0,
        ]
    ]


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    path = tmp_path / "events.ndjson"
    options = ["--events", "3000", "--duplicates", "0.02", "--bad", "0.1", "--seed", "5", "--output", str(path)]
    lpa("generate", *options, cwd=tmp_path)
    return path


def test_every_position_is_in_one_table_and_triage_shows_the_bad(generated: Path, tmp_path: Path) -> None:
    report = ingest("events.ndjson", tmp_path)
    assert (report["read"], report["dead_lettered"], report["quarantined"]) == (3000, 300, 60)
    union = " UNION ALL ".join(
        f"SELECT source_offset FROM livepeer_analytics.{table}"
        for table in ("streaming_events", "streaming_events_dlq", "streaming_events_quarantine")
    )
    union += (
        " UNION ALL SELECT arrayJoin(range(source_offset, next_offset)) FROM livepeer_analytics.known_gaps"
        " WHERE reason = 'ignored'"
    )
    names = ("failures_by_reason.sql", "latest_letters.sql")
    by_reason, latest = ((TRIAGE / name).read_text().rstrip().rstrip(";") for name in names)
    positions, failures, samples = query(
        tmp_path, f"SELECT count(), uniqExact(source_offset), max(source_offset) FROM ({union})", by_reason, latest
    )
    assert positions == [[3000, 3000, 2999]]
    assert sum(row[2] for row in failures) == 300
    assert len(samples) == 20
    shown = lpa("triage", cwd=tmp_path)
    assert "missing_field" in shown
    as_json = json.loads(lpa("triage", "--json", cwd=tmp_path))
    assert {(f["failure_class"], f["failure_reason"], f["total"]) for f in as_json["failures"]} == {
        (row[0], row[1], row[2]) for row in failures
    }


@pytest.mark.slow
def test_compressed_files_standard_input_and_plain_give_the_same(generated: Path, tmp_path: Path) -> None:
    content = generated.read_bytes()
    plain = ingest("events.ndjson", tmp_path)
    packed = tmp_path / "packed.ndjson.gz"
    packed.write_bytes(gzip.compress(content))
    other = tmp_path / "other"
    other.mkdir()
    stdin = json.loads(lpa("ingest", "-", "--json", cwd=other, stdin=content))
    zipped = ingest(str(packed), tmp_path, LPA_DATA_DIR=str(tmp_path / "another"))
    compared = ("read", "accepted", "dead_lettered_by_reason", "quarantined", "rows")
    for report in (stdin, zipped):
        assert [report[name] for name in compared] == [plain[name] for name in compared]
    assert ingest(str(packed), tmp_path)["accepted"] == 0


@pytest.mark.slow
def test_a_grown_file_is_read_on(generated: Path, tmp_path: Path) -> None:
    lines = generated.read_bytes().splitlines(keepends=True)
    generated.write_bytes(b"".join(lines[:1000]))
    assert ingest("events.ndjson", tmp_path)["read"] == 1000
    generated.write_bytes(b"".join(lines))
    assert ingest("events.ndjson", tmp_path)["read"] == 2000


@pytest.mark.slow
def test_a_lost_checkpoint_doubles_nothing(generated: Path, tmp_path: Path) -> None:
    lines = generated.read_bytes().splitlines(keepends=True)
    generated.write_bytes(b"".join(lines[:1000]))
    ingest("events.ndjson", tmp_path)
    shutil.rmtree(tmp_path / "lpa-data/checkpoints")
    generated.write_bytes(b"".join(lines))  # so that its ranges end elsewhere than before
    said = refused("ingest", "events.ndjson", cwd=tmp_path)
    assert "holds records of events.ndjson already, but no checkpoint says how far it was read" in said
    generated.rename(tmp_path / "again.ndjson")
    again = ingest("again.ndjson", tmp_path)
    assert (again["read"], again["dead_lettered"]) == (3000, 300)
    assert again["accepted"] < 2000
    (accepted,) = query(tmp_path, "SELECT count(), uniqExact(dedup_key) FROM livepeer_analytics.streaming_events")
    assert accepted == [[2640, 2640]]


@pytest.mark.slow
def test_failure_03_an_older_checkpoint_doubles_nothing(generated: Path, tmp_path: Path) -> None:
    lines = generated.read_bytes().splitlines(keepends=True)
    generated.write_bytes(b"".join(lines[:500]))
    ingest("events.ndjson", tmp_path)
    shutil.copytree(tmp_path / "lpa-data/checkpoints", tmp_path / "older")
    generated.write_bytes(b"".join(lines[:1000]))
    ingest("events.ndjson", tmp_path)
    shutil.rmtree(tmp_path / "lpa-data/checkpoints")
    (tmp_path / "older").rename(tmp_path / "lpa-data/checkpoints")
    generated.write_bytes(b"".join(lines))
    said = refused("ingest", "events.ndjson", cwd=tmp_path)
    assert "holds records of events.ndjson after the 500 that its checkpoint counts" in said
    generated.rename(tmp_path / "again.ndjson")
    assert ingest("again.ndjson", tmp_path)["read"] == 3000
    (accepted,) = query(tmp_path, "SELECT count(), uniqExact(dedup_key) FROM livepeer_analytics.streaming_events")
    assert accepted == [[2640, 2640]]


def test_a_person_sees_counts_reasons_and_rates(generated: Path, tmp_path: Path) -> None:
    shown = lpa("ingest", "events.ndjson", cwd=tmp_path)
    for expected in ("accepted", "quarantined", "SCHEMA_INVALID missing_field", "streaming_events_dlq", "events/s"):
        assert expected in shown


@pytest.mark.slow
def test_two_processes_on_one_data_folder(generated: Path, tmp_path: Path) -> None:
    (tmp_path / "fifo.ndjson").unlink(missing_ok=True)
    os.mkfifo(tmp_path / "fifo.ndjson")
    holder = subprocess.Popen(
        [Path(sys.executable).with_name("lpa"), "ingest", "fifo.ndjson"], cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    with (tmp_path / "fifo.ndjson").open("wb") as fifo:
        fifo.write(generated.read_bytes()[:1_000_000])
        fifo.flush()
        while not (tmp_path / "lpa-data/dedup").exists():
            assert holder.poll() is None
        second = subprocess.run(
            [Path(sys.executable).with_name("lpa"), "ingest", "events.ndjson"],
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )
    assert holder.wait() == 0
    assert second.returncode == 2
    assert b"lpa-data/clickhouse" in second.stderr
    assert b"Traceback" not in second.stderr
    assert len(second.stderr.splitlines()) == 1


def test_triage_without_a_database_says_what_makes_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lpa"), "triage"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "lpa-data/clickhouse: there is no embedded database yet" in done.stderr
    assert not (tmp_path / "lpa-data").exists()


@pytest.mark.slow
def test_failure_24_a_file_that_is_being_written_is_read_line_by_line(tmp_path: Path) -> None:
    lines = [
        json.dumps(
            {
                "id": f"e{number}",
                "type": "stream_trace",
                "timestamp": 1_767_900_000_000,
                "data": {"stream_id": "s", "request_id": "r", "type": "t"},
            }
        )
        for number in range(4)
    ]
    file = tmp_path / "events.ndjson"
    file.write_text(lines[0] + "\n" + lines[1][:50])
    assert "its 50 bytes wait" in lpa("ingest", "events.ndjson", cwd=tmp_path)
    file.write_text("\n".join(lines[:3]))
    second = ingest("events.ndjson", tmp_path)
    assert (second["accepted"], second["dead_lettered"]) == (1, 0)
    assert second["unfinished_bytes"] == len(lines[2])
    third = ingest("events.ndjson", tmp_path, "--complete")
    assert (third["accepted"], third["unfinished_bytes"]) == (1, 0)
    whole = gzip.compress("\n".join(lines[3:] * 2).encode() + b"\n")
    (tmp_path / "cut.gz").write_bytes(whole[:-4])
    said = refused("ingest", "cut.gz", cwd=tmp_path)
    assert "cut.gz breaks off" in said
    assert "this run stored 2: 1 accepted, 0 dead-lettered, 1 quarantined" in said
    (tmp_path / "cut.gz").write_bytes(whole)
    assert "Nothing new" in lpa("ingest", "cut.gz", cwd=tmp_path)


@pytest.mark.slow
def test_failure_25_a_file_of_another_kind_makes_no_dead_letters(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_text('[\n{"id": 1},\n{"id": 2}\n]\n')
    assert "`jq -c '.[]' events.json | lpa ingest -`" in refused("ingest", "events.json", cwd=tmp_path)
    assert not (tmp_path / "lpa-data").exists()
    packed = gzip.compress(b'{"id":"e","type":"stream_trace"}\n')
    assert json.loads(lpa("ingest", "-", "--json", cwd=tmp_path, stdin=packed))["read"] == 1
    assert query(tmp_path, "SELECT count() FROM livepeer_analytics.streaming_events_dlq") == [[[1]]]


@pytest.mark.slow
def test_failure_29_different_events_under_one_id_are_told_from_duplicates(tmp_path: Path) -> None:
    def event(number: int) -> str:
        data = {"stream_id": f"s{number}", "request_id": "r", "type": "t"}
        return json.dumps({"id": "same", "type": "stream_trace", "timestamp": 1_767_900_000_000, "data": data}) + "\n"

    (tmp_path / "events.ndjson").write_text("".join(map(event, [0, 0, 1, 2, 3])))
    found = ingest("events.ndjson", tmp_path)
    assert (found["accepted"], found["quarantined"], found["other_content"]) == (1, 4, 3)
    (tmp_path / "more.ndjson").write_text(event(0) + event(4))
    said = lpa("ingest", "more.ndjson", cwd=tmp_path)
    assert "same key, other content 1" in " ".join(said.split())
    assert "1 event has the key of a stored event, but other content" in " ".join(said.split())
    (letters,) = json.loads(lpa("triage", "--json", cwd=tmp_path))["other_content"]
    assert (letters["key"], letters["total"]) == ("same", 4)
    assert "Same key, other content" in lpa("triage", cwd=tmp_path)
