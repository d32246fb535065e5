"""Claims in a Redis server that all workers share."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ConnectionError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,
)
from redis.retry import Retry

from lpa_core.dedup.digest import digests
from lpa_core.dedup.store import ClaimStatistics, DedupStoreError, DedupStoreUnavailable
from lpa_core.records import Position

EXPIRY_SLACK_MS = 3_600_000
"""How much longer than the TTL a claim stays in Redis."""
KEYS_A_CALL = 1_000
"""A script runs alone in Redis: other workers get their turn between the calls of one batch."""
ANSWER_SECONDS = 30
CONNECT_SECONDS = 5
OLDEST_REDIS = 7
"""The first version whose SET takes NX and GET together (redis.io, SET)."""

UNREADABLE_URL: Final = (
    "the Redis URL cannot be read; write redis://[user:password@]host[:port][/database], "
    "with every special character of the password percent-encoded"
)
_CLAIM = (files(__package__) / "redis_claim.lua").read_text()
_RELEASE = (files(__package__) / "redis_release.lua").read_text()
_REFUSED = (AuthenticationError, AuthorizationError)
_REFUSED_FOR_NOW = (ConnectionError, TimeoutError, BusyLoadingError, MasterDownError, OutOfMemoryError, ReadOnlyError)
_REFUSED_FOR_NOW_CODES = ("BUSY", "MISCONF", "NOREPLICAS")


@final
class RedisDedupStore:
    """A dedup store in Redis 7 or later (or Valkey), for workers that must see each other's claims.

    A batch is one round trip, of one script call per :data:`KEYS_A_CALL` keys. A key takes about 190 bytes of Redis'
    memory. Claims outlive Redis itself only as its persistence is set (``appendonly yes``).

    The TTL is judged by the time in the claim. Redis' own expiry, by Redis' clock, only frees memory, after the TTL
    and :data:`EXPIRY_SLACK_MS` more: that is right as long as a batch is claimed at most an hour after its batch
    time, both clocks' difference included.

    One server, with replicas or not. A cluster is refused: it would need each batch split by hash slot, with one
    call to the node of each.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``. Never shown, for it may hold a password.
        ttl_ms: how long a claim lasts.
        prefix: what the store's keys in Redis begin with. Workers that share claims share it.

    Raises:
        DedupStoreError: the URL cannot be read. At the first claim: the server turns the login away, is too old, is
            a cluster, or evicts keys when its memory is full.
    """

    def __init__(self, url: str, ttl_ms: int, prefix: str = "lpa:claim:") -> None:
        self._ttl = ttl_ms
        self._prefix = prefix.encode()
        try:
            self._redis = Redis.from_url(
                url,
                socket_timeout=ANSWER_SECONDS,
                socket_connect_timeout=CONNECT_SECONDS,
                # Once, at once: a connection may have died since the last batch. Waiting is the caller's.
                retry=Retry(NoBackoff(), 1),
            )
        except ValueError:
            raise DedupStoreError(UNREADABLE_URL) from None
        place = self._redis.connection_pool.connection_kwargs
        self._address = place.get("path") or f"{place.get('host', 'localhost')}:{place.get('port', 6379)}"
        self._checked = False

    def claim(
        self, keys: Sequence[str], topic: str, partition: int, offsets: Sequence[int], batch_time: int
    ) -> list[Position | None]:
        owners: list[Position | None] = [None] * len(keys)
        arguments = (batch_time, batch_time - self._ttl, self._ttl + EXPIRY_SLACK_MS, f"{partition} {topic}")
        for call, owned in enumerate(self._call(_CLAIM, keys, arguments, offsets)):
            for index, claim in zip(owned[::2], owned[1::2], strict=True):
                _, owner_offset, owner_partition, owner_topic = claim.decode().split(" ", 3)
                owner = Position(owner_topic, int(owner_partition), int(owner_offset))
                owners[call * KEYS_A_CALL + index - 1] = owner
        return owners

    def release(self, keys: Sequence[str], topic: str, partition: int, offsets: Sequence[int]) -> None:
        self._call(_RELEASE, keys, (f"{partition} {topic}",), offsets)

    def snapshot(self, target: Path) -> None:
        raise NotImplementedError("Redis takes snapshots of its own: BGSAVE, or BGREWRITEAOF")

    def statistics(self) -> ClaimStatistics:
        """All keys of the database, and the bytes of its append-only file, 0 where it has none."""
        try:
            keys = self._redis.dbsize()
            persistence: dict[str, Any] = self._redis.info("persistence")
        except RedisError as error:
            raise self._failure(error) from error
        return ClaimStatistics(keys, persistence.get("aof_current_size", 0))

    def close(self) -> None:
        self._redis.close()

    def _call(
        self, script: str, keys: Sequence[str], arguments: tuple[int | str, ...], offsets: Sequence[int]
    ) -> list[Any]:
        """Run the script over all keys, in one round trip; give the answer of each call."""
        if len(keys) != len(offsets):
            raise ValueError(f"{len(keys)} keys for {len(offsets)} offsets")
        names = [self._prefix + digest for digest in digests(keys)]
        pipeline = self._redis.pipeline(transaction=False)
        for start in range(0, len(names), KEYS_A_CALL):
            called = names[start : start + KEYS_A_CALL]
            pipeline.eval(script, len(called), *called, *arguments, *offsets[start : start + KEYS_A_CALL])
        try:
            self._check()
            answers = pipeline.execute(raise_on_error=False)
        except RedisError as error:
            raise self._failure(error) from error
        for answer in answers:
            if isinstance(answer, RedisError):
                raise self._failure(answer) from answer
        return answers

    def _check(self) -> None:
        """Refuse, once, a server that cannot keep claims."""
        if self._checked:
            return
        server = self._redis.info()
        if int(server["redis_version"].split(".")[0]) < OLDEST_REDIS:
            raise DedupStoreError(
                f"Redis at {self._address} is version {server['redis_version']}; dedup claims need {OLDEST_REDIS}.0"
            )
        if server.get("redis_mode") == "cluster":
            raise DedupStoreError(f"Redis at {self._address} is a node of a cluster; name a single server")
        if server.get("maxmemory") and server.get("maxmemory_policy") != "noeviction":
            raise DedupStoreError(
                f"Redis at {self._address} forgets claims when its memory is full (maxmemory-policy "
                f"{server.get('maxmemory_policy')}), and duplicates would pass; set maxmemory-policy noeviction"
            )
        self._checked = True

    def _failure(self, error: RedisError) -> DedupStoreError | DedupStoreUnavailable:
        if isinstance(error, _REFUSED):
            return DedupStoreError(f"Redis at {self._address} turns the login away ({error}); check user and password")
        if isinstance(error, _REFUSED_FOR_NOW) or str(error).startswith(_REFUSED_FOR_NOW_CODES):
            # What answers at this address may be another server by now.
            self._redis.connection_pool.disconnect()
            self._checked = False
            return DedupStoreUnavailable(f"Redis at {self._address} takes no claims now ({error})")
        return DedupStoreError(f"Redis at {self._address} does not do what claims need ({error})")
