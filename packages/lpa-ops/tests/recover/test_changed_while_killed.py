"""``lpa recover`` that was killed, and what others did to the database before it went on."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import pytest
from services import few_assertions
from services.preloaded import preloaded_python

from lpa_sinks.archive.reader import read_archive

pytestmark = pytest.mark.slow

EVENTS = 300
RESTORE = ("lpa_ops.backup.restore", "checkpoints.put_back", "1")
"""When tables are back."""
SET_ASIDE = ("lpa_ops.recover.journal", "Journal.write", "2")


@attrs.frozen
class Machine:
    """Commands in a folder, each a process of its own."""

    folder: Path

    def lpa(self, *arguments: str, status: int = 0, killed: tuple[str, str, str] | None = None, given: str = "") -> str:
        killing = [str(preloaded_python()), str(Path(__file__).with_name("kill_before.py"))]
        program = [*killing, *killed] if killed else [preloaded_python(), few_assertions.__file__]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("LPA_", "QUALITY_"))}
        done = subprocess.run(
            [*program, *arguments],
            cwd=self.folder,
            env={**environment, "COLUMNS": "300", "LPA_LOG_LEVEL": "error"},
            capture_output=True,
            text=True,
            check=False,
            input=given,
        )
        assert done.returncode == (-signal.SIGKILL if killed else status), done.stdout + done.stderr
        return done.stdout + done.stderr

    def recover(self, *options: str, status: int = 0, killed: tuple[str, str, str] | None = None) -> str:
        return self.lpa("recover", "total-loss", "--execute", *options, status=status, killed=killed)

    def rows(self, folder: str = "lpa-data/clickhouse") -> int:
        script = (
            "import clickhouse_connect, sys\n"
            "client = clickhouse_connect.get_client(interface='chdb', path=sys.argv[1])\n"
            "print(client.query('SELECT count() FROM livepeer_analytics.streaming_events').result_rows[0][0])"
        )
        done = subprocess.run(
            [preloaded_python(), "-c", script, folder], cwd=self.folder, capture_output=True, check=True
        )
        return int(done.stdout)

    def change(self, statement: str) -> None:
        script = (
            "import clickhouse_connect, sys\n"
            "clickhouse_connect.get_client(interface='chdb', path='lpa-data/clickhouse').command(sys.argv[1])"
        )
        subprocess.run([preloaded_python(), "-c", script, statement], cwd=self.folder, check=True)

    @property
    def journal(self) -> Path:
        return self.folder / "lpa-data" / "recovery" / "total-loss.json"

    def lose(self, folder: str = "lpa-data/clickhouse") -> None:
        shutil.rmtree(self.folder / folder)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    machine = Machine(tmp_path_factory.mktemp("prepared"))
    for number in ("1", "2"):
        made = ("--seed", number, "--output", f"{number}.ndjson", "--duplicates", "0", "--bad", "0")
        machine.lpa("generate", "--events", str(EVENTS), *made)
    machine.lpa("ingest", "1.ndjson")
    machine.lpa("backup", "create")
    return machine.folder


@pytest.fixture
def machine(prepared: Path, tmp_path: Path) -> Machine:
    """With a backup, made of 300 events, and a file of others."""
    shutil.copytree(prepared, tmp_path, symlinks=True, dirs_exist_ok=True)
    return Machine(tmp_path)


def location(machine: Machine) -> str:
    (listed,) = json.loads(machine.lpa("backup", "list", "--json"))
    answer: Any = listed["location"]
    return str(answer)


def test_only_the_database_that_it_was_begun_for_is_replaced(machine: Machine) -> None:
    machine.lpa("ingest", "2.ndjson")
    other = ("--sink", "chdb://other")
    machine.lpa("ingest", "1.ndjson", *other)
    machine.lpa("backup", "create", *other, "--location", "others")
    machine.lose("other")
    machine.recover(*other, "--backups", "others", killed=RESTORE)

    said = machine.recover(status=1)
    assert f"total-loss of {machine.folder}/other is under way since 20" in said
    assert f"not of {machine.folder}/lpa-data/clickhouse: name it with --sink to continue" in said
    assert machine.rows() == 2 * EVENTS
    said = machine.recover(*other, status=1)
    assert "name it with --backups to continue" in said
    said = machine.lpa("recover", "total-loss", *other, "--backups", "others")
    assert f"it continues; to abandon it, remove {machine.journal}" in said
    assert "NOT SO" not in machine.recover(*other, "--backups", "others")
    assert (machine.rows("other"), machine.rows()) == (EVENTS, 2 * EVENTS)
    assert "There is nothing to recover" in machine.recover()


def test_what_was_restored_by_hand_before_anything_was_is_left_alone(machine: Machine) -> None:
    machine.lose()
    machine.recover(killed=SET_ASIDE)
    machine.lpa("backup", "restore", location(machine))
    machine.lpa("ingest", "2.ndjson")
    assert "There is nothing to recover" in machine.recover()
    assert machine.rows() == 2 * EVENTS
    assert not machine.journal.exists()


def test_what_came_in_since_is_not_replaced(machine: Machine) -> None:
    machine.lose()
    machine.recover(killed=RESTORE)
    machine.change("INSERT INTO livepeer_analytics.streaming_events (source_topic, source_offset) SELECT 'a topic', 7")
    said = machine.recover(status=1)
    assert "holds 1 record that came in since this recovery started" in said
    assert f"to abandon it, remove {machine.journal}" in said
    assert machine.rows() == EVENTS + 1


def test_a_restore_by_hand_ends_a_recovery(machine: Machine) -> None:
    machine.lose()
    machine.recover(killed=RESTORE)
    machine.lpa("backup", "restore", location(machine), "--replace")
    machine.lpa("ingest", "2.ndjson")
    assert "There is nothing to recover" in machine.recover()
    assert machine.rows() == 2 * EVENTS
    assert not machine.journal.exists()


def test_the_backup_of_another_database_is_no_measure(machine: Machine) -> None:
    other = ("--sink", "chdb://other")
    machine.lpa("ingest", "2.ndjson", *other)
    said = machine.lpa("recover", "clickhouse-corruption", *other, "--execute")
    assert "There is nothing to recover" in said
    assert machine.rows("other") == EVENTS
    machine.lose("other")
    said = machine.lpa("recover", "total-loss", *other)
    assert "lost: nothing of it, if this is right: the backup was made of chdb:" in said


def test_a_plan_names_what_cannot_be_read_again(machine: Machine) -> None:
    machine.lose("lpa-data")
    machine.lpa("ingest", "1.ndjson")
    machine.lpa("backup", "create")
    machine.lpa("ingest", "2.ndjson")
    machine.lpa("ingest", "-", given=(machine.folder / "2.ndjson").read_text())
    machine.change("DROP TABLE livepeer_analytics.stream_trace_events SYNC")
    said = machine.lpa("recover", "clickhouse-corruption")
    assert f"lost: 2.ndjson[0]: {EVENTS} records came since the backup, and are read again from the file" in said
    assert f"]: {EVENTS} records came since the backup, and cannot be read again" in said


def test_no_file_is_taken_for_stored_in_a_database_that_was_lost(machine: Machine) -> None:
    machine.lose("lpa-data")  # what is said there of files is about the folder that it was copied from
    machine.lpa("ingest", "1.ndjson")
    machine.lpa("backup", "create")
    machine.lose()
    said = machine.lpa("ingest", "1.ndjson", status=1)
    assert f"holds nothing, though {EVENTS} records of 1.ndjson were stored in it" in said
    (command,) = re.findall(r"bring it back with `lpa ([^`]+)`", said)
    machine.lpa("ingest", "2.ndjson", status=1)  # nor may it come alone, and hide that the others are gone
    assert "NOT SO" not in machine.lpa(*shlex.split(command), "--execute")
    (checkpoint,) = (machine.folder / "lpa-data" / "checkpoints").glob("*.json")
    assert checkpoint.stat().st_mtime == 0, "nobody has read the file since"
    assert "Nothing new" in machine.lpa("ingest", "1.ndjson")
    assert machine.rows() == EVENTS

    machine.lose()
    for folder in ("checkpoints", "dedup"):
        machine.lose(f"lpa-data/{folder}")
    machine.lpa("ingest", "1.ndjson")
    assert machine.rows() == EVENTS


def test_failure_04_what_waits_in_an_archives_spool_outlives_a_restore_and_is_replayed_once(machine: Machine) -> None:
    machine.lose("lpa-data")
    machine.lpa("ingest", "1.ndjson")
    machine.lpa("backup", "create")
    into = ("ingest", "2.ndjson", "--archive", "archive")
    machine.lpa(*into, killed=("lpa_sinks.archive.archive", "FileArchive.close", "1"))
    assert list((machine.folder / "lpa-data").rglob("*.segment")), "it waits in the spool"
    assert list(read_archive(str(machine.folder / "archive"))) == []
    backups = json.loads(machine.lpa("backup", "list", "--json"))
    machine.lpa("backup", "restore", backups[-1]["location"], "--replace")
    machine.lpa(*into)
    assert machine.rows() == 2 * EVENTS
    assert list((machine.folder / "lpa-data").rglob("*.segment")) == []
    kept = Counter(record.offset for record in read_archive(str(machine.folder / "archive")))
    assert kept == Counter(dict.fromkeys(range(EVENTS), 2)), "once before the restore, and once after it"

    machine.lose("lpa-data")
    machine.lpa("schema", "apply")
    machine.lpa("replay", "run", "--from", "archive", "--archive", "archive", "--all")
    assert machine.rows() == EVENTS


def test_a_journal_that_cannot_be_read_is_named(machine: Machine) -> None:
    machine.journal.parent.mkdir()
    machine.journal.write_text("{")
    assert f"{machine.journal} cannot be read" in machine.recover(status=1)
