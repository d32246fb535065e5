"""The newest backup that can be relied on."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from lpa_ops.backup.backup import Backup, BackupError, StoredBackup
from lpa_ops.backup.restore import require_own
from lpa_ops.backup.store import BackupStore
from lpa_ops.recover.scenario import Context, RecoveryError

_log = structlog.get_logger("lpa.recover")


def newest_good(context: Context, fits: Callable[[Backup], bool] = lambda backup: True) -> StoredBackup:
    """The newest backup of which every file is as it was written. Raises RecoveryError where there is none."""
    store = BackupStore(context.backups)
    why = []
    for stored in reversed(store.list()):
        if stored.backup is None:
            why.append(stored.problem)
            continue
        try:
            require_own(stored.backup, stored.location, context.settings)
            store.check_files(stored.backup.id)
        except BackupError as problem:
            _log.warning("a backup is passed over", problem=str(problem))
            why.append(str(problem))
            continue
        if fits(stored.backup):
            return stored
    reasons = f" ({'; '.join(why[:3])})" if why else ""
    raise RecoveryError(
        f"{store.root} has no backup to recover from{reasons}: name another place with --backups, or make the schema "
        "anew with `lpa schema apply` and read everything again"
    )
