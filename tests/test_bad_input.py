"""A file of everything that can be wrong with a line, through the command line into the embedded database."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from services.preloaded import preloaded_lpa, preloaded_python

GOOD = (
    b'{"id":"good-%d","type":"stream_trace","timestamp":1767900000000,'
    b'"data":{"stream_id":"s","request_id":"r","type":"t"%s}}'
)

CASES: list[tuple[bytes, str]] = [
    (b"not json", "json_parse_error"),
    (b"", "root_not_object"),
    (b'{"type":"\xff"}', "json_parse_error"),
    (b"\xef\xbb\xbf{}", "json_parse_error"),
    (b"[" * 100_000, "json_parse_error"),
    (GOOD % (1, b',"x":NaN'), "json_parse_error"),
    (GOOD % (2, b',"x":Infinity'), "json_parse_error"),
    (GOOD % (3, rb',"x":"\ud800"'), "json_parse_error"),
    (GOOD % (4, b',"x":"\x00"'), "json_parse_error"),
    (GOOD % (5, rb',"x":"\u0000","stream_id":"a\u0000b"'), ""),
    (GOOD % (6, b',"timestamp":99999999999999999999999'), ""),
    (GOOD % (7, b',"type":"u","type":"v"'), ""),
    (GOOD % (8, b',"x":"' + b"y" * 50_000_000 + b'"'), "record_too_large"),
    (b'{"type":1}', "missing_type"),
    (b'{"type":"stream_trace","timestamp":"x","data":{}}', "missing_timestamp"),
    (b'{"type":"stream_trace","timestamp":1700000000000,"data":[]}', "missing_field"),
    (GOOD % (9, b"") + b"\r", ""),
]

QUERY = """
import clickhouse_connect, json, sys
client = clickhouse_connect.get_client(interface="chdb", path="lpa-data/clickhouse")
print(json.dumps(client.query('''
    SELECT * FROM (
        SELECT source_offset, '' AS failure_reason, 0 AS payload_size FROM livepeer_analytics.streaming_events
        UNION ALL
        SELECT source_offset, failure_reason, payload_size FROM livepeer_analytics.streaming_events_dlq)
    ORDER BY source_offset''').result_rows))
"""


@pytest.mark.slow
def test_every_line_ends_accepted_or_dead_lettered_with_its_reason_and_line(tmp_path: Path) -> None:
    (tmp_path / "bad.ndjson").write_bytes(b"\xef\xbb\xbf" + b"".join(line + b"\n" for line, _ in CASES))
    done = subprocess.run(
        [preloaded_lpa(), "ingest", "bad.ndjson", "--json"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["read"] == len(CASES)
    rows = subprocess.run([preloaded_python(), "-c", QUERY], cwd=tmp_path, capture_output=True, check=True).stdout
    found = json.loads(rows)
    assert [(offset, reason) for offset, reason, _ in found] == [(n, reason) for n, (_, reason) in enumerate(CASES)]
    sizes = {offset: size for offset, reason, size in found if reason}
    assert sizes == {n: len(line) for n, (line, reason) in enumerate(CASES) if reason}
