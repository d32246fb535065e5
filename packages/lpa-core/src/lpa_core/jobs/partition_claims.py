"""Where the claims of a worker's partitions are kept: a dedup store for each partition, or one that all share."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path

from lpa_core.data_folder import claims_name
from lpa_core.dedup.store import DedupStoreUnavailable, SupportsVouching
from lpa_core.delivery.claims import DedupStores
from lpa_core.delivery.consumer_group import Partition
from lpa_core.plugins.manager import PluginManager
from lpa_core.uris import local_path, scheme


def stores_of(uri: str, ttl_ms: int, plugins: PluginManager) -> DedupStores:
    """RocksDB and memory: a store for each partition. Any other: one that is shared. Raises DedupStoreError."""
    if scheme(uri) == "memory":
        return DedupStores(lambda partition: plugins.dedup_store(uri), ttl_ms, shared=False)
    if scheme(uri) != "rocksdb":
        _require_kept(uri, plugins)
        return DedupStores(lambda partition: plugins.dedup_store(uri), ttl_ms, shared=True)

    def folder(partition: Partition) -> Path:
        return local_path(uri) / claims_name(*partition)

    return DedupStores(
        lambda partition: plugins.dedup_store(f"rocksdb://{folder(partition)}"), ttl_ms, shared=False, folder=folder
    )


def _require_kept(uri: str, plugins: PluginManager) -> None:
    """Raise DedupStoreError if a shared store could lose claims, or has; one that is away is waited for."""
    with closing(plugins.dedup_store(uri)) as store, suppress(DedupStoreUnavailable):
        if isinstance(store, SupportsVouching):
            store.require_kept(some=False)
