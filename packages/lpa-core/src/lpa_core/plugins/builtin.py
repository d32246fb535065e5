"""What lpa-core itself brings, through the same hooks as anybody else."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from lpa_core.dedup.store import DedupStore
from lpa_core.events.event_type import EventType
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.lifecycle.attribution import AttributionPolicy, NearestSnapshot
from lpa_core.plugins.hookspecs import DedupStoreFactory, SourceFactory, hookimpl
from lpa_core.settings.settings import Settings
from lpa_core.sources.files import open_file, open_stdin
from lpa_core.sources.source import Source
from lpa_core.uris import local_path


@hookimpl
def lpa_event_types() -> Sequence[EventType]:
    return BUILTIN_EVENT_TYPES


@hookimpl
def lpa_sources() -> Mapping[str, SourceFactory]:
    return {"file": _file, "-": _stdin}


@hookimpl
def lpa_dedup_stores() -> Mapping[str, DedupStoreFactory]:
    return {"memory": _memory, "rocksdb": _rocksdb, "redis": _redis, "rediss": _redis}


@hookimpl(trylast=True)
def lpa_attribution_policy(settings: Settings) -> AttributionPolicy:
    return NearestSnapshot()


def _file(uri: str, settings: Settings) -> Source:
    return open_file(local_path(uri), _new_run(), seconds=_batch_seconds(settings))


def _stdin(uri: str, settings: Settings) -> Source:
    return open_stdin(_new_run(), _batch_seconds(settings))


def _batch_seconds(settings: Settings) -> float:
    return settings.clickhouse.sink_max_time_ms / 1_000


def _new_run() -> str:
    return uuid.uuid4().hex[:12]


def _ttl_ms(settings: Settings) -> int:
    return settings.quality.dedup_ttl_minutes * 60_000


def _memory(uri: str, settings: Settings) -> DedupStore:
    from lpa_core.dedup.memory import MemoryDedupStore

    return MemoryDedupStore(_ttl_ms(settings))


def _rocksdb(uri: str, settings: Settings) -> DedupStore:
    from lpa_core.dedup.rocksdb import RocksDBDedupStore

    return RocksDBDedupStore(local_path(uri), _ttl_ms(settings))


def _redis(uri: str, settings: Settings) -> DedupStore:
    from lpa_core.dedup.redis import RedisDedupStore

    return RedisDedupStore(uri, _ttl_ms(settings))
