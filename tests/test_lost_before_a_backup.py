"""What was lost before somebody looked: a schedule goes on making backups, and the good ones stay the good ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, final

import attrs
import pytest
from services import few_assertions
from services.preloaded import preloaded_python

pytestmark = pytest.mark.slow


@final
@attrs.frozen
class Embedded:
    """The embedded database, with events in it and a backup of them. Commands run in processes of their own."""

    folder: Path

    def lpa(self, *arguments: str | Path, status: int = 0) -> str:
        """What the command prints; where it is to fail what it says of that too."""
        environment = {
            **os.environ,
            "LPA_DATA_DIR": str(self.folder / "data"),
            "LPA_BACKUP_DIR": str(self.folder / "backups"),
            "LPA_LOG_LEVEL": "error",
        }
        done = subprocess.run(
            [preloaded_python(), few_assertions.__file__, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr if status else done.stdout

    def recover(self, scenario: str, *options: str) -> Any:
        return json.loads(self.lpa("recover", scenario, *options, "--json"))

    def rows(self) -> int:
        (counted := self.folder / "counted").mkdir(exist_ok=True)
        created = json.loads(self.lpa("backup", "create", "--location", counted, "--json"))
        return int(created["tables"]["streaming_events"])

    @property
    def file(self) -> Path:
        return self.folder / "events.ndjson"

    @property
    def dedup(self) -> Path:
        return self.folder / "data" / "dedup"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Embedded:
    made = Embedded(tmp_path_factory.mktemp("lost") / "place")
    made.folder.mkdir()
    made.lpa("generate", "--events", "1000", "--output", made.file)
    made.lpa("ingest", made.file)
    made.lpa("backup", "create")
    shutil.copytree(made.folder, made.folder.with_name("as-prepared"), symlinks=True)
    return made


@pytest.fixture
def embedded(prepared: Embedded) -> Embedded:
    """In the same folder each time: what is kept of a database says where that lies."""
    shutil.rmtree(prepared.folder)
    shutil.copytree(prepared.folder.with_name("as-prepared"), prepared.folder, symlinks=True)
    return prepared


def test_a_lost_database_gets_no_backup_that_would_stand_for_it(embedded: Embedded) -> None:
    rows = embedded.rows()
    shutil.rmtree(embedded.folder / "data" / "clickhouse")
    embedded.lpa("schema", "apply")
    assert "holds nothing, though 1,000 records of files were stored in it" in embedded.lpa(
        "backup", "create", status=1
    )
    shutil.move(embedded.folder / "data" / "checkpoints", embedded.folder / "elsewhere")
    assert "has records of it: bring it back with `lpa recover total-loss`" in embedded.lpa(
        "backup", "create", status=1
    )
    embedded.lpa("backup", "create", "--location", embedded.folder / "empty")
    (empty,) = (embedded.folder / "empty").iterdir()
    shutil.move(empty, embedded.folder / "backups")

    assert empty.name not in embedded.recover("total-loss")["steps"][0]["what"], "an older one has records"
    embedded.recover("total-loss", "--execute")
    assert embedded.rows() == rows


def test_a_backup_that_was_made_after_a_loss_is_not_what_is_compared_with(embedded: Embedded) -> None:
    rows = embedded.rows()
    store = (embedded.folder / "data" / "clickhouse" / "data" / "livepeer_analytics" / "streaming_events").resolve()
    shutil.rmtree(next(part for part in store.iterdir() if part.name.endswith("_0")))
    embedded.lpa("backup", "create")
    damage = embedded.recover("clickhouse-corruption")["damage"]
    assert len(damage) == 1
    assert damage[0].endswith(f" of {rows:,} rows that the backup has are gone")
    embedded.recover("clickhouse-corruption", "--execute")
    embedded.lpa("ingest", embedded.file)
    assert embedded.rows() == rows


def test_failure_18_damage_without_a_backup_is_read_again_from_files(embedded: Embedded) -> None:
    rows = embedded.rows()
    place = embedded.folder / "data" / "clickhouse" / "data" / "livepeer_analytics" / "streaming_events"
    largest = max(place.resolve().glob("*/data.*"), key=lambda path: path.stat().st_size)
    os.truncate(largest, largest.stat().st_size // 2)
    shutil.rmtree(embedded.folder / "backups")
    plan = embedded.recover("clickhouse-corruption")
    assert [each.partition(":")[0] for each in plan["damage"]] == ["streaming_events"]
    assert [each for each in plan["lost"] if "1,000 records are stored, and are read again from the file" in each]
    embedded.recover("clickhouse-corruption", "--execute")
    embedded.lpa("ingest", embedded.file)
    assert embedded.rows() == rows
    assert embedded.recover("clickhouse-corruption")["damage"] == []


def test_damaged_claims_are_refused_each_time_and_replaced_by_a_backup(embedded: Embedded) -> None:
    rows, again = embedded.rows(), embedded.folder / "again.ndjson"
    shutil.copy(embedded.file, again)
    (embedded.dedup / "CURRENT").unlink()
    for _ in range(2):
        assert "the dedup claims are damaged" in embedded.lpa("ingest", again, status=2)
    shutil.rmtree(embedded.folder / "data" / "clickhouse")
    embedded.recover("total-loss", "--execute")
    for table in embedded.dedup.glob("*.sst"):
        os.truncate(table, 20)
    shutil.rmtree(embedded.folder / "data" / "clickhouse")
    embedded.recover("total-loss", "--execute")
    embedded.lpa("ingest", again)
    assert embedded.rows() == rows, "the claims came back with the rows: all that is repeated is told"


def test_what_adds_to_a_missing_backup_is_listed_with_that(embedded: Embedded) -> None:
    added = json.loads(embedded.lpa("backup", "create", "--incremental", "--json"))
    shutil.rmtree(embedded.folder / "backups" / added["base"])
    (listed,) = json.loads(embedded.lpa("backup", "list", "--json"))
    assert listed["problem"].startswith(f"adds to {embedded.folder}/backups/{added['base']}, which is missing")
    health = json.loads(embedded.lpa("health", "--json", status=1))
    (age,) = (check for check in health["checks"] if check["name"] == "backup_age")
    assert (age["state"], age["value"]) == ("critical", None)


def test_nothing_is_added_to_a_backup_that_lacks_a_file(embedded: Embedded) -> None:
    (base,) = json.loads(embedded.lpa("backup", "list", "--json"))
    lacking = max(
        (path for path in Path(base["location"]).rglob("*") if path.is_file()), key=lambda path: len(str(path))
    )
    lacking.unlink()
    said = embedded.lpa("backup", "create", "--incremental", status=1)
    assert f"{lacking} is missing: the backup is damaged, use another: make a full one, without --incremental" in said
    embedded.lpa("backup", "create")
    embedded.lpa("backup", "create", "--incremental")
