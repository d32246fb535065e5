"""docs/operations/guide.md: its lines of `lpa` run, in one folder and one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cyclopts
import pytest
from services.operations_guide import beginning

from lpa_core.cli import build_app
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings

LPA = sorted({line.runs for line in beginning("lpa ")})
NOT_RUN = ("lpa recover ", "lpa schema rollback", "lpa release-check")
"""They need a damage, an earlier schema, or the reports of all tests: tests of their own run them."""
PREPARED = [
    "generate --events 300 --bad 0 --sessions 5 --seed 3 --output events.ndjson",
    "ingest broken.ndjson --archive archive",
    "ingest events.ndjson --archive archive",
    "replay run --since 1h --fix fix.toml --yes",
    "replay list --json",
]
"""What an operator has before the lines: a few events, and dead letters that were repaired."""
BROKEN = (
    '{"id":"e-%d","type":"ai_stream_status","timestamp":1767873600000,'
    '"data":{"type":"error","stream_id":"s","request_id":"r"}}\n'
)
FIX = """[[fix]]
class = "SCHEMA_INVALID"
reason = "missing_field"
where = [{ path = "data.pipeline", missing = true }]
steps = [{ set = "data.pipeline", value = "live-video-to-video" }]
"""
RUNNER = """
import contextlib, io, json, sys
from lpa_core.cli import run
from lpa_core.settings.settings import Settings
from lpa_sinks.clickhouse.database import opened
from services.few_assertions import ask_few

ask_few()
said, id_ = {}, ""
with opened(None, Settings(), make=True):  # the engine starts once
    for line in json.load(sys.stdin):
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
            status = run([id_ if word == "ID" else word for word in line.split()])
        if line == "replay list --json":
            id_ = json.loads(out.getvalue())[0]["replay_id"]
        said[line] = [status, out.getvalue() + err.getvalue()]
print(json.dumps(said))
"""


@pytest.mark.slow
def test_lines_of_lpa_run(tmp_path: Path) -> None:
    (tmp_path / "broken.ndjson").write_text("".join(BROKEN % number for number in range(3)))
    (tmp_path / "fix.toml").write_text(FIX)
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("HEALTH_", "LPA_", "QUALITY_"))}
    environment = {**kept, "LPA_ARCHIVE_DIR": "archive", "HEALTH_CHECKS_DISABLED": "disk", "LPA_LOG_LEVEL": "error"}
    environment["PYTHONPATH"] = str(Path(__file__).parent)
    commands = [*PREPARED, *(line.removeprefix("lpa ") for line in LPA if not line.startswith(NOT_RUN))]
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps(commands),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, tuple[int, str]] = json.loads(done.stdout)
    assert len(said) == len(commands) > 10
    assert {command: text for command, (status, text) in said.items() if status} == {}


@pytest.mark.parametrize("line", [line for line in LPA if line.startswith(NOT_RUN)])
def test_a_line_of_lpa_that_needs_more_is_a_command(line: str) -> None:
    settings = Settings()
    app = build_app(settings, PluginManager(settings))
    app.parse_args(line.split()[1:], exit_on_error=False, print_error=False)
    with pytest.raises(cyclopts.CycloptsError):
        app.parse_args([*line.split()[1:], "--no-such-option"], exit_on_error=False, print_error=False)
