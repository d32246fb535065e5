"""What every command prints, on terminals and in pipes: compared with what it printed before.

`.nox/tests/bin/pytest tests/test_terminal.py --snapshot-update` takes what is printed now; read the difference.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from rich.cells import cell_len
from services.clickhouse import ClickHouseServer
from services.few_assertions import few
from services.help_texts import help_texts
from services.terminal import Kind, Terminal, steady, without_colour
from services.terminal_answers import SAVEPOINT, give_answers
from syrupy.assertion import SnapshotAssertion

from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import described, load
from lpa_ops.savepoint.store import FileSavepointStore
from lpa_sinks import parity

ADD: Final = "ALTER TABLE livepeer_analytics.streaming_events ADD COLUMN IF NOT EXISTS zone String DEFAULT '';\n"
DROP: Final = "ALTER TABLE livepeer_analytics.streaming_events DROP COLUMN IF EXISTS zone;\n"
KINDS: Final = {
    "80 columns": Kind(),
    "120 columns": Kind(columns=120),
    "colour": Kind(terminal=True),
    "ASCII, NO_COLOR": Kind(encoding="ascii", terminal=True, no_colour=True),
}
FIX: Final = """
[[fix]]
reason = "missing_field"
where = [{ path = "data.request_id", missing = true }]
steps = [{ set = "data.request_id", value = "request" }]
"""

IGNORED: Final = """
{"type": "webrtc_stats"}
{"type": "webrtc_stats", "data": {"type": "\\u001b[31mred"}}
{"type": "stream_trace", "data": {"type": "app_" }}
""".lstrip()
"""The escape is data, which a terminal must not obey."""

TYPES: Final = """
[types.reading]
required = ["data.sensor"]

[types.reading.envelope]
has = ["sensor"]
timestamp = "at"
time = "iso8601"

[types.reading.tables.sensor_readings.columns]
sensor = "label"
value = { kind = "float64", on_mismatch = "reject" }

[ignore.workbench]
event_types = ["reading"]
where = { sensor = "bench" }
"""
DOCUMENTS: Final = """
{"sensor": "a", "at": "2026-01-08T12:00:00Z", "value": 1.5}
{"sensor": "\\u001b[31mred", "at": "2026-01-08T12:00:01Z", "value": 2}
{"sensor": "bench", "at": "2026-01-08T12:00:02Z", "value": 3}
{"sensor": "a", "at": "2026-01-08T12:00:03Z", "value": "none"}
{"sensor": "a", "at": "soon", "value": 3}
""".lstrip()

LOG: Final = """
lpa nonsense
lpa recover nonsense
lpa plugins
lpa plugins check
lpa config
lpa doctor --sink clickhouse://
lpa topics apply
lpa topics show
lpa types check sensors.toml
lpa types check faults.toml
lpa types try sensors.toml documents.ndjson
lpa types infer documents.ndjson
lpa types infer good.ndjson
lpa schema apply --migrations migrations --sink clickhouse://
lpa schema check --sink clickhouse://
lpa schema plan --migrations migrations --sink clickhouse://
lpa generate --events 400 --sessions 12 --bad 0.1 --output events.ndjson
lpa ingest events.ndjson --sink clickhouse:// --archive archive
lpa ingest events.ndjson  --sink clickhouse:// --archive archive
lpa ingest ignored.ndjson --no-facts --sink clickhouse://
lpa materialize --sink clickhouse://
lpa materialize rebuild --start 2026-01-01 --end 2026-02-01 --sink clickhouse://
lpa query {query} --sink clickhouse://
lpa query {query} --csv --limit 2 --sink clickhouse://
lpa query {query} --json --limit 1 --sink clickhouse://
lpa query INSERT --sink clickhouse://
lpa triage --sink clickhouse://
lpa triage --wide --sink clickhouse://
lpa triage ignored --sink clickhouse://
lpa triage sessions --limit 3 --sink clickhouse://
lpa triage sessions {session} --sink clickhouse://
lpa triage sessions nobody|nothing --sink clickhouse://
lpa trace {session} --limit 2 --sink clickhouse://
lpa trace events.ndjson/0/7 --sink clickhouse://
lpa trace ignored.ndjson/0/1 --sink clickhouse://
lpa trace nobody --sink clickhouse://
lpa tap
lpa check assertions
lpa check parity --start 2026-01-08 --end 2026-01-09 --sink clickhouse://
lpa check parity --start yesterday
lpa health --sink clickhouse://
lpa health --wide --sink clickhouse://
lpa health --since 2999-01-01 --sink clickhouse://
lpa archive mirror copy --archive archive
lpa backup create --sink clickhouse://
lpa backup list
lpa backup list --sink chdb://./elsewhere
lpa backup verify {backup} --sink clickhouse://
lpa backup prune
lpa replay plan --all --from dlq-table --to local --fix fix.toml --sink clickhouse://
lpa replay run --all --from dlq-table --to local --fix fix.toml --sink clickhouse://
lpa replay run --all --from dlq-table --to local --fix fix.toml --canary 50% --canary-only --sink clickhouse://
lpa replay run --canary 2 --sink clickhouse://
lpa replay list --sink clickhouse://
lpa replay show {replay} --sink clickhouse://
lpa replay verify {replay} --sink clickhouse://
lpa replay check events.ndjson
lpa flink submit
lpa flink restore
lpa flink savepoints
lpa savepoint create
lpa savepoint list
lpa savepoint restore savepoints/newest
lpa erase plan --path data.type --value gateway_ingest_stream_closed --archive archive --sink clickhouse://
lpa erase run --path data.stream_id --value nobody --sink clickhouse://
lpa erase list
lpa recover clickhouse-corruption --sink clickhouse://
lpa recover total-loss --sink clickhouse://
lpa recover offset-loss --sink clickhouse://
lpa recover doubled-rows --sink clickhouse://
lpa recover wrong-times --sink clickhouse://
lpa recover lost-claims redis://127.0.0.1:1/0 --sink clickhouse://
lpa recover schema-rollback --sink clickhouse://
lpa recover schema-rollback --execute --sink clickhouse://
lpa backup restore {backup} --replace --sink clickhouse://
lpa schema rollback --migrations migrations --sink clickhouse://
lpa release-check --sink clickhouse://
"""
"""One after the other, as somebody types them. A command of which there is none here fails a test."""

ONCE: Final = (
    "lpa_core.commands.ingest:run_job",
    "lpa_sinks.clickhouse.database:connect",
    "lpa_sinks.clickhouse.retries:RetryPolicy.run",
    "lpa_sinks.commands.archive:Mirror.run",
    "lpa_ops.commands.backup:create_backup",
    "lpa_ops.commands.backup:verify_backup",
    "lpa_ops.commands.backup:restore_backup",
    "lpa_replay.commands.replay:recorded_runs",
    "lpa_replay.commands.replay:results",
    "lpa_replay.commands.replay:verify_run",
    "lpa_replay.running.run:Replays.foresee",
    "lpa_replay.running.run:Replays.run",
)
"""What takes long, or changes what the next one would print."""

ELSEWHERE: Final = {
    "lpa": "a group of commands",
    "lpa plugins new": "it writes files, which packages/lpa-core/tests/plugins/test_new_and_check.py looks at",
    "lpa schema show": "it prints a file, which packages/lpa-sinks/tests/schema/test_commands.py looks at",
    "lpa console": "it runs until it is stopped, which tests/test_held_database.py does",
    "lpa flink cluster start": "it needs Flink, which tests/test_local_cluster.py of lpa-flink stands in for",
    "lpa flink cluster stop": "it needs a cluster, which tests/test_local_cluster.py of lpa-flink stands in for",
    "lpa flink status": "it needs a cluster, which tests/test_commands.py of lpa-flink stands in for",
    "lpa flink stop": "it needs a cluster, which tests/test_commands.py of lpa-flink stands in for",
    "lpa mcp": "it runs until it is stopped, which tests/test_held_database.py does",
    "lpa serve": "it runs until it is stopped, which tests/test_held_database.py does",
}


def test_every_command_is_here() -> None:
    """Those that a group only holds print help, and so does the group."""
    typed = {words for line in LOG.split("\n") if (words := " ".join(line.split()[:3]))}
    known = help_texts().keys()
    groups = {" ".join(name.split()[:-1]) for name in known} - {"lpa materialize", "lpa plugins", "lpa triage"}
    missing = [
        name
        for name in known - groups - ELSEWHERE.keys()
        if not any(f"{words} ".startswith(f"{name} ") for words in typed)
    ]
    assert missing == [], "type them in LOG above"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """In an empty folder whose name is as long in each run, on a database server of its own."""
    folder = Path(tempfile.mkdtemp(prefix="lpa-terminal-", dir="/tmp"))
    server = ClickHouseServer()
    for setting in described():
        monkeypatch.delenv(setting.variable, raising=False)
    environment = {
        "CLICKHOUSE_URL": server.url,
        "CLICKHOUSE_USER": server.user,
        "CLICKHOUSE_PASSWORD": server.password,
        "LPA_LOG_LEVEL": "error",
        "LPA_BACKUP_DIR": str(folder / "backups"),
        "LPA_SAVEPOINT_DIR": str(folder / "savepoints"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(parity, "assertions", few())
    give_answers(monkeypatch)
    settings = load()
    plugins = PluginManager(settings)
    monkeypatch.setattr("lpa_core.cli.load", lambda: settings)
    monkeypatch.setattr("lpa_core.cli.PluginManager", lambda settings, **_: plugins)
    terminal = Terminal(monkeypatch)
    terminal.remember(*ONCE)
    FileSavepointStore("savepoints").create(SAVEPOINT, {})
    Path("fix.toml").write_text(FIX)
    Path("ignored.ndjson").write_text(IGNORED)
    Path("sensors.toml").write_text(TYPES)
    Path("faults.toml").write_text(TYPES.replace("float64", "float").replace("has", "with"))
    Path("documents.ndjson").write_text(DOCUMENTS)
    Path("good.ndjson").write_text("".join(DOCUMENTS.splitlines(keepends=True)[:3]))
    migration = Path("migrations/0001-zone")
    migration.mkdir(parents=True)
    (migration / "up.sql").write_text(ADD)
    (migration / "down.sql").write_text(DROP)
    yield terminal
    server.close()
    shutil.rmtree(folder)


@pytest.mark.slow
def test_commands_print_what_they_printed_before(terminal: Terminal, snapshot: SnapshotAssertion) -> None:
    wrong = []
    for line in LOG.split("\n"):
        if not line:
            continue
        words = [found(word, terminal) for word in line.removeprefix("lpa ").split()]
        terminal.forget()
        shown = {name: terminal.lpa(words, kind) for name, kind in KINDS.items()}
        narrow = shown["80 columns"]
        try:
            assert steady(f"{narrow.out}{narrow.err}status {narrow.status}") == snapshot(name=f"{line} (80)")
            assert steady(shown["120 columns"].out) == snapshot(name=f"{line} (120)")
            assert steady(shown["colour"].out) == snapshot(name=f"{line} (colour)")
            assert without_colour(shown["colour"].out) == narrow.out
            escaped = narrow.out.encode("ascii", "backslashreplace").decode()
            assert without_styles(shown["ASCII, NO_COLOR"].out) == escaped
            assert [*too_wide(narrow.out, 80), *too_wide(shown["120 columns"].out, 120)] == []
        except AssertionError as difference:
            wrong.append(f"{line}\n{difference}")
    assert not wrong, "\n\n".join(wrong)


LPA: Final = Path(sys.executable).with_name("lpa")


def shell(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env={**os.environ, "LPA": str(LPA), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_closed_standard_output_is_not_given_to_a_file(tmp_path: Path) -> None:
    """Else the file that is written to would be number 1, and get what is printed."""
    done = shell('"$LPA" generate --events 5 --output events.ndjson >&-', tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "events.ndjson").read_bytes().count(b"\n") == 5


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    done = shell('"$LPA" schema show | head -n 1', tmp_path)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1


def test_a_standard_output_of_another_encoding_shows_escapes(tmp_path: Path) -> None:
    (tmp_path / "späces").mkdir()
    done = shell('"$LPA" backup list --location "späces"', tmp_path, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "sp\\xe4ces" in done.stdout


def without_styles(text: str) -> str:
    """The text without bold and dim; a colour stays, and is one too many."""
    return re.sub(r"\x1b\[[0-2]?m", "", text)


def too_wide(text: str, columns: int) -> list[str]:
    """Lines beyond the width that do not end in a long word, such as a path, and are not a command to copy."""
    return [
        line
        for line in text.split("\n")
        if cell_len(line) > columns and len(line.split()[-1]) < columns / 2 and not line.startswith("lpa ")
    ]


def found(word: str, terminal: Terminal) -> str:
    """What a person would copy from what was printed."""
    if word == "{backup}":
        return str(max(Path("backups").absolute().glob("backup-*")))
    if word == "{replay}":
        return max(Path("lpa-data/replays").iterdir()).name
    if word == "{query}":
        return "SELECT type, count() AS events FROM streaming_events GROUP BY type ORDER BY type"
    if word == "{session}":
        terminal.forget()
        listed = terminal.lpa(["triage", "sessions", "--limit", "1", "--json", "--sink", "clickhouse://"], Kind())
        (session,) = json.loads(listed.out)
        return str(session["workflow_session_id"])
    return word
