"""Events, facts, rollups and views of generated events agree, with repeated and rejected ones among them.

``LPA_PARITY_EVENTS`` says how many; ``./dev fuzz`` takes 200,000.
"""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from services.preloaded import preloaded_lpa

pytestmark = pytest.mark.slow

ASSERTIONS = Path(__file__).parents[1] / "configs" / "assertions"
START_MS, END_MS = 1_767_830_400_000, 1_768_003_200_000
"""Two days from 2026-01-08."""
EVENTS = int(os.environ.get("LPA_PARITY_EVENTS", "50000"))
REPEATED, BAD = EVENTS // 50, EVENTS // 100


def moment(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat()


def test_every_assertion_holds(tmp_path: Path) -> None:
    def lpa(*arguments: str) -> str:
        done = subprocess.run(
            [preloaded_lpa(), *arguments],
            cwd=tmp_path,
            env={**os.environ, "LPA_LOG_LEVEL": "error"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    shares = ("--duplicates", str(REPEATED / EVENTS), "--bad", str(BAD / EVENTS))
    lpa("generate", "--events", str(EVENTS), *shares, "--seed", "7", "--output", "events.ndjson")
    read = json.loads(lpa("ingest", "events.ndjson", "--json"))
    assert (read["dead_lettered"], read["quarantined"]) == (BAD, REPEATED)
    with (tmp_path / "events.ndjson").open("rb") as lines:
        assert START_MS <= int(json.loads(next(lines))["timestamp"]) < END_MS, "the window is of these events"
    window = ("--start", moment(START_MS), "--end", moment(END_MS))
    found: list[dict[str, Any]] = json.loads(lpa("check", "parity", *window, "--json"))
    assert len(found) == len(list(ASSERTIONS.glob("*.sql")))
    assert [each for each in found if each["found"] not in ("holds", "info")] == []
