"""Which backups in a store are of one database: others may be kept beside them."""

from __future__ import annotations

from collections.abc import Sequence

from lpa_core.settings.settings import Settings
from lpa_ops.backup.backup import Backup
from lpa_ops.backup.store import BackupStore
from lpa_ops.positions.checkpoints import same_database, sink_name


def is_of(backup: Backup, sink: str | None, settings: Settings) -> bool:
    """Whether it was made of the database that ``sink`` names; None for the embedded one."""
    return same_database(backup.sink, sink_name(sink, settings), settings)


def backups_of(store: BackupStore, sink: str | None, settings: Settings) -> Sequence[Backup]:
    """The backups of the database that can be restored according to their manifests, oldest first.

    Raises BackupError.
    """
    listed = [each.backup for each in store.list() if each.backup is not None and not each.problem]
    return [each for each in listed if is_of(each, sink, settings)]
