"""Removes the backups whose time is over."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import structlog

from lpa_core.counted import counted
from lpa_core.settings.settings import Settings
from lpa_ops.backup.backup import Backup, BackupError, StoredBackup
from lpa_ops.backup.backups_of_database import is_of
from lpa_ops.backup.freeze import remove_unfinished, unfreeze
from lpa_ops.backup.retention import DAY_MS, expired, retention_days
from lpa_ops.backup.store import BackupStore

_ID: Final = re.compile(r"backup-(\d{8}T\d{6}Z)-[0-9a-f]{6}")

_log = structlog.get_logger("lpa.backup")


def prune(store: BackupStore, settings: Settings, now_ms: int, sink: str | None = None) -> list[str]:
    """Remove what :func:`~lpa_ops.backup.retention.expired` names, and what was interrupted a day ago or earlier.

    The freeze of a backup is removed first, from the database that ``sink`` names; None for the embedded one. A backup
    with a freeze in another database stays. So does one that cannot be read: a person decides about it.

    Returns where they were. Raises BackupError, also if one that stays lacks a file, and, when all else is done, if
    one stays because of its freeze.
    """
    over, elsewhere = _over(store, settings, now_ms, sink)
    removed = []
    for each in over:
        if each.backup is not None:
            unfreeze(each.backup, sink, settings)
        removed.append(_removed(store, each.name))
    for name in store.unfinished():
        if _is_old(name, now_ms):
            remove_unfinished(name, sink, settings)
            removed.append(_removed(store, name))
    if elsewhere:
        kept = "; ".join(f"{each.id} has a freeze in {each.sink}" for each in elsewhere)
        raise BackupError(f"{counted(len(removed), 'backup')} removed, {kept}: name that database with --sink")
    return removed


def to_prune(store: BackupStore, settings: Settings, now_ms: int, sink: str | None = None) -> list[str]:
    """Where what :func:`prune` would remove is. Raises BackupError if one that stays lacks a file."""
    over, _ = _over(store, settings, now_ms, sink)
    names = [*(each.name for each in over), *(name for name in store.unfinished() if _is_old(name, now_ms))]
    return [store.location(name) for name in names]


def _over(
    store: BackupStore, settings: Settings, now_ms: int, sink: str | None
) -> tuple[list[StoredBackup], list[Backup]]:
    """The backups whose time is over, in the order in which they go, and those that a freeze elsewhere keeps."""
    listed = store.list()
    backups = [each.backup for each in listed if each.backup is not None]
    gone = {each.id: each for each in expired(backups, retention_days(settings), now_ms)}
    elsewhere = [each for each in gone.values() if each.freeze and not is_of(each, sink, settings)]
    for backup in elsewhere:
        gone.pop(backup.id)
        gone.pop(backup.base, None)
    if gone:
        _require_whole(store, {backup.id for backup in backups} - gone.keys())
    over = [each for each in listed if each.backup is not None and each.backup.id in gone]
    # What adds to a backup goes before it, or it would stand there without for a while.
    over.sort(key=lambda each: not (each.backup and each.backup.base))
    return over, elsewhere


def _removed(store: BackupStore, name: str) -> str:
    store.remove(name)
    _log.info("backup removed", location=store.location(name))
    return store.location(name)


def _require_whole(store: BackupStore, staying: Iterable[str]) -> None:
    """What stays has to stand for what goes."""
    for id_ in sorted(staying):
        try:
            store.require_files(id_)
        except BackupError as error:
            raise BackupError(f"nothing is removed: {error}, and remove this one by hand") from None


def _is_old(name: str, now_ms: int) -> bool:
    begun = _ID.fullmatch(name)
    if begun is None:
        return False
    time = datetime.strptime(begun[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return time.timestamp() * 1000 + DAY_MS <= now_ms
