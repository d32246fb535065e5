"""Size, TTL and completeness of the dedup stores."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, final

import attrs

from lpa_core.counted import counted
from lpa_core.data_folder import claims_name
from lpa_core.dedup.redis_ledger import FIELDS, LEDGER, PREFIX, SECTIONS, Ledger, unfit
from lpa_core.dedup.store import DamagedClaimsError, DedupStoreError, DedupStoreUnavailable
from lpa_core.delivery.claims import THROUGH_FILE
from lpa_core.delivery.consumer_group import Partition
from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_core.settings.thresholds import State
from lpa_core.uris import local_path, scheme
from lpa_ops.health.kafka_offsets import KafkaOffsets, Standing
from lpa_ops.health.runbook import section

_GIGABYTE: Final = 1_000_000_000
_LOOKS: Final = 3
"""A worker may replace files while they are opened."""
_REBUILD: Final = "if they are damaged, start the partition's worker again: it reads them back from ClickHouse"
_RESTORE: Final = (
    "if they are damaged, `lpa backup restore` brings them back together with the tables; else do what is said"
)


@final
@attrs.frozen
class _Store:
    """``trouble`` is why duplicates may be missed, and ``action`` what to do about it; empty if nothing is."""

    bytes: int
    what: str
    trouble: str = ""
    action: str = ""
    state: State = State.WARNING
    """How bad the trouble is."""


def judge(scope: Scope) -> Finding:
    uri = scope.dedup or scope.settings.lpa.data.claims_uri
    match scheme(uri):
        case "rocksdb":
            store = _on_disk(local_path(uri), scope)
        case "redis" | "rediss":
            store = _in_redis(uri, scope)
        case "memory":
            raise NotApplicable("claims are in memory, and end with the process")
        case other:
            raise NotApplicable(f"{other}:// tells nothing about its claims")
    minutes = scope.settings.quality.dedup_ttl_minutes
    finding = Finding.of(
        store.bytes / _GIGABYTE,
        scope.settings.health.dedup_store_gigabytes,
        f"{store.bytes / _GIGABYTE:,.2f} GB for a TTL of {minutes:,} minutes; {store.trouble or store.what}",
        "lower QUALITY_DEDUP_TTL_MINUTES, or give the store more room",
    )
    if store.trouble and (finding.state is State.OK or store.state is State.CRITICAL):
        return attrs.evolve(finding, state=store.state, action=store.action)
    return finding


def _on_disk(folder: Path, scope: Scope) -> _Store:
    if not folder.is_dir():
        raise NotApplicable(f"{folder}: there are no claims on this machine yet")
    size = sum(_sizes(folder))
    if not scope.kafka:
        return _Store(size, "one store for all files", _unusable(folder), _RESTORE, State.CRITICAL)
    standings = KafkaOffsets(scope).standings()
    unusable = next(filter(None, (_unusable(folder / claims_name(*partition)) for partition in standings)), "")
    if unusable:
        return _Store(size, "", unusable, _REBUILD, State.CRITICAL)
    here = {partition: through for partition, through in _through(folder, standings) if through is not None}
    if not here:
        others = "workers on other machines have them, or read them back from ClickHouse when they start"
        return _Store(size, f"of {len(standings)} partitions no claims are on this machine: {others}")
    # The mark follows the commit, a moment later.
    moment = scope.settings.clickhouse.sink_max_batch_size
    behind = [str(p) for p, through in here.items() if through + moment < standings[p].committed]
    if behind:
        return _Store(
            size,
            "",
            f"claims of {', '.join(behind)} are behind what is committed",
            "a worker that gets these partitions completes them from ClickHouse: see /readyz and "
            "lpa_dedup_rebuild_progress_ratio",
        )
    return _Store(size, f"claims of {len(here)} of {len(standings)} partitions are here, and complete")


def _unusable(folder: Path) -> str:
    """Why the claims in a folder cannot be opened; empty if they can, or none are there."""
    from lpa_core.dedup.rocksdb_files import are_there, require_readable

    why = ""
    for _ in range(_LOOKS):
        try:
            if are_there(folder):
                require_readable(folder)
            return ""
        except DamagedClaimsError as damage:
            why = str(damage).partition("; ")[0]
        except (DedupStoreError, DedupStoreUnavailable, OSError) as problem:
            why = str(problem)
    return why


def _sizes(folder: Path) -> Iterator[int]:
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError):  # merged into another file just now
            yield file.stat().st_size if file.is_file() else 0


def _through(folder: Path, standings: Mapping[Partition, Standing]) -> Iterator[tuple[Partition, int | None]]:
    for partition in standings:
        try:
            yield partition, json.loads((folder / claims_name(*partition) / THROUGH_FILE).read_bytes())["through"]
        except (OSError, ValueError, KeyError, TypeError):
            yield partition, None


def _in_redis(uri: str, scope: Scope) -> _Store:
    from redis import Redis
    from redis.exceptions import ResponseError

    from lpa_core.dedup.redis import UNREADABLE_URL

    try:
        client = Redis.from_url(uri, socket_timeout=scope.settings.health.timeout_seconds)
    except ValueError:  # which names a part of the URL, maybe of its password
        raise DedupStoreError(UNREADABLE_URL) from None
    try:
        server = client.info(*SECTIONS, "persistence")
        found: Any = client.hmget(f"{PREFIX}{LEDGER}", FIELDS)
        ledger = Ledger.read(found)
        keys = client.dbsize()
        policy = server.get("maxmemory_policy")
        if policy is None:
            with suppress(ResponseError):  # the command is not for everybody
                policy = client.config_get("maxmemory-policy").get("maxmemory-policy")
    finally:
        client.close()
    used = int(server["used_memory"])
    what = f"{counted(keys, 'key')} in Redis"
    for trouble, action in _lost(server, ledger, policy):
        return _Store(used, what, trouble, action, State.CRITICAL)
    if not int(server.get("aof_enabled", 0)):
        return _Store(used, what, "Redis loses claims when it is started again", "set appendonly yes")
    return _Store(used, what)


def _lost(server: Mapping[str, Any], ledger: Ledger, policy: str | None) -> Iterator[tuple[str, str]]:
    """Why claims are gone or cannot be made, and what to do; the worst first."""
    loss = "" if ledger.empty else ledger.loss(server)
    if loss:
        yield (
            f"claims are lost: {loss}",
            "stop the workers and run `lpa recover lost-claims` with their --sink and --dedup",
        )
    problem = unfit(server, policy)
    if problem:
        yield f"Redis {problem}", "set maxmemory-policy noeviction, of a single Redis of version 7 or later"
    if server.get("role") == "slave":
        yield "Redis is a read-only replica", "name the primary"
    most = int(server.get("maxmemory", 0))
    if most and int(server["used_memory"]) >= most:
        yield "Redis is full, and workers wait", "raise its maxmemory, or lower QUALITY_DEDUP_TTL_MINUTES"


CHECK: Final = HealthCheck("dedup_store", "Dedup store", judge, "gigabytes", runbook=section("dedup_store"))
