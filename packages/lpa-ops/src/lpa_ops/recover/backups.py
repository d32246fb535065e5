"""The newest backup that can be relied on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from lpa_core.delivery.consumer_group import Partition
from lpa_ops.backup.backup import Backup, BackupError, StoredBackup
from lpa_ops.backup.backups_of_database import is_of
from lpa_ops.backup.restore import require_own
from lpa_ops.backup.store import BackupStore, store_of
from lpa_ops.positions.checkpoints import checkpoints, from_kafka, sink_name
from lpa_ops.recover.scenario import Context, RecoveryError

_log = structlog.get_logger("lpa.recover")


def is_own(backup: Backup, context: Context) -> bool:
    """Whether it was made of the database that is recovered."""
    return is_of(backup, context.sink, context.settings)


def require_is_own(backup: Backup, context: Context) -> None:
    """Raise BackupError if it was made of another database."""
    if not is_own(backup, context):
        raise BackupError(f"{backup.id} is of {backup.sink}")


def backup_at(location: str, stored: Iterable[Partition], context: Context) -> Backup:
    """The backup at a location; if there is none, a stand-in that has nothing.

    ``stored``: partitions of which the database has rows: they tell whether the group is concerned. Raises BackupError.
    """
    if location:
        store, folder = store_of(location)
        return store.manifest(folder).backup
    sink = sink_name(context.sink, context.settings)
    read = from_kafka(stored, checkpoints(context.settings, sink).values(), context.settings)
    return Backup(
        id="",
        created_ms=0,
        environment="",
        base="",
        database="",
        sink=sink,
        group=context.settings.quality.group_id if read else "",
        commits={},
        derived={},
        boundaries={},
        dedup={},
        tables={},
        unsettled=[],
        note="",
        settings_fingerprint="",
        versions={},
    )


def newest_good(context: Context, require: Callable[[Backup], None], otherwise: str) -> StoredBackup:
    """The newest backup that ``require`` raises no BackupError of, and of which every file is as it was written.

    Raises RecoveryError if there is none; it says ``otherwise``, which is what to do then.
    """
    store = BackupStore(context.backups)
    why = []
    for stored in reversed(store.list()):
        if stored.backup is None:
            why.append(stored.problem)
            continue
        try:
            require(stored.backup)
            require_own(stored.backup, stored.location, context.settings, context.plugins)
            store.check_files(stored.name)
        except BackupError as problem:
            _log.warning("a backup is passed over", problem=str(problem))
            why.append(str(problem))
            continue
        return stored
    reasons = f" ({'; '.join(why[:3])})" if why else ""
    raise RecoveryError(f"{store.root} has no backup to recover from{reasons}: {otherwise}")
