"""Claims in Redis hold back duplicates only while Redis keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from lpa_core.dedup.redis import RedisDedupStore
from lpa_core.dedup.store import LostClaimsError
from lpa_core.health.check import Finding, Scope
from lpa_core.settings.settings import Settings
from lpa_core.settings.thresholds import State
from lpa_core.testing.redis_server import RedisServer
from lpa_ops.health.checks.dedup_store import judge

KEPT = ("--appendonly", "yes")
BOUNDED = ("--maxmemory", "100mb")


def judged(folder: Path, *options: str) -> Finding:
    with RedisServer(folder, *options) as server:
        return judge(Scope(Settings(), 1_767_900_000_000, 1_767_813_600_000, dedup=server.url))


@pytest.mark.parametrize(
    "options",
    [
        (*KEPT, *BOUNDED, "--maxmemory-policy", "noeviction"),
        KEPT,
    ],
)
def test_claims_are_kept_where_redis_writes_them_down_and_evicts_none(options: tuple[str, ...], tmp_path: Path) -> None:
    found = judged(tmp_path, *options)
    assert (found.state, found.action) == (State.OK, ""), found.detail
    assert "0 keys in Redis" in found.detail


def test_redis_that_writes_nothing_down_is_a_warning(tmp_path: Path) -> None:
    found = judged(tmp_path)
    assert (found.state, found.action) == (State.WARNING, "set appendonly yes")
    assert "loses claims when it is started again" in found.detail


@pytest.mark.parametrize(
    "options",
    [(*KEPT, *BOUNDED, "--maxmemory-policy", "volatile-ttl"), (*KEPT, "--maxmemory-policy", "allkeys-lru")],
    ids=["bounded", "without a bound, yet"],
)
def test_failure_05_a_policy_that_evicts_is_critical(options: tuple[str, ...], tmp_path: Path) -> None:
    found = judged(tmp_path, *options)
    assert found.state is State.CRITICAL
    assert "forgets claims when its memory is full" in found.detail
    assert "set maxmemory-policy noeviction" in found.action


def test_failure_05_claims_that_are_gone_are_critical(tmp_path: Path) -> None:
    with RedisServer(tmp_path, *KEPT) as server:
        scope = Scope(Settings(), 1_767_900_000_000, 1_767_813_600_000, dedup=server.url)
        store = RedisDedupStore(server.url, 60_000)
        store.claim(["a"], "events", 0, [1], 1_767_900_000_000)
        assert judge(scope).state is State.OK
        with Redis(port=server.port) as administrator:
            administrator.flushall()
        with pytest.raises(LostClaimsError):
            store.claim(["b"], "events", 0, [2], 1_767_900_000_000)
        store.close()
        found = judge(scope)
    assert found.state is State.CRITICAL
    assert "claims are lost: they were deleted" in found.detail
    assert "`lpa recover lost-claims`" in found.action


def test_failure_05_a_full_redis_is_critical(tmp_path: Path) -> None:
    found = judged(tmp_path, *KEPT, "--maxmemory", "1kb")
    assert (found.state, found.detail.split("; ")[-1]) == (State.CRITICAL, "Redis is full, and workers wait")
