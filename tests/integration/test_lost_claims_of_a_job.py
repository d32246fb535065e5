"""Redis evicts claims under a running worker: it ends before it believes the rest, and one command leads out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis
from services.advice import follow
from services.job import Job, event

from lpa_core.tables.row_layout import QUARANTINE_TABLE
from lpa_core.testing.redis_server import RedisServer


def test_failure_05_evictions_end_the_worker_until_claims_are_recovered(
    new_job: Callable[..., Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "redis").mkdir()
    with RedisServer(tmp_path / "redis") as redis, Redis(port=redis.port) as administrator:
        job = new_job(dedup=redis.url, partitions=2)
        for variable, value in job.environment.items():
            monkeypatch.setenv(variable, value)
        administrator.config_set("maxmemory-policy", "volatile-ttl")
        job.start(ready=False)
        assert job.wait() == 2
        assert "set maxmemory-policy noeviction" in job.log.read_text()

        administrator.config_set("maxmemory-policy", "noeviction")
        values = [event(f"id-{number}") for number in range(500)]
        job.start()
        job.produce(values)
        job.until_committed(500)
        administrator.config_set("maxmemory-policy", "volatile-ttl")
        administrator.config_set("maxmemory", "1mb")
        administrator.exists("anything")
        administrator.config_set("maxmemory", "0")
        administrator.config_set("maxmemory-policy", "noeviction")
        evicted = administrator.info("stats")["evicted_keys"]
        assert evicted
        job.until(lambda: job.metric("lpa_dedup_evicted_keys") == evicted, "the metric tells of it")
        job.produce(values, partition=1)  # only Redis knows that they are the same
        assert job.wait() == 2
        job.start(ready=False)
        assert job.wait() == 2, "not at a restart either"
        refusals = [line for line in job.log.read_text().splitlines() if "`lpa recover lost-claims`" in line]
        assert len(refusals) >= 2
        assert sum(job.stored().values()) == 500

        sink = f"clickhouse://127.0.0.1:{job.clickhouse.port}"
        follow(refusals[-1], "--sink", sink, "--dedup", redis.url)
        job.start()
        job.until_committed(500, partition=1)
        assert job.stop() == 0
    assert job.stored() == Counter((0, offset) for offset in range(500))
    assert job.stored(QUARANTINE_TABLE.name) == Counter((1, offset) for offset in range(500))
