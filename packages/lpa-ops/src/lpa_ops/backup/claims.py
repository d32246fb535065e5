"""Claims on this machine: copied into a backup, and made to fit a restored database."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from clickhouse_connect.driver.client import Client

from lpa_core.dedup.store import Claimed, DamagedClaimsError, DedupStoreError
from lpa_core.delivery.consumer_group import Partition
from lpa_core.settings.settings import Settings
from lpa_core.tables.row_layout import RAW_TABLE
from lpa_ops.backup.backup import BackupError
from lpa_ops.savepoint.keeper import snapshot
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.schema.ddl import WITHDRAWN_TABLE
from lpa_sinks.sink.completion import TableTarget
from lpa_sinks.sink.stored_keys import stored_keys

if TYPE_CHECKING:
    from lpa_core.dedup.rocksdb import RocksDBDedupStore

_log = structlog.get_logger("lpa.backup")

_MARK: Final = "CURRENT"
"""A file that every RocksDB folder has."""


def of_partition(settings: Settings, partition: Partition) -> Path:
    """The folder of a partition's claims, which need not be there."""
    return settings.lpa.data.claims_of(*partition)


def of_files(settings: Settings) -> Path:
    """The folder of the claims of all files. Those of partitions are folders in it."""
    return settings.lpa.data.claims


def are_there(folder: Path) -> bool:
    return (folder / _MARK).exists()


def are_readable(copied: Path, settings: Settings) -> bool:
    """Whether a copy has claims that can be read; what cannot be is rebuilt from the tables."""
    if not are_there(copied):
        return False
    try:
        _opened(copied, settings).close()
    except DedupStoreError as error:
        _log.warning("the backup's claims cannot be read, and are rebuilt from the tables", problem=str(error))
        return False
    return True


def copy(folder: Path, target: Path, settings: Settings) -> bool:
    """Copy a store's claims; False if a worker has them open, or they are damaged."""
    try:
        snapshot(folder, target, settings)
    except DedupStoreError:
        return False
    return True


def put_back(copied: Path | None, folder: Path) -> None:
    """Make the folder hold the copied claims, or none. It does not touch folders inside. Raises BackupError.

    If it is interrupted, :func:`are_there` returns False for the folder, and it can run again.
    """
    try:
        (folder / _MARK).unlink(missing_ok=True)
        if folder.exists():
            for path in folder.iterdir():
                if path.is_file():
                    path.unlink()
        if copied is not None:
            shutil.copytree(copied, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(_MARK))
            shutil.copyfile(copied / _MARK, folder / _MARK)
    except OSError as error:
        raise BackupError(
            f"{error.filename or folder} cannot be replaced: {error.strerror}; make it writable"
        ) from None


def require_unused(folder: Path, settings: Settings) -> None:
    """Raise DedupStoreError if a worker has the claims open. Damaged ones are used by nobody."""
    if are_there(folder):
        with suppress(DamagedClaimsError):
            _opened(folder, settings).close()


def rebuild(client: Client, database: str, partitions: Iterable[Partition], settings: Settings) -> int:
    """Claim, for files, the keys that the database holds and that are alive now; return how many there are.

    Partitions of a consumer group need none of this: a worker rebuilds their claims. Raises the client's errors.
    """
    keys = 0
    store = _opened(of_files(settings), settings)
    try:
        for claimed in stored_claims(client, database, partitions, settings):
            store.claim(*claimed)
            keys += len(claimed.keys)
    finally:
        store.close()
    return keys


def stored_claims(
    client: Client, database: str, partitions: Iterable[Partition], settings: Settings
) -> Iterator[Claimed]:
    """The claims that stand behind what the database holds of these partitions, and that are alive now.

    Raises the client's errors.
    """
    query = TableTarget(RAW_TABLE, _name(database, RAW_TABLE.name), _name(database, WITHDRAWN_TABLE.name))
    now = time.time_ns() // 1_000_000
    since = now - settings.quality.dedup_ttl_minutes * 60_000
    for topic, number in sorted(partitions):
        for stored in stored_keys(client, query.sql("stored_keys.sql"), topic, number, 0, since):
            yield Claimed(stored.keys, topic, number, stored.offsets, min(now, stored.batch_time))


def _opened(folder: Path, settings: Settings) -> RocksDBDedupStore:
    from lpa_core.dedup.rocksdb import RocksDBDedupStore

    return RocksDBDedupStore(folder, settings.quality.dedup_ttl_minutes * 60_000)


def _name(database: str, table: str) -> str:
    return f"{quoted(database)}.{quoted(table)}"
