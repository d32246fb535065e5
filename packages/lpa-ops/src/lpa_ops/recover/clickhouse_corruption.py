"""Tables of ClickHouse are damaged: parts broken, missing, or whole tables gone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, final

import msgspec
from clickhouse_connect.driver.client import Client

from lpa_core.counted import counted
from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.jobs import restoration
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.committed_offsets import commit, require_stopped
from lpa_core.sinks.sink import SinkMisconfigured
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE, OffsetSpan
from lpa_ops.backup import checkpoints, database, database_exchange
from lpa_ops.backup.backup import CHECKPOINTS_FOLDER, Backup, BackupError, StoredBackup
from lpa_ops.backup.database_exchange import beside, drop, require_proven, require_room
from lpa_ops.backup.restored_content import differences, restored_content
from lpa_ops.backup.store import BackupStore, store_of
from lpa_ops.bundle.scratch import scratch_folder
from lpa_ops.positions.checkpoints import sink_name
from lpa_ops.positions.committed import of_derivation, put_back
from lpa_ops.positions.missing import positions_of
from lpa_ops.positions.set_aside_tables import is_set_aside, suffix
from lpa_ops.positions.stored_tables import content, cut, positions, rows, stored_tables, table_names
from lpa_ops.recover.backups import backup_at, is_own, newest_good, require_is_own
from lpa_ops.recover.deduplication_tokens import detached, forget
from lpa_ops.recover.estimate import seconds_to_read, seconds_to_restore
from lpa_ops.recover.row_expiry import may_have_expired
from lpa_ops.recover.scenario import Context, Findings, FoundOffset, RecoveryStep, as_positions, broken_off, offsets
from lpa_ops.recover.sources import Sources, sources
from lpa_ops.recover.statements import sql
from lpa_sinks.clickhouse.database import endpoint_of, opened
from lpa_sinks.clickhouse.names import quoted


class Corruption(Findings, frozen=True, kw_only=True):
    tables: list[str]
    """The damaged ones that the backup has."""
    emptied: tuple[str, ...] = ()
    """The damaged ones that it does not have: they begin again."""
    suffix: str
    """Of the names that they get."""
    location: str
    """Of the backup; empty if there is none."""
    beyond_backup: list[str]
    """What is lost because the backup does not have it."""
    cut: list[FoundOffset]
    commits: list[FoundOffset]
    detached: list[tuple[str, str]]
    """Tables and parts that somebody had detached before."""

    @property
    def concerned(self) -> list[str]:
        return [*self.tables, *self.emptied]


_NOTHING: Final = Corruption(
    damage=[], lost=[], seconds=0, tables=[], suffix="", location="", beyond_backup=[], cut=[], commits=[], detached=[]
)
_ISOLATE: Final = "isolate"
_CUT: Final = "cut"


@final
class ClickHouseCorruption:
    """Restores the damaged tables alone, cuts all others to where the backup ends, and has the rest read again."""

    name = "clickhouse-corruption"
    findings = Corruption

    def assess(self, context: Context) -> Corruption:
        place = endpoint_of(context.sink, context.settings).path
        if place is not None and not place.exists():
            raise SinkMisconfigured(
                f"{place}: there is no embedded database: `lpa recover total-loss` brings one back from a backup"
            )
        self._require_whole(context)
        with opened(context.sink, context.settings) as (client, name):
            damage = _damaged(client, name)
            saved = self._newest_good(bool(damage), client, name, context)
            if saved is not None and saved.backup is not None:
                damage |= _compared(client, name, saved.backup, damage)
            if not damage:
                return _NOTHING
            stored = positions(client, [table for table in stored_tables(client, name) if table.name not in damage])
            location = "" if saved is None else saved.location
            backup = backup_at(location, stored, context)
            aside = detached(client, name)
            found = _sources(client, name, backup, stored, damage, context)
        within = {*backup.tables, *backup.unsettled}
        unknown = sorted(set(damage) - within)
        absent = "it is not in the backup, its rows before it are gone"
        if not location:
            absent = f"{context.backups} has no backup of it: of its rows, only those come back that are read again"
        beyond = [f"{table}: {absent}" for table in unknown]
        return _with_sources(
            Corruption(
                damage=[f"{table}: {why}" for table, why in sorted(damage.items())],
                lost=[],
                seconds=seconds_to_restore(0 if saved is None else saved.bytes),
                tables=sorted(set(damage) & within),
                emptied=tuple(unknown),
                suffix=suffix(),
                location=location,
                beyond_backup=beyond,
                cut=[],
                commits=[],
                detached=aside,
            ),
            found,
        )

    def look_again(self, found: Corruption, begun: Collection[str], started_ms: int, context: Context) -> Corruption:
        if _ISOLATE not in begun:
            return self.assess(context)
        if _CUT in begun:
            return found  # what was cut is read again, from where it was cut
        with opened(context.sink, context.settings) as (client, name):
            sound = [table for table in stored_tables(client, name) if table.name not in found.concerned]
            stored = positions(client, sound)
            backup = backup_at(found.location, stored, context)
            where = _sources(client, name, backup, stored, found.concerned, context)
        return _with_sources(found, where)

    def steps(self, found: Corruption, context: Context) -> Sequence[RecoveryStep]:
        first = "the first record that there still is"
        names, to = ", ".join(found.concerned), f"names that end in {found.suffix}"
        wanted = f"{', '.join(found.tables)} from {found.location}" if found.tables else "nothing"
        proven = f"restore {wanted} next to them, and compare"
        restored = [f"put {', '.join(found.tables)} in their place"] if found.tables else []
        anew = [f"make {', '.join(found.emptied)} again, without rows"] if found.emptied else []
        return [
            RecoveryStep("stopped", "make sure that no worker is running", lambda: self._stopped(found, context)),
            RecoveryStep("prove", proven, lambda: self._prove(found, context)),
            RecoveryStep(_ISOLATE, f"rename {names} to {to}", lambda: self._isolate(found, context), once=True),
            RecoveryStep("restore", ", ".join([*restored, *anew]), lambda: self._restore(found, context), once=True),
            RecoveryStep(
                _CUT,
                f"take out of all tables what {'came since the backup and ' if found.location else ''}is read again",
                lambda: self._cut(found, context),
            ),
            RecoveryStep(
                "offsets",
                f"set committed offsets and checkpoints to {'those of the backup' if found.location else first}",
                lambda: self._go_on(found, context),
            ),
        ]

    def then(self, found: Corruption) -> Sequence[str]:
        derive = ["run `lpa materialize rebuild` over the time of what is lost"] if found.lost else []
        return [
            *derive,
            f"start the workers: they read {counted(found.again, 'record')} again",
            "run `lpa ingest` on files once more",
            f"drop the tables that end in {found.suffix} when you do not need them any more",
        ]

    def _newest_good(self, damaged: bool, client: Client, name: str, context: Context) -> StoredBackup | None:
        """None if there are no backups, or none need be of this database: nothing is known to be damaged."""
        listed = BackupStore(context.backups).list()
        own = [each.backup for each in listed if each.backup is not None and is_own(each.backup, context)]
        if not listed or (not own and not damaged):
            return None

        def require(backup: Backup) -> None:
            require_is_own(backup, context)
            _require_all(backup, own, client, name)

        otherwise = "name another place with --backups; if there is none, an empty folder: all is read again"
        return newest_good(context, require, otherwise)

    def _require_whole(self, context: Context) -> None:
        """Raise CheckpointError if a restore was interrupted: it has to be finished first."""
        restoration.require_whole([_target(context)], context.settings, but=broken_off(self.name))

    def _stopped(self, found: Corruption, context: Context) -> str:
        self._require_whole(context)
        if found.commits:
            admin = admin_client(context.settings)
            require_stopped(admin, context.settings)
            require_stopped(admin, of_derivation(context.settings))
        return "the group has no members" if found.commits else "no consumer group is concerned"

    def _isolate(self, found: Corruption, context: Context) -> str:
        with opened(context.sink, context.settings) as (client, name):
            there = table_names(client, name)
            for table in found.concerned:
                if table in there and f"{table}{found.suffix}" not in there:
                    isolated = f"{quoted(name)}.{quoted(table + found.suffix)}"
                    client.command(f"RENAME TABLE {quoted(name)}.{quoted(table)} TO {isolated}")
        return counted(len(found.concerned), "table")

    def _prove(self, found: Corruption, context: Context) -> str:
        """Have the tables that are not in their place yet beside it, as they were backed up."""
        if not found.tables:
            return "nothing is restored"
        store, folder = store_of(found.location)
        located = store.check_files(folder)
        with opened(context.sink, context.settings) as (client, name):
            there, aside = table_names(client, name), beside(name)
            isolated = [table for table in found.tables if table + found.suffix in there and table in there]
            put = restored_content(client, name, located.backup, isolated)
            wanted = [table for table in found.tables if table not in put or differences(located.backup, put, [table])]
            drop(client, aside)
            if not wanted:
                return "they are in their place"
            require_room(client, located, wanted)
            try:
                client.command(f"CREATE DATABASE {quoted(aside)}")
                for table in wanted:
                    database.bring_table_back(
                        client, located.backup.database, aside, table, located.location, located.base
                    )
                require_proven(client, aside, located, wanted)
            except BaseException:
                drop(client, aside)
                raise
            return f"{sum(rows(client, table) for table in stored_tables(client, aside)):,} rows are as they were"

    def _restore(self, found: Corruption, context: Context) -> str:
        with opened(context.sink, context.settings) as (client, name):
            aside = beside(name)
            for table in table_names(client, aside):
                database_exchange.move(client, aside, name, table)
                client.command(f"SYSTEM START MERGES {quoted(name)}.{quoted(table)}")
            for table in found.emptied:
                anew, isolated = (f"{quoted(name)}.{quoted(each)}" for each in (table, table + found.suffix))
                client.command(f"CREATE TABLE IF NOT EXISTS {anew} AS {isolated}")
            restored = [table for table in stored_tables(client, name) if table.name in found.tables]
            drop(client, aside)
            return counted(sum(rows(client, table) for table in restored), "row")

    def _cut(self, found: Corruption, context: Context) -> str:
        with opened(context.sink, context.settings) as (client, name):
            tables = [table for table in stored_tables(client, name) if table.tells_positions]
            rows = sum(cut(client, table, offsets(found.cut)) for table in tables)
            if set(offsets(found.cut)) - set(offsets(found.commits)):
                # Files are read again in the blocks of before; those of a topic have another time, hence token.
                forget(client, name, [table.name for table in tables], found.detached)
        return counted(rows, "row")

    def _go_on(self, found: Corruption, context: Context) -> str:
        settings = context.settings
        backup = backup_at(found.location, [], context)
        with scratch_folder(settings) as scratch:
            if found.location:
                store, folder = store_of(found.location)
                store.fetch(folder, CHECKPOINTS_FOLDER, scratch / "checkpoints")
            fetched = scratch / "checkpoints" / CHECKPOINTS_FOLDER
            files = checkpoints.put_back(fetched, backup.sink, _target(context), settings)
        commits = {Partition(each.topic, each.partition): Commit(each.offset, each.metadata) for each in found.commits}
        if commits:
            admin, deriving = admin_client(settings), of_derivation(settings)
            commit(admin, deriving, put_back(admin, deriving, backup.derived))
            commit(admin, settings, commits)
        return f"{counted(len(commits), 'partition')} and {counted(files, 'file')}"


def _sources(
    client: Client,
    name: str,
    backup: Backup,
    stored: Mapping[Partition, int],
    damaged: Collection[str],
    context: Context,
) -> Sources:
    with positions_of(client, name, context.sink, context.settings) as known:

        def holds_nothing(partition: Partition, span: OffsetSpan) -> bool:
            return KNOWN_GAPS_TABLE.name not in damaged and known.holds_nothing(partition, span)

        return sources(backup, stored, context.sink, context.settings, holds_nothing)


def _with_sources(found: Corruption, where: Sources) -> Corruption:
    return msgspec.structs.replace(
        found,
        lost=[*where.lost, *found.beyond_backup],
        seconds=found.seconds - seconds_to_read(found.again) + seconds_to_read(where.again),
        cut=as_positions(where.cut),
        commits=[FoundOffset(*each, commit.offset, commit.metadata) for each, commit in where.commits.items()],
        again=where.again,
    )


def _target(context: Context) -> str:
    return sink_name(context.sink, context.settings)


def _damaged(client: Client, name: str) -> dict[str, str]:
    """Tables with parts that cannot be read, and why."""
    found: dict[str, str] = {}
    where = {"database": name}
    for table, part in client.query(sql("broken_parts.sql", name), parameters=where).result_rows:
        found[table] = f"the part {part} was found broken"
    for table in stored_tables(client, name):
        statement = f"CHECK TABLE {table.target} SETTINGS check_query_single_value_result = 0"
        checked = client.raw_query(statement, fmt="TabSeparated").decode(errors="replace")
        for line in checked.splitlines():
            part, passed, why = (*line.split("\t"), "", "")[:3]
            if passed == "0":
                found[table.name] = f"the part {part} cannot be read ({why.partition('DB::')[2][:120] or why[:120]})"
    return {table: why for table, why in found.items() if not is_set_aside(table)}


def _require_all(backup: Backup, others: Sequence[Backup], client: Client, name: str) -> None:
    """Raise BackupError if rows were lost before it was made: an older one has more, which cannot have expired."""
    for older in others:
        if older.created_ms >= backup.created_ms:
            continue
        for table, wanted in older.tables.items():
            rows = backup.tables[table].rows if table in backup.tables else 0
            if rows >= wanted.rows or not wanted.oldest or table in backup.unsettled or is_set_aside(table):
                continue
            if not may_have_expired(client, name, table, wanted.oldest):
                raise BackupError(
                    f"{backup.id} has {counted(rows, 'row')} of {table}, and {older.id}, made before it, "
                    f"{wanted.rows:,}: they were lost between the two"
                )


def _compared(client: Client, name: str, backup: Backup, damaged: Mapping[str, str]) -> dict[str, str]:
    """Tables that lack rows which the backup has, and which cannot have expired since."""
    tables = {table.name: table for table in stored_tables(client, name)}
    found = {table: "the table is gone" for table in backup.unsettled if table not in tables}
    for table, wanted in backup.tables.items():
        if table in damaged or is_set_aside(table):
            continue
        if table not in tables:
            found[table] = "the table is gone"
            continue
        there = content(client, tables[table], backup.boundaries)
        if there.rows < wanted.rows and not may_have_expired(client, name, table, wanted.oldest):
            found[table] = f"{wanted.rows - there.rows:,} of {wanted.rows:,} rows that the backup has are gone"
    return found
