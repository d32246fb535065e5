"""``lpa recover lost-claims``: a Redis that lost claims has them again, and duplicates are found as before."""

from __future__ import annotations

from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from redis import Redis

from lpa_core.dedup.store import LostClaimsError
from lpa_core.generate.generator import generate
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.ingest import ingest
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_core.testing.redis_server import RedisServer
from lpa_ops.recover.lost_claims import LostClaims as Scenario
from lpa_ops.recover.run import execute, plan
from lpa_ops.recover.scenario import Context, RecoveryError

DATABASE = "lost_claims"


@pytest.mark.slow
def test_failure_05_what_the_tables_hold_is_claimed_again(engine: Client, engine_path: Path, tmp_path: Path) -> None:
    settings = Settings(
        clickhouse=ClickHouseSettings(database=DATABASE),
        lpa=ProcessSettings(data_dir=tmp_path / "data", plugins_required=("core", "sinks")),
    )
    sink = f"chdb://{engine_path}"
    context = Context(settings, PluginManager(settings), sink, str(tmp_path / "backups"))
    records = b"".join(record + b"\n" for record in generate(300, duplicates=0, bad=0, sessions=5, seed=5))
    first, again = tmp_path / "first.ndjson", tmp_path / "again.ndjson"
    first.write_bytes(records)
    again.write_bytes(records)

    def read(file: Path, dedup: str) -> tuple[int, int]:
        """How many events were accepted, and how many were duplicates."""
        report = ingest(Job(str(file), [sink], dedup, facts=False), settings, PluginManager(settings)).as_json()
        return int(str(report["accepted"])), int(str(report["quarantined"]))

    with RedisServer(tmp_path) as server:
        scenario = Scenario(server.url)
        accepted, _ = read(first, server.url)
        assert plan(scenario, context)[0].damage == []
        with Redis(port=server.port) as administrator:
            administrator.flushall()
        first.write_bytes(records + b"not json\n")
        with pytest.raises(LostClaimsError, match="it holds none, though records were delivered before"):
            read(first, server.url)
        (damage,) = plan(scenario, context)[0].damage
        assert damage.endswith("it holds none, though records were delivered before")
        assert execute(scenario, context)
        assert plan(scenario, context)[0].damage == []
        assert not execute(scenario, context), "a second run finds nothing"
        assert read(again, server.url) == (0, accepted)
        assert read(first, server.url) == (0, 0)
    engine.command(f"DROP DATABASE {DATABASE} SYNC")


def test_failure_05_a_store_of_one_machine_needs_no_recovery(engine_path: Path, tmp_path: Path) -> None:
    settings = Settings(lpa=ProcessSettings(data_dir=tmp_path))
    context = Context(settings, PluginManager(settings), f"chdb://{engine_path}", str(tmp_path))
    with pytest.raises(RecoveryError, match="a worker rebuilds its claims itself"):
        Scenario(f"rocksdb://{tmp_path / 'dedup'}")._opened(context)
