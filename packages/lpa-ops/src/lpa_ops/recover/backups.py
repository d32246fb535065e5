"""The newest backup that can be relied on."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from lpa_ops.backup.backup import Backup, BackupError, StoredBackup
from lpa_ops.backup.own import is_of
from lpa_ops.backup.restore import require_own
from lpa_ops.backup.store import BackupStore
from lpa_ops.recover.scenario import Context, RecoveryError

_log = structlog.get_logger("lpa.recover")


def is_own(backup: Backup, context: Context) -> bool:
    """Whether it was made of the database that is recovered."""
    return is_of(backup, context.sink, context.settings)


def require_is_own(backup: Backup, context: Context) -> None:
    """Raise BackupError where it was made of another database."""
    if not is_own(backup, context):
        raise BackupError(f"{backup.id} is of {backup.sink}")


def newest_good(context: Context, require: Callable[[Backup], None]) -> StoredBackup:
    """The newest backup that ``require`` raises no BackupError of, and of which every file is as it was written.

    Raises RecoveryError where there is none.
    """
    store = BackupStore(context.backups)
    why = []
    for stored in reversed(store.list()):
        if stored.backup is None:
            why.append(stored.problem)
            continue
        try:
            require(stored.backup)
            require_own(stored.backup, stored.location, context.settings)
            store.check_files(stored.name)
        except BackupError as problem:
            _log.warning("a backup is passed over", problem=str(problem))
            why.append(str(problem))
            continue
        return stored
    reasons = f" ({'; '.join(why[:3])})" if why else ""
    raise RecoveryError(
        f"{store.root} has no backup to recover from{reasons}: name another place with --backups, or make the schema "
        "anew with `lpa schema apply` and read everything again"
    )
