"""Removes the backups whose time is over."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import structlog

from lpa_core.settings.settings import Settings
from lpa_ops.backup.backup import BackupError
from lpa_ops.backup.retention import DAY_MS, expired, retention_days
from lpa_ops.backup.store import BackupStore

_ID: Final = re.compile(r"backup-(\d{8}T\d{6}Z)-[0-9a-f]{6}")

_log = structlog.get_logger("lpa.backup")


def prune(store: BackupStore, settings: Settings, now_ms: int) -> list[str]:
    """Remove what :func:`~lpa_ops.backup.retention.expired` names, and what was interrupted a day ago or earlier.

    Answers where they were. A backup that cannot be read is left to a person. Raises BackupError, also where one that
    stays lacks a file.
    """
    listed = store.list()
    backups = [each.backup for each in listed if each.backup is not None]
    gone = {each.id for each in expired(backups, retention_days(settings), now_ms)}
    if gone:
        _require_whole(store, {backup.id for backup in backups} - gone)
    over = [each for each in listed if each.backup is not None and each.backup.id in gone]
    # What adds to a backup goes before it, or it would stand there without for a while.
    over.sort(key=lambda each: not (each.backup and each.backup.base))
    names = [*(each.name for each in over), *(name for name in store.unfinished() if _is_old(name, now_ms))]
    for name in names:
        store.remove(name)
        _log.info("backup removed", location=store.location(name))
    return [store.location(name) for name in names]


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
