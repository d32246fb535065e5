"""``lpa backup`` of a server: whole, incremental, in an object store; damaged ones are found and refused."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import attrs
import pytest
from clickhouse_connect.driver.client import Client
from services.place import SECRETS, Place

from lpa_core.cli import run
from lpa_ops.backup import database
from lpa_ops.backup.manifest import BackupManifest, decode, encode
from lpa_ops.backup.store import BackupStore
from lpa_ops.positions.set_aside_tables import is_set_aside
from lpa_ops.recover.row_expiry import may_have_expired
from lpa_ops.testing.backups import FULL

pytestmark = pytest.mark.slow


def test_full_and_incremental_in_an_object_store(place: Place, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = f"bucket-{uuid4().hex}"
    with urllib.request.urlopen(urllib.request.Request(f"{s3}/{bucket}", method="PUT")):
        pass
    for name, value in {
        "AWS_ACCESS_KEY_ID": "an-access-key",
        "AWS_SECRET_ACCESS_KEY": SECRETS[2],
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ENDPOINT_URL": s3,
        "LPA_BACKUP_DIR": f"s3://{bucket}/some/prefix",
    }.items():
        monkeypatch.setenv(name, value)
    full = place.lpa("backup", "create")
    before = place.content()
    place.insert(1000, 1500)
    added = place.lpa("backup", "create", "--incremental")
    after = place.content()
    assert (full["base"], added["base"]) == ("", full["id"])
    assert (full["tables"]["streaming_events"], added["tables"]["streaming_events"]) == (1000, 1500)
    for backup, wanted in ((full, before), (added, after)):
        assert place.lpa("backup", "verify", backup["location"])["good"]
        assert "is not empty" in place.lpa("backup", "restore", backup["location"], status=1)
        place.lpa("backup", "restore", backup["location"], "--replace")
        assert place.content() == wanted
    with place.server.client() as client:
        client.command(f"DROP DATABASE {place.database} SYNC")
    place.lpa("backup", "restore", added["location"])
    assert place.content() == after


def test_an_incremental_one_adds_to_the_newest_full_one_of_its_database(place: Place, tmp_path: Path) -> None:
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "part.bin").write_bytes(b"rows")
    other = attrs.evolve(FULL, created_ms=4_000_000_000_000)
    BackupStore(str(tmp_path / "backups")).keep(other, {"database": tmp_path / "database"})
    said = place.lpa("backup", "create", "--incremental", status=1)
    assert f"{tmp_path}/backups has no full backup of {place.database}: make one first" in said
    for _ in range(2):
        full = place.lpa("backup", "create")["id"]
        bases = [place.lpa("backup", "create", "--incremental")["base"] for _ in range(2)]
        assert bases == [full, full]


def test_no_secret_is_in_a_backup(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", f"http://someone:{SECRETS[3]}@a-host:8123")
    monkeypatch.setenv("LPA_SAVEPOINT_DIR", f"s3://a-key:{SECRETS[2]}@a-bucket/savepoints")
    monkeypatch.setenv("LPA_KAFKA_SASL_OAUTHBEARER_CONFIG", f"principal=me {SECRETS[1]}")
    monkeypatch.setenv("LPA_KAFKA_CLIENT_RACK", "a-rack")
    location = Path(place.lpa("backup", "create")["location"])
    files = [path for path in location.rglob("*") if path.is_file()]
    assert {"manifest.json", "schema.sql", "settings.json"} < {path.name for path in files}
    for path in files:
        for secret in (*SECRETS, place.server.password):
            assert secret.encode() not in path.read_bytes(), path
    settings = json.loads((location / "configuration" / "settings.json").read_text())
    assert settings["CLICKHOUSE_DATABASE"] == place.database
    assert settings["CLICKHOUSE_URL"] == "http://***@a-host:8123"
    assert settings["client.rack"] == "a-rack"
    assert settings["LPA_SAVEPOINT_DIR"] == "s3://***@a-bucket/savepoints"
    assert f"CREATE TABLE {place.database}.streaming_events" in (location / "configuration" / "schema.sql").read_text()


def largest(location: Path) -> Path:
    return max((location / "database").rglob("*.*"), key=lambda path: path.stat().st_size if path.is_file() else 0)


def truncate(location: Path) -> Path:
    file = largest(location)
    file.write_bytes(file.read_bytes()[:-1])
    return file


def flip(location: Path) -> Path:
    file = largest(location)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    return file


def remove(location: Path) -> Path:
    file = largest(location)
    file.unlink()
    return file


def change_manifest(location: Path) -> Path:
    file = location / "manifest.json"
    file.write_text(file.read_text().replace('"environment": "dev"', '"environment": "prod"'))
    return file


@pytest.mark.parametrize(
    ("damage", "incremental"), [(truncate, True), (flip, False), (remove, True), (change_manifest, False)]
)
def test_a_damaged_backup_is_found_and_refused(place: Place, damage: Callable[[Path], Path], incremental: bool) -> None:
    full = place.lpa("backup", "create")["location"]
    location = place.lpa("backup", "create", "--incremental")["location"] if incremental else full
    assert place.lpa("backup", "verify", location)["good"]
    place.insert(1000, 1001)
    damaged = damage(Path(full))
    (problem,) = place.lpa("backup", "verify", location, status=1)["problems"]
    assert str(damaged) in problem
    assert "use another" in problem
    assert str(damaged) in place.lpa("backup", "restore", location, "--replace", status=1)
    assert place.rows() == 1001, "the database is as it was"


def test_verify_compares_what_is_restored_with_what_was_backed_up(place: Place) -> None:
    location = Path(place.lpa("backup", "create")["location"])
    file = location / "manifest.json"
    manifest = decode(file.read_bytes())
    was = manifest.backup.tables["streaming_events"]
    for table, wrong, said in (
        ("streaming_events", attrs.evolve(was, rows=999), "1,000 rows instead of 999"),
        ("streaming_events", attrs.evolve(was, checksum=1), "its 1,000 rows are not those that were backed up"),
        ("gone", was, "the table is missing"),
    ):
        tables = {**manifest.backup.tables, table: wrong}
        file.write_bytes(encode(BackupManifest(attrs.evolve(manifest.backup, tables=tables), manifest.files)))
        assert place.lpa("backup", "verify", str(location), status=1)["problems"] == [f"{table}: {said}"]
    with place.server.client() as client:
        assert client.query("SELECT name FROM system.databases WHERE name LIKE '%_verify_%'").result_rows == []


def test_what_may_have_expired_is_no_damage(place: Place) -> None:
    now, day = time.time(), 86_400
    with place.server.client() as client:
        for table, days in (("streaming_events", 90), ("streaming_events_quarantine", 7)):
            assert not may_have_expired(client, place.database, table, int(now - (days - 1) * day))
            assert may_have_expired(client, place.database, table, int(now - (days + 1) * day))


def test_a_place_that_the_database_cannot_write_to_is_named(place: Place, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert str(tmp_path / "file") in place.lpa("backup", "create", "--location", str(tmp_path / "file"), status=1)
    assert "name a folder or an s3:// URL" in place.lpa("backup", "create", "--location", "gs://bucket/x", status=1)


def test_backups_are_listed_with_when_they_expire(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LPA_ENVIRONMENT", "prod")
    monkeypatch.setenv("LPA_BACKUP_RETENTION", "prod=400")
    made = place.lpa("backup", "create")
    place.capsys.readouterr()
    assert run(["backup", "list", "--json"]) == 0
    (listed,) = json.loads(place.capsys.readouterr().out)
    assert (listed["location"], listed["environment"]) == (made["location"], "prod")
    made_at, over_at = (datetime.fromisoformat(listed[key]) for key in ("created", "expires"))
    assert (over_at - made_at).days == 400
    assert run(["backup", "prune"]) == 0
    assert place.capsys.readouterr().out == "0 removed\n"


def test_what_changed_while_it_was_backed_up_is_recovered_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As facts and rollups change while `lpa materialize` runs."""
    changing, back_up = "fact_workflow_sessions_versions", database.back_up

    def while_it_changes(client: Client, *where: str) -> None:
        client.command(f"INSERT INTO {place.database}.{changing} (workflow_session_id) VALUES ('one')")
        back_up(client, *where)

    with monkeypatch.context() as patched:
        patched.setattr(database, "back_up", while_it_changes)
        backup = place.lpa("backup", "create")
    assert (backup["unsettled"], changing in backup["tables"]) == ([changing], False)
    assert place.lpa("backup", "verify", backup["location"])["good"]
    before = place.content()
    assert place.lpa("recover", "clickhouse-corruption")["damage"] == []

    with place.server.client() as client:
        client.command(f"DROP TABLE {place.database}.{changing} SYNC")
    assert place.lpa("recover", "clickhouse-corruption")["damage"] == [f"{changing}: the table is gone"]
    place.lpa("recover", "clickhouse-corruption", "--execute")
    assert place.content() == before

    place.truncate_a_part(changing)
    plan = place.lpa("recover", "clickhouse-corruption")
    assert (len(plan["damage"]), plan["lost"]) == (1, [])
    place.lpa("recover", "clickhouse-corruption", "--execute")
    assert {name: rows for name, rows in place.content().items() if not is_set_aside(name)} == before


def test_verify_misses_a_table_that_changed_while_it_was_backed_up(place: Place) -> None:
    location = Path(place.lpa("backup", "create")["location"])
    manifest = decode((location / "manifest.json").read_bytes())
    changed = attrs.evolve(manifest.backup, unsettled=["gone"])
    (location / "manifest.json").write_bytes(encode(BackupManifest(changed, manifest.files)))
    found = place.lpa("backup", "verify", str(location), status=1)
    assert found["problems"] == ["gone: the table is missing"]


def test_a_damaged_table_that_no_backup_has_begins_anew(place: Place) -> None:
    place.lpa("backup", "create")
    with place.server.client() as client:
        client.command(f"CREATE TABLE {place.database}.later (n UInt64) ENGINE = MergeTree ORDER BY n")
        client.command(f"INSERT INTO {place.database}.later SELECT number FROM numbers(10000)")
    place.truncate_a_part("later")
    plan = place.lpa("recover", "clickhouse-corruption")
    assert plan["lost"] == ["later: it is not in the backup, its rows before it are gone"]
    assert plan["steps"][3]["what"] == "make later again, without rows"
    place.lpa("recover", "clickhouse-corruption", "--execute")
    assert ("later" in place.content(), place.rows()) == (False, 1000), "content tells what has rows"
    with place.server.client() as client:
        assert client.query(f"SELECT count() FROM {place.database}.later").result_rows == [(0,)]
    assert place.lpa("recover", "clickhouse-corruption")["damage"] == []
