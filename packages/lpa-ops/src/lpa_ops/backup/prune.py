"""Removes the backups whose time is over."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import structlog

from lpa_core.settings import Settings
from lpa_ops.backup.retention import DAY_MS, expired, retention_days
from lpa_ops.backup.store import BackupStore

_ID: Final = re.compile(r"backup-(\d{8}T\d{6}Z)-[0-9a-f]{6}")

_log = structlog.get_logger("lpa.backup")


def prune(store: BackupStore, settings: Settings, now_ms: int) -> list[str]:
    """Remove what :func:`~lpa_ops.backup.retention.expired` names, and what was broken off a day ago or earlier.

    Answers where they were. A backup that cannot be read is left to a person. Raises BackupError.
    """
    backups = [each.backup for each in store.list() if each.backup is not None]
    over = [each.id for each in expired(backups, retention_days(settings), now_ms)]
    # What adds to a backup goes before it, or it would stand there without for a while.
    over.sort(key=lambda id_: not next(each for each in backups if each.id == id_).base)
    over += [id_ for id_ in store.unfinished() if _is_old(id_, now_ms)]
    for id_ in over:
        store.remove(id_)
        _log.info("backup removed", location=store.location(id_))
    return [store.location(id_) for id_ in over]


def _is_old(id_: str, now_ms: int) -> bool:
    begun = _ID.fullmatch(id_)
    if begun is None:
        return False
    time = datetime.strptime(begun[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return time.timestamp() * 1000 + DAY_MS <= now_ms
