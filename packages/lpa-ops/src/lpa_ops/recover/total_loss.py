"""The database is gone, with its host or its folder."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Final, final

from lpa_core.counted import counted
from lpa_core.delivery.checkpoint import finished_towards
from lpa_core.delivery.consumer_group import Partition
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.permissions import require
from lpa_ops.backup.backup import Backup, BackupError
from lpa_ops.backup.restore import restore
from lpa_ops.backup.store import BackupStore, store_of
from lpa_ops.positions.checkpoints import sink_name
from lpa_ops.positions.committed import earliest, latest
from lpa_ops.positions.stored_tables import positions, stored_tables
from lpa_ops.recover.backups import is_own, newest_good, require_is_own
from lpa_ops.recover.estimate import seconds_to_read, seconds_to_restore
from lpa_ops.recover.scenario import Context, Findings, RecoveryOvertakenError, RecoveryStep
from lpa_ops.recover.stored_since import stored_since
from lpa_sinks.clickhouse.database import endpoint_of, opened
from lpa_sinks.clickhouse.embedded import DamagedDatabaseError


class Loss(Findings, frozen=True, kw_only=True):
    location: str
    """Of the backup."""
    aside: str
    """What the folder of an embedded database that cannot be opened is renamed to; empty if there is none."""


_NOTHING: Final = Loss(damage=[], lost=[], seconds=0, location="", aside="")
_RESTORE: Final = "restore"


@final
class TotalLoss:
    """Brings everything back from the newest good backup: tables, claims, checkpoints, committed offsets."""

    name = "total-loss"
    findings = Loss

    def assess(self, context: Context) -> Loss:
        damage = _damage(context)
        if not damage:
            return _NOTHING
        listed = _backups(context)
        own = [backup for backup in listed if is_own(backup, context)]
        filled = any(backup.records for backup in own or listed)

        def require(backup: Backup) -> None:
            if own:
                require_is_own(backup, context)
            if filled and not backup.records:
                raise BackupError(f"{backup.id} has no records, though an older one has: they were lost before it")

        stored = newest_good(context, require, _without_backup(context))
        assert stored.backup is not None
        again, lost = _behind(stored.backup, context)
        if not own:
            lost = [f"nothing of it, if this is right: the backup was made of {stored.backup.sink}", *lost]
        place = endpoint_of(context.sink, context.settings).path
        return Loss(
            damage=damage,
            lost=lost,
            seconds=seconds_to_restore(stored.bytes) + seconds_to_read(again),
            location=stored.location,
            aside=f"{place.name}.damaged-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}" if place else "",
            again=again,
        )

    def look_again(self, found: Loss, begun: Collection[str], started_ms: int, context: Context) -> Loss:
        if _RESTORE not in begun:
            return found if _damage(context) else _NOTHING
        if not _is_there(context):
            return found
        with opened(context.sink, context.settings) as (client, name):
            since = stored_since(client, name, started_ms)
        if since:
            raise RecoveryOvertakenError(
                f"{name} holds {counted(since, 'record')} that came in since this recovery started, and would be "
                "replaced: it was repaired by other means"
            )
        return found

    def steps(self, found: Loss, context: Context) -> Sequence[RecoveryStep]:
        left = f"rename the rest of the folder to {found.aside}"
        aside = [RecoveryStep("set aside", left, lambda: self._aside(found, context), once=True)] if found.aside else []
        return [
            RecoveryStep("check", f"read every file of {found.location}", lambda: self._check(found)),
            *aside,
            RecoveryStep(
                _RESTORE,
                "restore tables, claims, checkpoints and committed offsets from it",
                lambda: self._restore(found, context),
                once=True,
            ),
        ]

    def then(self, found: Loss) -> Sequence[str]:
        return [
            f"start the workers: they read {counted(found.again, 'record')} again",
            "run `lpa ingest` on files once more",
        ]

    def _check(self, found: Loss) -> str:
        store, name = store_of(found.location)
        return f"{store.check_files(name).backup.id} is as it was written"

    def _aside(self, found: Loss, context: Context) -> str:
        place = endpoint_of(context.sink, context.settings).path
        assert place is not None
        aside = place.with_name(found.aside)
        if place.exists() and not aside.exists():
            place.rename(aside)
        return f"{aside} has it" if aside.exists() else "nothing was left"

    def _restore(self, found: Loss, context: Context) -> str:
        restored = restore(found.location, context.sink, context.settings, context.plugins, replace=True)
        return f"{counted(sum(restored.rows.values()), 'row')} in {counted(len(restored.rows), 'table')}"


def _is_there(context: Context) -> bool:
    place = endpoint_of(context.sink, context.settings).path
    return place is None or place.exists()


def _damage(context: Context) -> list[str]:
    place = endpoint_of(context.sink, context.settings)
    if not _is_there(context):
        return [f"{place.path} does not exist"]
    try:
        with opened(context.sink, context.settings) as (client, database):
            tables = stored_tables(client, database)
            if not tables:
                return [f"the database {database} has no tables"]
            if not positions(client, tables):
                return [f"the tables of {database} are empty"] if _expected(context) else []
            return []
    except DamagedDatabaseError as damage:
        return [str(damage)]


def _without_backup(context: Context) -> str:
    """What to do if there is none."""
    elsewhere = "name another place with --backups; if there is none"
    if endpoint_of(context.sink, context.settings).path is None:
        return (
            f"{elsewhere}, run `lpa schema apply`, and then `lpa recover offset-loss`, which has what the topic still "
            "holds read again"
        )
    data = context.settings.lpa.data
    return f"{elsewhere}, remove {data.checkpoints} and {data.claims}, and read the files again"


def _expected(context: Context) -> bool:
    """Whether a backup has records, or files were read into it: then an empty database has lost them."""
    read = finished_towards(context.settings.lpa.data.checkpoints, sink_name(context.sink, context.settings))
    return bool(read) or any(backup.records for backup in _backups(context))


def _backups(context: Context) -> list[Backup]:
    return [each.backup for each in BackupStore(context.backups).list() if each.backup is not None]


def _behind(backup: Backup, context: Context) -> tuple[int, list[str]]:
    """How many records of the topic came since, and what of them is gone."""
    if not backup.group:
        return 0, ["what came into no file and no topic since the backup, such as from standard input"]
    admin, partitions = admin_client(context.settings), list(backup.commits)
    require("lpa recover", admin, context.settings)
    low = earliest(admin, context.settings, partitions)
    high = latest(admin, context.settings, partitions)
    lost = [_gone(each, backup, low[each]) for each in partitions if low[each] > backup.commits[each].offset]
    return sum(max(0, high[each] - backup.commits[each].offset) for each in partitions), lost


def _gone(partition: Partition, backup: Backup, low: int) -> str:
    return (
        f"{partition}: the topic no longer holds {backup.commits[partition].offset} to {low - 1}: replay them from the "
        "archive, and set QUALITY_OFFSET_GAP_POLICY=earliest"
    )
