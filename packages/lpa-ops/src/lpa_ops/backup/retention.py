"""How long backups are kept. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from lpa_core.settings.settings import Settings
from lpa_ops.backup.backup import Backup

DAY_MS: Final = 86_400_000


def retention_days(settings: Settings) -> dict[str, int]:
    """Days by environment, for those that have a limit."""
    pairs = (each.split("=") for each in settings.lpa.backup_retention)
    return {environment: int(days) for environment, days in pairs}


def expires_ms(backup: Backup, days: Mapping[str, int]) -> int | None:
    """When the backup may be removed, epoch ms; None for never."""
    if backup.environment not in days:
        return None
    return backup.created_ms + days[backup.environment] * DAY_MS


def expired(backups: Sequence[Backup], days: Mapping[str, int], now_ms: int) -> list[Backup]:
    """The backups to remove, oldest first.

    Never the newest full one of an environment and database, of any age, nor the newest that has records, nor a
    base that another one needs.
    """
    full = [each for each in _oldest_first(backups) if not each.base]
    kept = [each for each in backups if not _is_over(each, days, now_ms)]
    needed = {*_newest(full), *_newest([each for each in full if each.records]), *(each.base for each in kept)}
    return [each for each in _oldest_first(backups) if _is_over(each, days, now_ms) and each.id not in needed]


def _newest(oldest_first: Sequence[Backup]) -> Collection[str]:
    return {(each.environment, each.database, each.sink): each.id for each in oldest_first}.values()


def _is_over(backup: Backup, days: Mapping[str, int], now_ms: int) -> bool:
    end = expires_ms(backup, days)
    return end is not None and end <= now_ms


def _oldest_first(backups: Sequence[Backup]) -> list[Backup]:
    return sorted(backups, key=lambda each: each.created_ms)
