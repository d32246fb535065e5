"""Claims in a Redis server that all workers share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, final
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ConnectionError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
)
from redis.retry import Retry

from lpa_core.dedup.digest import digests
from lpa_core.dedup.redis_ledger import FIELDS, LEDGER, PREFIX, SECTIONS, Ledger, unfit
from lpa_core.dedup.store import Claimed, ClaimStatistics, DedupStoreError, DedupStoreUnavailable, LostClaimsError
from lpa_core.records import Position
from lpa_core.uris import HostPort

EXPIRY_SLACK_MS = 3_600_000
"""How much longer than the TTL a claim stays in Redis."""
KEYS_A_CALL = 1_000
"""A script runs alone in Redis: other workers get their turn between the calls of one batch."""
ANSWER_SECONDS = 30
CONNECT_SECONDS = 5

UNREADABLE_URL: Final = (
    "the Redis URL cannot be read; write redis://[user:password@]host[:port][/database], "
    "with every special character of the password percent-encoded, and no options but those of redis-py"
)
_CLAIM = (files(__package__) / "redis_claim.lua").read_text()
_RECOVER = (files(__package__) / "redis_recover.lua").read_text()
_RELEASE = (files(__package__) / "redis_release.lua").read_text()
_LACKING = (files(__package__) / "redis_lacking.lua").read_text()
_FULL: Final = 0.98
"""Of its memory: what a request of the next batch takes, the server counts too."""
_LOOKS: Final = 100
"""How many times 1,000 keys of the server are looked at for a claim that an older version made."""
_REFUSED = (AuthenticationError, AuthorizationError)
_REFUSED_FOR_NOW = (ConnectionError, TimeoutError, BusyLoadingError, MasterDownError, ReadOnlyError)
_REFUSED_FOR_NOW_CODES = ("BUSY", "MISCONF", "NOREPLICAS")


@final
class RedisDedupStore:
    """A dedup store in Redis 7 or later (or Valkey), for workers that must see each other's claims.

    A batch is one round trip, of one script call per :data:`KEYS_A_CALL` keys. A key takes about 190 bytes of Redis'
    memory. Claims outlive Redis itself only as its persistence is set (``appendonly yes``).

    Each batch looks, in the same round trip, whether claims were lost since the one before: see
    :mod:`lpa_core.dedup.redis_ledger`. So no range is prepared whose duplicates were missed.

    The TTL is judged by the time in the claim. Redis' own expiry, by Redis' clock, only frees memory, after the TTL
    and :data:`EXPIRY_SLACK_MS` more: that is right as long as a batch is claimed at most an hour after its batch
    time, both clocks' difference included.

    One server, with replicas or not. A cluster is refused: it would need each batch split by hash slot, with one
    call to the node of each.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``. Never shown, because it may hold a password.
        ttl_ms: how long a claim lasts.
        prefix: what the store's keys in Redis begin with. Workers that share claims share it.

    Raises:
        DedupStoreError: the URL cannot be read. At the first claim: the server turns the login away, is too old, is
            a cluster, or has a policy by which it could evict keys.
    """

    def __init__(self, url: str, ttl_ms: int, prefix: str = PREFIX) -> None:
        self._ttl = ttl_ms
        self._prefix = prefix.encode()
        self._ledger = self._prefix + LEDGER.encode()
        try:
            self._redis = Redis.from_url(
                url,
                socket_timeout=ANSWER_SECONDS,
                socket_connect_timeout=CONNECT_SECONDS,
                # Once, at once: a connection may have died since the last batch. Waiting is the caller's.
                retry=Retry(NoBackoff(), 1),
            )
            pool = self._redis.connection_pool
            pool.connection_class(**pool.connection_kwargs)  # finds options that there are not
            if not url.startswith("unix:") and not re.fullmatch(r"/?\d*", urlsplit(url).path):
                raise ValueError  # else it would be the database 0
        except (ValueError, TypeError):
            raise DedupStoreError(UNREADABLE_URL) from None
        place = self._redis.connection_pool.connection_kwargs
        self._address = place.get("path") or str(HostPort(place.get("host", "localhost"), place.get("port", 6379)))
        self._checked = False
        self._batches = 0
        """As many the ledger has counted; 0 if this store has made none."""

    def claim(
        self, keys: Sequence[str], topic: str, partition: int, offsets: Sequence[int], batch_time: int
    ) -> list[Position | None]:
        return self._claim(Claimed(keys, topic, partition, offsets, batch_time))

    def _claim(self, claimed: Claimed, *, recovering: bool = False) -> list[Position | None]:
        keys, topic, partition, offsets, batch_time = claimed
        script = _RECOVER if recovering else _CLAIM
        owners: list[Position | None] = [None] * len(keys)
        arguments = (batch_time, batch_time - self._ttl, self._ttl + EXPIRY_SLACK_MS, f"{partition} {topic}")
        for call, owned in enumerate(self._call(script, keys, arguments, offsets, recovering)):
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
        """All keys of the database, and the bytes of its append-only file, 0 if it has none."""
        try:
            keys = self._redis.dbsize()
            server: dict[str, Any] = self._redis.info("persistence", "stats")
        except RedisError as error:
            raise self._failure(error) from error
        return ClaimStatistics(keys, server.get("aof_current_size", 0), server.get("evicted_keys", 0))

    def loss(self, *, some: bool) -> str:
        try:
            return self._loss(self._server(), self._noted(), some)
        except RedisError as error:
            raise self._failure(error) from error

    def examine(self) -> str:
        try:
            server = self._server()
            persistence: dict[str, Any] = self._redis.info("persistence")
            found: Any = self._redis.eval(_LACKING, 1, self._ledger)
            lacking = [name.decode() for name in found]
            loss = self._loss(server, self._noted(), some=False)
        except RedisError as error:
            raise self._failure(error) from error
        if lacking:
            raise DedupStoreError(
                f"Redis at {self._address}: this login lacks {', '.join(lacking)}: allow it on keys that begin with "
                f"{self._prefix.decode()} (docs/operations/permissions.md)"
            )
        if server.get("role") == "slave" and server.get("slave_read_only"):
            raise self._failure(ReadOnlyError())
        if 0 < _FULL * server.get("maxmemory", 0) <= server["used_memory"]:
            raise self._failure(OutOfMemoryError(f"{server['used_memory']:,} of {server['maxmemory']:,} bytes"))
        if loss:
            raise LostClaimsError(self._lost(loss))
        kept = "" if persistence.get("aof_enabled") else "; without appendonly yes, claims are lost with the server"
        return f"Redis {server['redis_version']} at {self._address} can keep claims{kept}"

    def require_kept(self, *, some: bool) -> None:
        try:
            loss = self._loss(self._server(), self._noted(), some)
            if loss:
                self._lose(loss)
        except RedisError as error:
            raise self._failure(error) from error

    def recover(self, claims: Iterable[Claimed]) -> int:
        keys = 0
        try:
            server = self._server()
            for claimed in claims:
                self._claim(claimed, recovering=True)
                keys += len(claimed.keys)
            evicted = int(self._server()["evicted_keys"]) - int(server["evicted_keys"])
            if evicted:
                raise DedupStoreError(
                    f"Redis at {self._address} evicted {evicted:,} keys meanwhile: give it more memory"
                )
            self._note(server)
            self._redis.hdel(self._ledger, "lost")
        except RedisError as error:
            raise self._failure(error) from error
        return keys

    def close(self) -> None:
        self._redis.close()

    def _call(
        self,
        script: str,
        keys: Sequence[str],
        arguments: tuple[int | str, ...],
        offsets: Sequence[int],
        recovering: bool = False,
    ) -> list[Any]:
        """Run the script over all keys, in one round trip; give the answer of each call."""
        if len(keys) != len(offsets):
            raise ValueError(f"{len(keys)} keys for {len(offsets)} offsets")
        names = [self._prefix + digest for digest in digests(keys)]
        pipeline = self._redis.pipeline(transaction=False)
        for start in range(0, len(names), KEYS_A_CALL):
            called = names[start : start + KEYS_A_CALL]
            pipeline.eval(script, len(called), *called, *arguments, *offsets[start : start + KEYS_A_CALL])
        # Last, so that whatever was lost before the scripts ran is seen.
        pipeline.hincrby(self._ledger, "batches", 1)
        pipeline.hmget(self._ledger, FIELDS)
        pipeline.info(*SECTIONS)
        try:
            if not recovering:
                self._check()
            answers = pipeline.execute(raise_on_error=False)
            for answer in answers:
                if isinstance(answer, RedisError):
                    raise answer
            *answers, _, fields, server = answers
            if not recovering:
                self._require_fit(server)
                ledger = Ledger.read(fields)
                # A store that counted before has to have counted on.
                self._look(server, ledger, ledger.loss(server, self._batches + 1))
        except RedisError as error:
            raise self._failure(error) from error
        return answers

    def _check(self) -> None:
        """Refuse, once for each connection, a server that cannot keep claims, or has lost some."""
        if self._checked:
            return
        server = self._server()
        self._require_permissions()
        ledger = self._noted()
        self._look(server, ledger, self._loss(server, ledger, some=False))
        self._checked = True

    def _require_permissions(self) -> None:
        """Call every command once, on keys of its own: what this login lacks is named, which a script does not do."""
        text, table = self._prefix + b"probe", self._prefix + b"probe-table"
        probe = self._redis.pipeline(transaction=False)
        probe.set(text, b"", px=1_000)
        probe.get(text)
        probe.delete(text)
        probe.hset(table, "field", 1)
        probe.hincrby(table, "field", 1)
        probe.hmget(table, ["field"])
        probe.hdel(table, "field")
        probe.scan(0, count=1)
        probe.dbsize()
        probe.eval("return 1", 0)
        probe.execute()

    def _loss(self, server: Mapping[str, Any], ledger: Ledger, some: bool) -> str:
        """Why claims are gone; empty if they are not, or none was noted yet."""
        if not ledger.empty or self._batches:
            return ledger.loss(server, self._batches)
        if not self._has_claims():
            return "it holds none, though records were delivered before" if some else ""
        evicted = int(server["evicted_keys"])
        return f"Redis evicted {evicted:,} keys" if evicted else ""

    def _look(self, server: Mapping[str, Any], ledger: Ledger, loss: str) -> None:
        """Raise LostClaimsError if claims are gone; else note what is so now."""
        if loss:
            self._lose(loss)
        self._batches = ledger.batches
        if (ledger.run_id, ledger.evicted) != (server["run_id"], int(server["evicted_keys"])):
            self._note(server)

    def _lose(self, why: str) -> None:
        """Note that claims are gone, for all workers and over restarts, and raise LostClaimsError."""
        self._redis.hset(self._ledger, "lost", why)
        raise LostClaimsError(self._lost(why))

    def _lost(self, why: str) -> str:
        return (
            f"Redis at {self._address} has lost claims ({why}), and duplicates would pass: stop the workers and run "
            "`lpa recover lost-claims` with their --sink and --dedup, which claims again what the tables hold"
        )

    def _server(self) -> Mapping[str, Any]:
        server: Mapping[str, Any] = self._redis.info(*SECTIONS)
        self._require_fit(server)
        return server

    def _require_fit(self, server: Mapping[str, Any]) -> None:
        policy = server.get("maxmemory_policy")
        if policy is None:
            try:
                policy = self._redis.config_get("maxmemory-policy").get("maxmemory-policy")
            except ResponseError:  # the command is not for everybody, or renamed
                policy = None
        problem = unfit(server, policy)
        if problem:
            self._checked = False
            raise DedupStoreError(f"Redis at {self._address} {problem}")

    def _noted(self) -> Ledger:
        found: Any = self._redis.hmget(self._ledger, FIELDS)
        return Ledger.read(found)

    def _note(self, server: Mapping[str, Any]) -> None:
        self._redis.hset(self._ledger, mapping={"run_id": server["run_id"], "evicted": server["evicted_keys"]})

    def _has_claims(self) -> bool:
        """Whether there is a claim, such as one that a version made which took no notes."""
        cursor = 0
        for _ in range(_LOOKS):
            cursor, found = self._redis.scan(cursor, match=self._prefix + b"*", count=1_000)
            if any(key != self._ledger for key in found):
                return True
            if not cursor:
                return False
        return True  # much else is there: better to look again than to refuse

    def _failure(self, error: RedisError) -> DedupStoreError | DedupStoreUnavailable:
        if isinstance(error, _REFUSED):
            return DedupStoreError(f"Redis at {self._address} turns the login away ({error}); check user and password")
        if isinstance(error, NoPermissionError) or "can't run this command" in str(error):
            return DedupStoreError(
                f"Redis at {self._address}: this login lacks a permission ({error}): docs/operations/permissions.md "
                "lists the commands"
            )
        if isinstance(error, OutOfMemoryError):
            return DedupStoreUnavailable(
                f"Redis at {self._address} is full ({error}): raise its maxmemory, or lower QUALITY_DEDUP_TTL_MINUTES"
            )
        if isinstance(error, _REFUSED_FOR_NOW) or str(error).startswith(_REFUSED_FOR_NOW_CODES):
            # What answers at this address may be another server by now.
            self._redis.connection_pool.disconnect()
            self._checked = False
            if isinstance(error, ReadOnlyError):
                return DedupStoreUnavailable(f"Redis at {self._address} is a read-only replica: name the primary")
            return DedupStoreUnavailable(
                f"Redis at {self._address} takes no claims now ({error}): start it, or check its address"
            )
        return DedupStoreError(f"Redis at {self._address} does not do what claims need ({error})")
