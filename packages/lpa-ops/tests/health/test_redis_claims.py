"""Claims in Redis hold back duplicates only while Redis keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpa_core.health.check import Finding, Scope
from lpa_core.health.state import State
from lpa_core.settings import Settings
from lpa_core.testing.redis_server import RedisServer
from lpa_ops.health.dedup_store import judge

KEPT = ("--appendonly", "yes")
BOUNDED = ("--maxmemory", "100mb")


def judged(folder: Path, *options: str) -> Finding:
    with RedisServer(folder, *options) as server:
        return judge(Scope(Settings(), 1_767_900_000_000, 1_767_813_600_000, dedup=server.url))


@pytest.mark.parametrize(
    "options",
    [
        (*KEPT, *BOUNDED, "--maxmemory-policy", "noeviction"),
        (*KEPT, "--maxmemory-policy", "allkeys-lru"),
    ],
)
def test_claims_are_kept_where_redis_writes_them_down_and_evicts_none(options: tuple[str, ...], tmp_path: Path) -> None:
    found = judged(tmp_path, *options)
    assert (found.state, found.action) == (State.OK, ""), found.detail
    assert "0 keys in Redis" in found.detail


@pytest.mark.parametrize(
    ("options", "said", "action"),
    [
        (
            (*KEPT, *BOUNDED, "--maxmemory-policy", "volatile-ttl"),
            "forgets keys when it is full (volatile-ttl)",
            "set maxmemory-policy noeviction",
        ),
        ((), "loses claims when it is started again", "set appendonly yes"),
    ],
)
def test_redis_that_loses_claims_is_reported(options: tuple[str, ...], said: str, action: str, tmp_path: Path) -> None:
    found = judged(tmp_path, *options)
    assert (found.state, found.action) == (State.WARNING, action), found.detail
    assert said in found.detail
