from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis

from lpa_core.dedup.redis import EXPIRY_SLACK_MS, RedisDedupStore
from lpa_core.dedup.store import DedupStore, DedupStoreError, DedupStoreUnavailable
from lpa_core.testing.dedup_suite import (
    FIRST,
    NOON,
    SECOND,
    TTL,
    DedupStoreContract,
    DurableContract,
    MakeStore,
    SharedContract,
    claim,
    release,
)
from lpa_core.testing.redis_server import RedisServer, free_port


class TestRedisDedupStore(SharedContract, DurableContract, DedupStoreContract):
    @pytest.fixture
    def prefixes(self) -> list[str]:
        return []

    @pytest.fixture
    def make_store(self, redis_server: RedisServer, prefixes: list[str]) -> Iterator[MakeStore]:
        stores = []

        def make(ttl_ms: int) -> DedupStore:
            prefixes.append(f"{uuid4()}:")
            stores.append(RedisDedupStore(redis_server.url, ttl_ms, prefixes[-1]))
            return stores[-1]

        yield make
        for store in stores:
            store.close()

    @pytest.fixture
    def reopen(self, redis_server: RedisServer, prefixes: list[str]) -> Callable[[], DedupStore]:
        return lambda: RedisDedupStore(redis_server.url, TTL, prefixes[-1])

    @pytest.fixture
    def open_again(self, reopen: Callable[[], DedupStore]) -> Callable[[], DedupStore]:
        return reopen


def test_a_stopped_server_is_waited_for(tmp_path: Path) -> None:
    with RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        store = RedisDedupStore(server.url, TTL)
        claim(store, "a", FIRST)
        server.stop()
        with pytest.raises(DedupStoreUnavailable, match=f"Redis at 127.0.0.1:{server.port} takes no claims now"):
            claim(store, "b", FIRST)
        with pytest.raises(DedupStoreUnavailable):
            release(store, "a", FIRST)
        with pytest.raises(DedupStoreUnavailable):
            store.statistics()
        server.start()
        assert claim(store, "b", SECOND) is None
        assert claim(store, "a", SECOND) == FIRST
        store.close()


def test_a_full_server_is_waited_for(tmp_path: Path) -> None:
    with RedisServer(tmp_path, "--maxmemory-policy", "noeviction") as server:
        store = RedisDedupStore(server.url, TTL)
        claim(store, "a", FIRST)
        with Redis(port=server.port) as administrator:
            administrator.config_set("maxmemory", "1mb")
            with pytest.raises(DedupStoreUnavailable, match="maxmemory"):
                claim(store, "b", FIRST)
            administrator.config_set("maxmemory", "1gb")
        assert claim(store, "b", SECOND) is None
        assert claim(store, "a", SECOND) == FIRST
        store.close()


def test_a_cluster_is_refused(tmp_path: Path) -> None:
    with RedisServer(tmp_path, "--cluster-enabled", "yes", "--cluster-port", str(free_port())) as server:
        store = RedisDedupStore(server.url, TTL)
        with pytest.raises(DedupStoreError, match="name a single server"):
            claim(store, "a", FIRST)
        store.close()


def test_a_refused_login_shows_no_password(tmp_path: Path) -> None:
    with RedisServer(tmp_path, "--requirepass", "right") as server:
        wrong = RedisDedupStore(f"redis://:secret-word@127.0.0.1:{server.port}/0", TTL)
        with pytest.raises(DedupStoreError, match="check user and password") as failure:
            claim(wrong, "a", FIRST)
        assert "secret-word" not in f"{failure.value!r}{wrong!r}"
        right = RedisDedupStore(f"redis://:right@127.0.0.1:{server.port}/0", TTL)
        assert claim(right, "a", FIRST) is None
        wrong.close()
        right.close()


@pytest.mark.parametrize("url", ["redis://:secret-word#x@host", "http://:secret-word@host", "redis://:secret-word@h:x"])
def test_an_unreadable_url_is_not_shown(url: str) -> None:
    with pytest.raises(DedupStoreError, match="redis://\\[user:password@\\]host") as failure:
        RedisDedupStore(url, TTL)
    assert "secret-word" not in str(failure.value)
    assert failure.value.__cause__ is None


def test_claims_free_their_memory_after_the_ttl(redis_server: RedisServer) -> None:
    store = RedisDedupStore(redis_server.url, TTL, "expiry:")
    claim(store, "a", FIRST)
    with Redis(port=redis_server.port) as observer:
        (key,) = (key for key in observer.scan_iter("expiry:*") if key != b"expiry:ledger")
        assert TTL + EXPIRY_SLACK_MS - 60_000 < observer.pttl(key) <= TTL + EXPIRY_SLACK_MS
    store.close()


def test_stores_with_one_prefix_share_claims(redis_server: RedisServer) -> None:
    one, other = (RedisDedupStore(redis_server.url, TTL, "shared:") for _ in range(2))
    claim(one, "a", FIRST)
    assert claim(other, "a", SECOND) == FIRST
    release(one, "a", FIRST)
    assert claim(other, "a", SECOND) is None
    one.close()
    other.close()


def test_a_batch_is_one_round_trip(redis_server: RedisServer) -> None:
    store = RedisDedupStore(redis_server.url, TTL, "trips:")
    claim(store, "a", FIRST)
    with Redis(port=redis_server.port) as observer:
        reads = observer.info("stats")["total_reads_processed"]
        store.claim([str(number) for number in range(20)], "events", 0, range(20), NOON)
        assert observer.info("stats")["total_reads_processed"] == reads + 2
    store.close()


def test_snapshots_are_left_to_redis(redis_server: RedisServer, tmp_path: Path) -> None:
    store = RedisDedupStore(redis_server.url, TTL, "snapshot:")
    with pytest.raises(NotImplementedError):
        store.snapshot(tmp_path / "snapshot")
    assert not (tmp_path / "snapshot").exists()
    store.close()
