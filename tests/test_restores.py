"""What stands is taken away only for what is proven, under whatever name a backup is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from services.place import Place

from lpa_core.cli import run
from lpa_ops.backup import database_exchange
from lpa_ops.backup.backup import Backup
from lpa_ops.backup.manifest import BackupManifest, decode, encode
from lpa_sinks.testing.http_front import Fault

pytestmark = pytest.mark.slow


def renamed(location: Path) -> str:
    return str(location.rename(location.with_name("before the deployment")))


def renamed_base(location: Path) -> str:
    base = decode((location / "manifest.json").read_bytes()).backup.base
    location.with_name(base).rename(location.with_name("the full one"))
    return str(location)


def with_a_slash(location: Path) -> str:
    return f"{location}/"


def linked(location: Path) -> str:
    link = location.parent.parent / "latest"
    link.symlink_to(location)
    return str(link)


def copied(location: Path) -> str:
    return str(Path(shutil.copytree(location.parent, location.parent.parent / "elsewhere")) / location.name)


@pytest.mark.in_shares
@pytest.mark.parametrize("change", [renamed, renamed_base, with_a_slash, linked, copied])
def test_failure_04_a_backup_is_restored_wherever_it_is_found_good(place: Place, change: Callable[[Path], str]) -> None:
    place.lpa("backup", "create")
    place.insert(1000, 1100)
    location = change(Path(place.lpa("backup", "create", "--incremental")["location"]))
    before = place.content()
    place.insert(1100, 1200)
    assert place.lpa("backup", "verify", location)["good"]
    place.lpa("backup", "restore", location, "--replace")
    assert place.content() == before
    assert place.databases() == [place.database], "nothing is left beside it"
    place.insert(1100, 1101)
    assert place.query(f"SELECT count() FROM {place.database}.raw_streaming_events") == [(1101,)], "views read from it"


def test_failure_04_a_renamed_backup_is_recovered_from_and_added_to(place: Place) -> None:
    location = renamed(Path(place.lpa("backup", "create")["location"]))
    before = place.content()
    added = place.lpa("backup", "create", "--incremental")
    assert place.lpa("backup", "verify", added["location"])["good"]
    place.command(f"DROP TABLE {place.database}.streaming_events SYNC")
    shutil.rmtree(added["location"])
    place.lpa("recover", "clickhouse-corruption", "--execute")
    assert place.content() == before
    place.command(f"DROP DATABASE {place.database} SYNC")
    plan = place.lpa("recover", "total-loss")
    assert location in plan["steps"][0]["what"]
    place.lpa("recover", "total-loss", "--execute")
    assert place.content() == before


def test_failure_04_another_backup_under_the_name_of_the_base_is_refused(place: Place) -> None:
    full = Path(place.lpa("backup", "create")["location"])
    place.insert(1000, 1100)
    location = place.lpa("backup", "create", "--incremental")["location"]
    shutil.rmtree(full)
    Path(place.lpa("backup", "create")["location"]).rename(full)
    place.insert(1100, 1200)
    (problem,) = place.lpa("backup", "verify", location, status=1)["problems"]
    refused = place.lpa("backup", "restore", location, "--replace", status=1)
    assert f"adds to {full}, which is missing" in problem
    assert problem in refused
    assert place.rows() == 1200


def change_manifest(location: str, change: Callable[[Backup], Backup]) -> None:
    file = Path(location, "manifest.json")
    manifest = decode(file.read_bytes())
    file.write_bytes(encode(BackupManifest(change(manifest.backup), manifest.files)))


def test_failure_04_what_cannot_be_proven_replaces_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be read, holds something else, has no room, or is of a later version."""
    place.command(f"ALTER TABLE {place.database}.streaming_events MODIFY COLUMN gateway LowCardinality(String)")
    location = place.lpa("backup", "create")["location"]
    place.insert(1000, 1100)
    before = place.content()

    def refused(said: str) -> None:
        assert said in place.lpa("backup", "restore", location, "--replace", status=1)
        assert place.content() == before
        assert place.databases() == [place.database]

    place.server.tell(Fault("RESTORE DATABASE", code=210))
    refused("NETWORK_ERROR")
    with monkeypatch.context() as patched:
        patched.setattr(database_exchange, "free_bytes", lambda client: 1_000)
        refused("GB free: make room there")
    was = decode(Path(location, "manifest.json").read_bytes()).backup
    content = {**was.tables, "streaming_events": attrs.evolve(was.tables["streaming_events"], checksum=1)}
    change_manifest(location, lambda backup: attrs.evolve(backup, tables=content))
    refused("does not give what was backed up, and nothing was changed")
    later = {**was.versions, "lpa-core": "99.1"}
    change_manifest(location, lambda backup: attrs.evolve(was, versions=later))
    refused("was made by lpa-core 99.1, and this version cannot write into its tables")
    change_manifest(location, lambda backup: was)
    place.lpa("backup", "restore", location, "--replace")
    assert place.rows() == 1000


def test_failure_04_replicated_tables_are_not_restored_beside_those_that_stand(place: Place) -> None:
    """Their paths in Keeper are taken: what ClickHouse says to that stands in for a server with one."""
    location = place.lpa("backup", "create")["location"]
    place.insert(1000, 1100)
    before = place.content()
    taken = f"Replica /clickhouse/tables/{place.database}/replicas/one already exists. (REPLICA_ALREADY_EXISTS)"
    place.server.tell(Fault("RESTORE DATABASE", code=253, text=taken))
    said = place.lpa("backup", "restore", location, "--replace", status=1)
    assert "replicated tables cannot be created next to the existing ones" in said
    assert "drop the database on all replicas, then restore it" in said
    assert place.content() == before
    assert place.databases() == [place.database]


@pytest.mark.parametrize("statement", ["RENAME DATABASE", "structure_only = 1, allow_different", "RENAME TABLE"])
def test_failure_04_an_interrupted_exchange_is_gone_on_with(place: Place, statement: str) -> None:
    location = place.lpa("backup", "create")["location"]
    before = place.content()
    place.insert(1000, 1100)
    place.server.tell(Fault(statement, code=210))
    restore = ("backup", "restore", location, "--replace")
    assert "NETWORK_ERROR" in place.lpa(*restore, status=1)
    place.lpa(*restore)
    assert place.content() == before
    assert place.databases() == [place.database]
    assert place.lpa("recover", "total-loss")["damage"] == []


def test_failure_04_what_was_given_up_is_not_gone_on_with(place: Place, tmp_path: Path) -> None:
    location = place.lpa("backup", "create")["location"]
    before = place.content()
    restore = ("backup", "restore", location, "--replace")
    place.server.tell(Fault("DROP DATABASE IF EXISTS `" + place.database + "__replaced", code=210))
    assert "NETWORK_ERROR" in place.lpa(*restore, status=1)
    shutil.rmtree(tmp_path / "data" / "restoration")
    place.insert(1000, 1100)
    place.lpa(*restore)
    assert place.content() == before
    assert place.databases() == [place.database]


def test_failure_04_damaged_tables_stay_until_their_rows_are_proven(place: Place) -> None:
    place.lpa("backup", "create")
    place.truncate_a_part("streaming_events")
    place.server.tell(Fault("RESTORE TABLE", code=210))
    assert "NETWORK_ERROR" in place.lpa("recover", "clickhouse-corruption", "--execute", status=1)
    tables = f"SELECT name FROM system.tables WHERE database = '{place.database}' AND name LIKE '%__damaged_%'"
    assert place.query(tables) == [], "they are not even renamed"
    assert place.databases() == [place.database]
    place.server.tell(Fault("RENAME TABLE", code=210), times=2)
    for _ in range(2):
        assert "NETWORK_ERROR" in place.lpa("recover", "clickhouse-corruption", "--execute", status=1)
    place.lpa("recover", "clickhouse-corruption", "--execute")
    assert place.query(f"SELECT count(), uniq(id) FROM {place.database}.streaming_events") == [(1000, 1000)]
    assert len(place.query(tables)) == 1
    assert place.lpa("recover", "clickhouse-corruption")["damage"] == []


def test_failure_04_nothing_is_pruned_where_what_stays_lacks_a_file(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = renamed(Path(place.lpa("backup", "create")["location"]))
    change_manifest(first, lambda backup: attrs.evolve(backup, created_ms=1))
    second = place.lpa("backup", "create")["location"]
    lost = next(Path(second, "database").rglob("data.packed"))
    kept = lost.rename(lost.with_name("kept"))
    monkeypatch.setenv("LPA_BACKUP_RETENTION", "dev=7")
    place.capsys.readouterr()
    assert run(["backup", "prune"]) == 1
    assert f"nothing is removed: {lost} is missing" in place.capsys.readouterr().err
    assert Path(first).is_dir()
    kept.rename(lost)
    assert run(["backup", "prune"]) == 0
    assert not Path(first).exists(), "it is removed under the name that it has"
