"""``lpa recover wrong-times``: rows of a year that is yet to come keep nobody out any more."""

from __future__ import annotations

import re
import shlex
import time
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.cli import build_app
from lpa_core.generate.generator import generate
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.ingest import ingest
from lpa_core.plugins.manager import PluginManager
from lpa_core.release import WrongClockError
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_core.tables.row_layout import DLQ_TABLE, RAW_TABLE
from lpa_ops.recover.run import execute, plan
from lpa_ops.recover.scenario import Context
from lpa_ops.recover.wrong_times import WrongTimes

DATABASE = "wrong_times"


@pytest.mark.slow
def test_failure_06_a_stored_time_that_is_wrong_is_set_right(engine: Client, engine_path: Path, tmp_path: Path) -> None:
    settings = Settings(
        clickhouse=ClickHouseSettings(database=DATABASE),
        lpa=ProcessSettings(data_dir=tmp_path / "data", plugins_required=("core", "sinks")),
    )
    sink = f"chdb://{engine_path}"
    context = Context(settings, PluginManager(settings), sink, str(tmp_path / "backups"))
    records = b"".join(record + b"\n" for record in generate(200, duplicates=0, bad=0.1, sessions=5, seed=6))

    def read(name: str) -> dict[str, object]:
        (tmp_path / name).write_bytes(records)
        job = Job(str(tmp_path / name), [sink], f"rocksdb://{tmp_path}/data/dedup", facts=False)
        return ingest(job, settings, PluginManager(settings)).as_json()

    accepted = read("first.ndjson")["accepted"]
    assert plan(WrongTimes(), context)[0].damage == []
    for table in (RAW_TABLE, DLQ_TABLE):
        engine.command(
            f"ALTER TABLE {DATABASE}.{table.name} UPDATE ingestion_timestamp = '2099-01-01 00:00:00' WHERE 1",
            settings={"mutations_sync": 2},
        )
    with pytest.raises(WrongClockError, match="rows of 2099-01-01 00:00:00 UTC are stored") as refused:
        read("second.ndjson")
    (command,) = re.findall(r"`lpa ([^`]+)`", str(refused.value))
    shown, _ = plan(WrongTimes(), context)
    assert len(shown.damage) == 2
    assert all("rows are of 2099-01-01 00:00:00 UTC to 2099-01-01" in each for each in shown.damage)
    app = build_app(settings, PluginManager(settings))
    assert app([*shlex.split(command), "--sink", sink, "--execute"]) == 0
    assert not execute(WrongTimes(), context), "a second run finds nothing"
    again = read("second.ndjson")
    assert (again["accepted"], again["quarantined"]) == (0, accepted), "claims are as they were"
    ((newest,),) = engine.query(
        f"SELECT toUnixTimestamp(max(ingestion_timestamp)) FROM {DATABASE}.{RAW_TABLE.name}"
    ).result_rows
    assert newest <= time.time()
    engine.command(f"DROP DATABASE {DATABASE} SYNC")
