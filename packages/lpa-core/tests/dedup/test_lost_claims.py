"""A Redis that loses claims, or could: noticed before a batch of claims is believed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from lpa_core.dedup.redis import RedisDedupStore
from lpa_core.dedup.redis_ledger import Ledger
from lpa_core.dedup.store import Claimed, DedupStoreError, DedupStoreUnavailable, LostClaimsError
from lpa_core.testing.dedup_suite import FIRST, NOON, SECOND, TTL, claim
from lpa_core.testing.redis_server import RedisServer

POLICIES = (
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def administrator(server: RedisServer) -> Iterator[Redis]:
    """Of a server that is empty, and evicts nothing."""
    with Redis(port=server.port) as administrator:
        administrator.config_set("maxmemory", "0")
        administrator.config_set("maxmemory-policy", "noeviction")
        administrator.flushall()
        administrator.config_resetstat()
        yield administrator


@pytest.fixture
def store(server: RedisServer, administrator: Redis) -> Iterator[RedisDedupStore]:
    """That has made a claim."""
    store = RedisDedupStore(server.url, TTL)
    assert claim(store, "a", FIRST) is None
    yield store
    store.close()


def another(server: RedisServer) -> RedisDedupStore:
    """As another worker has it, or the same one after a restart."""
    return RedisDedupStore(server.url, TTL)


def evict(administrator: Redis) -> None:
    """Have the server evict keys, and set its policy right again."""
    administrator.mset({f"other-{number}": "x" * 1000 for number in range(3000)})
    administrator.config_set("maxmemory-policy", "allkeys-random")
    administrator.config_set("maxmemory", administrator.info("memory")["used_memory"] - 1_000_000)
    administrator.set("one more", "x")
    administrator.config_set("maxmemory", "0")
    administrator.config_set("maxmemory-policy", "noeviction")
    assert administrator.info("stats")["evicted_keys"]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("maxmemory", ["0", "100mb"])
def test_failure_05_a_policy_that_evicts_is_refused_at_start(
    policy: str, maxmemory: str, server: RedisServer, administrator: Redis
) -> None:
    administrator.config_set("maxmemory", maxmemory)
    administrator.config_set("maxmemory-policy", policy)
    for attempt in (lambda store: store.require_kept(some=False), lambda store: claim(store, "a", FIRST)):
        refused = another(server)
        with pytest.raises(DedupStoreError, match=f"maxmemory-policy {policy}.*set maxmemory-policy noeviction"):
            attempt(refused)
        refused.close()


@pytest.mark.parametrize("policy", POLICIES[:1] + POLICIES[-1:])
def test_failure_05_a_policy_that_is_changed_later_ends_the_claims(
    policy: str, store: RedisDedupStore, administrator: Redis
) -> None:
    administrator.config_set("maxmemory-policy", policy)
    with pytest.raises(DedupStoreError, match="set maxmemory-policy noeviction"):
        claim(store, "b", SECOND)
    administrator.config_set("maxmemory-policy", "noeviction")
    assert claim(store, "b", SECOND) is None, "nothing was lost"
    assert claim(store, "a", SECOND) == FIRST


def test_failure_05_a_server_that_tells_no_policy_is_refused(
    server: RedisServer, administrator: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a managed one does that hides both."""
    info = Redis.info

    def without_policy(self: Redis, *sections: str) -> dict[str, object]:
        return {name: value for name, value in info(self, *sections).items() if name != "maxmemory_policy"}

    monkeypatch.setattr(Redis, "info", without_policy)
    told = another(server)
    told.require_kept(some=False)  # CONFIG GET tells
    told.close()
    administrator.acl_setuser("blind", enabled=True, nopass=True, commands=["+@all", "-config"], keys=["*"])
    blind = RedisDedupStore(f"redis://blind@127.0.0.1:{server.port}/0", TTL)
    with pytest.raises(DedupStoreError, match="does not say its maxmemory-policy: allow this user INFO or CONFIG GET"):
        blind.require_kept(some=False)
    blind.close()


def test_failure_05_evictions_end_the_claims_of_every_worker(
    server: RedisServer, store: RedisDedupStore, administrator: Redis
) -> None:
    other = another(server)
    claim(other, "c", SECOND)
    evict(administrator)
    for lost in (store, other, another(server)):
        with pytest.raises(LostClaimsError, match=r"has lost claims .*`lpa recover lost-claims`"):
            claim(lost, "b", SECOND)
        lost.close()
    assert another(server).statistics().evicted == administrator.info("stats")["evicted_keys"]


def test_failure_05_evictions_while_no_worker_ran_are_noticed(
    server: RedisServer, store: RedisDedupStore, administrator: Redis
) -> None:
    store.close()
    evict(administrator)
    with pytest.raises(LostClaimsError):
        another(server).require_kept(some=True)


def test_failure_05_evictions_of_others_before_the_first_claim_are_none_of_ours(
    server: RedisServer, administrator: Redis
) -> None:
    administrator.mset({f"early-{number}": "x" * 1000 for number in range(1000)})
    evict(administrator)
    first = another(server)
    assert claim(first, "a", FIRST) is None
    assert claim(first, "a", SECOND) == FIRST
    first.close()


@pytest.mark.parametrize("command", ["FLUSHALL", "FLUSHDB"])
def test_failure_05_an_emptied_server_is_noticed(
    command: str, server: RedisServer, store: RedisDedupStore, administrator: Redis
) -> None:
    administrator.execute_command(command)
    with pytest.raises(LostClaimsError, match="they were deleted, or Redis was started again without its data"):
        claim(store, "a", SECOND)
    with pytest.raises(LostClaimsError):
        another(server).require_kept(some=False)


def test_failure_05_a_server_that_was_empty_before_the_worker_came_is_noticed(
    server: RedisServer, administrator: Redis
) -> None:
    new = another(server)
    new.require_kept(some=False)
    with pytest.raises(LostClaimsError, match="it holds none, though records were delivered before"):
        another(server).require_kept(some=True)
    new.close()


def test_failure_05_a_restart_without_persistence_is_noticed_and_with_it_is_none(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    with RedisServer(tmp_path / "kept", "--appendonly", "yes", "--appendfsync", "always") as kept:
        store = RedisDedupStore(kept.url, TTL)
        claim(store, "a", FIRST)
        kept.stop()
        kept.start()
        with Redis(port=kept.port) as administrator:
            assert administrator.hget("lpa:claim:ledger", "run_id")
        assert claim(store, "a", SECOND) == FIRST
        store.close()
    with RedisServer(tmp_path) as lost:
        store = RedisDedupStore(lost.url, TTL)
        claim(store, "a", FIRST)
        lost.stop()
        lost.start()
        with pytest.raises(LostClaimsError, match="started again without its data"):
            claim(store, "a", SECOND)
        store.close()


def test_failure_05_a_server_that_comes_back_with_older_data_is_noticed(tmp_path: Path) -> None:
    """As one whose snapshot is a minute old, or a replica that was behind when it was promoted."""
    with RedisServer(tmp_path) as server:
        store = RedisDedupStore(server.url, TTL)
        claim(store, "a", FIRST)
        with Redis(port=server.port) as administrator:
            administrator.save()
        claim(store, "b", FIRST)
        server.stop()
        server.start()
        with pytest.raises(LostClaimsError, match="came back with older data"):
            claim(store, "b", SECOND)
        store.close()


def test_failure_05_a_promoted_replica_that_has_all_goes_on(tmp_path: Path) -> None:
    for name in ("primary", "replica"):
        (tmp_path / name).mkdir()
    with RedisServer(tmp_path / "primary", "--repl-diskless-sync-delay", "0") as primary:
        store = RedisDedupStore(primary.url, TTL)
        claim(store, "a", FIRST)
        following = ("--replicaof", "127.0.0.1", str(primary.port))
        with RedisServer(tmp_path / "replica", *following) as replica, Redis(port=replica.port) as administrator:
            while administrator.info("replication")["master_link_status"] != "up":
                pass
            reader = RedisDedupStore(replica.url, TTL)
            with pytest.raises(DedupStoreUnavailable, match="is a read-only replica: name the primary"):
                claim(reader, "b", FIRST)
            administrator.replicaof("NO", "ONE")
            assert claim(reader, "a", SECOND) == FIRST
            reader.close()
        store.close()


def test_failure_05_claims_of_an_older_version_are_taken_over(
    server: RedisServer, store: RedisDedupStore, administrator: Redis
) -> None:
    administrator.delete("lpa:claim:ledger")
    later = another(server)
    later.require_kept(some=True)
    assert claim(later, "a", SECOND) == FIRST
    later.close()


def test_failure_05_a_full_server_is_told_as_full(store: RedisDedupStore, administrator: Redis) -> None:
    administrator.config_set("maxmemory", "1mb")
    with pytest.raises(DedupStoreUnavailable, match=r"is full .*: raise its maxmemory, or lower QUALITY_DEDUP_TTL"):
        claim(store, "b", SECOND)
    administrator.config_set("maxmemory", "0")
    assert claim(store, "a", SECOND) == FIRST


def test_failure_05_a_recovery_makes_the_store_whole(
    server: RedisServer, store: RedisDedupStore, administrator: Redis
) -> None:
    administrator.flushall()
    with pytest.raises(LostClaimsError):
        claim(store, "c", SECOND)
    recovering = another(server)
    assert "deleted" in recovering.loss(some=True)
    assert recovering.recover([Claimed(["a"], FIRST.topic, FIRST.partition, [FIRST.offset], NOON)]) == 1
    assert recovering.loss(some=True) == ""
    recovering.close()
    whole = another(server)
    whole.require_kept(some=True)
    assert claim(whole, "a", SECOND) == FIRST
    whole.close()


def test_failure_05_what_is_stored_wins_over_a_batch_that_was_claimed_and_never_written(
    server: RedisServer, store: RedisDedupStore, administrator: Redis
) -> None:
    administrator.flushall()
    with pytest.raises(LostClaimsError):
        store.claim(["a", "b"], SECOND.topic, SECOND.partition, [SECOND.offset, SECOND.offset + 1], NOON + 1000)
    recovering = another(server)
    stored = Claimed(["a"], FIRST.topic, FIRST.partition, [FIRST.offset], NOON)
    later = stored._replace(partition=7, batch_time=NOON + 500)
    recovering.recover([stored, later])
    recovering.close()
    whole = another(server)
    assert claim(whole, "a", SECOND) == FIRST
    assert claim(whole, "b", FIRST) is not None, "claims of other keys stay"
    whole.close()


_KEYS = st.integers(0, 10)


@given(noted=_KEYS, now=_KEYS, same=st.booleans())
def test_failure_05_every_eviction_since_the_note_is_a_loss(noted: int, now: int, same: bool) -> None:
    """The counter begins at 0 again with a server, and where somebody resets statistics."""
    loss = Ledger("run", noted, 1).loss({"run_id": "run" if same else "another", "evicted_keys": now})
    assert bool(loss) == (now > noted if same and now >= noted else now > 0)


@pytest.mark.parametrize("bytes_of_it", [0, 7])
def test_failure_05_a_power_cut_that_takes_the_last_second_is_noticed_by_a_worker_that_lives_on(
    tmp_path: Path, bytes_of_it: int
) -> None:
    """The log of Redis ends before the last batch of claims, or within it."""
    with RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "everysec") as server:
        worker = another(server)
        assert claim(worker, "a", FIRST) is None
        (log,) = (tmp_path / "appendonlydir").glob("*.incr.aof")
        written = log.stat().st_size
        assert claim(worker, "b", FIRST) is None
        server.stop()
        assert log.stat().st_size > written + bytes_of_it
        os.truncate(log, written + bytes_of_it)
        server.start()
        with pytest.raises(LostClaimsError, match="Redis came back with older data"):
            claim(worker, "b", SECOND)
        worker.close()
        restarted = another(server)
        with pytest.raises(LostClaimsError):
            claim(restarted, "b", SECOND)
        restarted.close()
