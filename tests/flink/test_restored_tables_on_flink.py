"""Tables and job go back together: ``lpa backup restore``, then an older savepoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from flink.command import lpa, lpa_flink
from flink.place import FlinkPlace
from lpa_core.testing.mutations import mutated_records


def test_after_a_restore_of_the_tables_an_older_savepoint_is_gone_on_with(
    new_place: Callable[..., FlinkPlace], tmp_path: Path
) -> None:
    place = new_place()
    place.environment["LPA_BACKUP_DIR"] = str(tmp_path / "backups")
    batches = [[*mutated_records(500, seed, whole=0.9)] for seed in range(4)]
    place.cluster.start()
    lpa_flink(place, "submit")
    place.send(batches[0])
    place.until_all_is_stored()
    older = lpa_flink(place, "stop", "--yes")
    lpa_flink(place, "restore")
    place.send([*batches[1], *batches[0][:100]])
    place.until_all_is_stored()
    backup = json.loads(lpa(place, "backup", "create", "--sink", "clickhouse://", "--json"))["location"]
    place.send(batches[2])
    place.until_all_is_stored()
    newest = lpa_flink(place, "stop", "--yes")

    assert f"is older than {newest}" in lpa_flink(place, "restore", older, status=1)
    lpa(place, "backup", "restore", backup, "--sink", "clickhouse://", "--replace")
    taken_back = place.stored()
    assert 0 < len(taken_back) < len(place.sent)
    assert f"{newest} is newer than the tables" in lpa_flink(place, "restore", status=1)
    assert f"is older than {newest}" in lpa_flink(place, "restore", older, status=1)
    lpa_flink(place, "restore", older, "--tables-restored-too", "--yes")
    place.send([*batches[3], *batches[1][:100], *batches[2][:100]])
    place.until_all_is_stored()
    lpa_flink(place, "stop", "--yes")
    assert place.faults(published_again=True) == []
