"""Events changed at random, through the command line into the embedded database: nothing stops, nothing vanishes.

``LPA_FUZZ_LINES`` and ``LPA_FUZZ_SEED`` say how many and which; ``./dev fuzz`` takes 100,000.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from services.preloaded import preloaded_lpa, preloaded_python

from lpa_core.testing.mutations import mutated_records

pytestmark = pytest.mark.slow

LINES = int(os.environ.get("LPA_FUZZ_LINES", "3000"))
SEED = int(os.environ.get("LPA_FUZZ_SEED", random.Random().randrange(1 << 32)))
WINDOW = ("--start", "2000-01-02T00:00:00", "--end", "2026-03-01T00:00:00")
"""The streams are of January 2026; times that were changed lie anywhere."""
ABOUT_PRODUCERS = {"pipelines_are_covered", "proxies_stand_for_one_orchestrator"}
"""Assertions that say what producers sent, not whether tables agree: a proxy that two orchestrators call theirs."""

POSITIONS = """
import clickhouse_connect, json
client = clickhouse_connect.get_client(interface="chdb", path="lpa-data/clickhouse", database="livepeer_analytics")
print(json.dumps(client.query('''
    SELECT count(), uniqExact(source_offset), max(source_offset) FROM (
        SELECT source_offset FROM streaming_events
        UNION ALL SELECT source_offset FROM streaming_events_dlq
        UNION ALL SELECT source_offset FROM streaming_events_quarantine
        UNION ALL SELECT arrayJoin(range(source_offset, next_offset)) FROM known_gaps)''').result_rows[0]))
"""


def test_failure_01_whatever_events_hold_they_are_stored_and_parity_holds(tmp_path: Path) -> None:
    what = f"LPA_FUZZ_LINES={LINES} LPA_FUZZ_SEED={SEED}"
    print(what, flush=True)
    started = time.monotonic()

    def lpa(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [preloaded_lpa(), *arguments],
            cwd=tmp_path,
            env={**os.environ, "LPA_LOG_LEVEL": "error"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, f"{what}: {done.stderr}"
        assert done.stdout, f"{what}: {done.stderr}"
        return done.returncode, done.stdout

    with (tmp_path / "fuzz.ndjson").open("wb") as file:
        file.writelines(record + b"\n" for record in mutated_records(LINES, SEED))
    status, told = lpa("ingest", "fuzz.ndjson", "--json")
    read = json.loads(told)
    print({name: read[name] for name in ("read", "accepted", "dead_lettered", "quarantined", "ignored")})
    assert (status, read["read"]) == (0, LINES), what
    outcomes = ("accepted", "dead_lettered", "quarantined", "ignored")
    assert read["read"] == sum(read[name] for name in outcomes), what
    assert 0 < read["dead_lettered"] < read["accepted"], what

    positions = subprocess.run(
        [preloaded_python(), "-c", POSITIONS], cwd=tmp_path, capture_output=True, check=True
    ).stdout
    assert json.loads(positions) == [LINES, LINES, LINES - 1], what
    _, told = lpa("health", "--json")
    conservation = next(check for check in json.loads(told)["checks"] if check["name"] == "conservation")
    assert conservation["state"] == "ok", f"{what}: {conservation}"

    status, told = lpa("check", "parity", *WINDOW, "--json")
    found: list[dict[str, Any]] = json.loads(told)
    # What only warns is what odd events may well do: a session that changes its model, a gateway of many names.
    failed = {each["assertion"]: each["rows"] for each in found if each["found"] == "fail"}
    assert status == (1 if failed else 0), what
    assert {name: rows for name, rows in failed.items() if name not in ABOUT_PRODUCERS} == {}, what
    print(f"{time.monotonic() - started:.0f} seconds", flush=True)
