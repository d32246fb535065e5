"""Takes a person's records out of tables and archives, and derives again what was made of them."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, final

import msgspec
from clickhouse_connect.driver.client import Client

from lpa_core.counted import counted
from lpa_core.delivery.consumer_group import Partition
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.committed_offsets import require_stopped
from lpa_core.records import Position
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE, GapReason, OffsetSpan
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE
from lpa_ops.backup.store import BackupStore
from lpa_ops.erase import receipts
from lpa_ops.erase.receipts import ErasedSpan, Receipt, as_erased, as_spans
from lpa_ops.erase.selector import Selector
from lpa_ops.erase.stored_records import FoundRecords, Spans, find, remove, row_filters, rows_at, sessions_of_facts
from lpa_ops.positions.committed import of_derivation
from lpa_ops.recover.scenario import Context, Findings, RecoveryError, RecoveryStep
from lpa_ops.recover.touched_facts import TouchedJob, TouchedSession, as_touched, derive_again
from lpa_sinks.archive import erasing
from lpa_sinks.archive.lines import ArchivedRecord
from lpa_sinks.archive.spool import Spool
from lpa_sinks.clickhouse.database import opened
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.known_sessions import known_sessions, touched_sessions
from lpa_sinks.materialize.row_filter import TimeSpan, between
from lpa_sinks.materialize.stored_jobs import touched_jobs
from lpa_sinks.sink.known_gaps import is_gap

_OF_STREAM: Final = ["data", "stream_id"]
_ALL_TIMES: Final = TimeSpan(-(1 << 62), 1 << 62)


class ErasedFile(msgspec.Struct, frozen=True):
    """A file of an archive with records that go."""

    archive: str
    path: str
    records: int


class ErasureFindings(Findings, frozen=True, kw_only=True):
    spans: list[ErasedSpan]
    rows: dict[str, int]
    files: list[ErasedFile]
    sessions: list[TouchedSession]
    jobs: list[TouchedJob]
    of_topic: bool
    """Whether any record came from the group's topics."""
    path: str


@final
class Erasure:
    """Erases what a selector takes, or once more what earlier erasures took: a restore may have brought it back."""

    name = "erase"
    findings = ErasureFindings

    def __init__(self, selector: Selector | None, archives: Sequence[str]) -> None:
        """
        Args:
            selector: None for the records of all receipts.
            archives: places of archives, as ``lpa ingest --archive`` has them.
        """
        self._selector, self._archives = selector, archives

    def assess(self, context: Context) -> ErasureFindings:
        records = FoundRecords()
        with opened(context.sink, context.settings) as (client, name):
            if self._selector is None:
                for receipt in receipts.read(context.settings.lpa.data.erasures):
                    records.add_spans(as_spans(receipt.spans))
            else:
                find(client, name, self._selector, records)
            files = [*self._files(records)]
            spans = records.spans
            rows = rows_at(client, name, spans)
            sessions, jobs = self._touched_sessions(client, name, spans), _touched_jobs(client, name, spans)
        return ErasureFindings(
            damage=[
                *(f"{table}: {counted(count, 'row')}" for table, count in rows.items()),
                *_archived(files),
                *([f"facts of {counted(len(sessions), 'session')}"] if sessions else []),
                *([f"facts of {counted(len(jobs), 'job')}"] if jobs else []),
            ],
            lost=[*self._stays(rows, spans, context)],
            seconds=1 + sum(rows.values()) // 1_000 + 10 * len(files),
            spans=as_erased(spans),
            rows=rows,
            files=files,
            sessions=sessions,
            jobs=jobs,
            of_topic=any(partition.topic in context.settings.quality.topics for partition in spans),
            path="" if self._selector is None else ".".join(self._selector.path),
        )

    def look_again(
        self, found: ErasureFindings, begun: Collection[str], started_ms: int, context: Context
    ) -> ErasureFindings:
        return found  # part of it may be gone, and nobody else knows what it was

    def steps(self, found: ErasureFindings, context: Context) -> Sequence[RecoveryStep]:
        archives = len({each.archive for each in found.files})
        return [
            RecoveryStep("stopped", "make sure that no worker is running", lambda: _stopped(found, context)),
            RecoveryStep(
                "archives",
                f"write {counted(len(found.files), 'file')} of {counted(archives, 'archive')} again without them",
                lambda: _erase_archived(found),
                once=True,
            ),
            RecoveryStep(
                "gaps", "write their positions down as known gaps", lambda: _write_gaps(found, context), once=True
            ),
            RecoveryStep("rows", "take their rows out of all tables", lambda: _remove(found, context), once=True),
            RecoveryStep(
                "derived",
                f"fold again {counted(len(found.sessions), 'session')} and {counted(len(found.jobs), 'job')}",
                lambda: _derive(found, context),
                once=True,
            ),
            RecoveryStep("receipt", "keep a receipt of the positions", lambda: _receipt(found, context), once=True),
        ]

    def then(self, found: ErasureFindings) -> Sequence[str]:
        return ["start the workers"]

    def _touched_sessions(self, client: Client, name: str, spans: Spans) -> list[TouchedSession]:
        """The sessions by the rows that are there, and by facts of which no row is left."""
        database = FactDatabase(client, name)
        keys = {key for rows in row_filters(spans) for key in touched_sessions(database, rows)}
        if self._selector is not None and self._selector.path == _OF_STREAM:
            keys |= sessions_of_facts(client, name, self._selector)
        if not keys:
            return []
        stored = {key: each.stored for key, each in known_sessions(database, keys).items()}
        return as_touched({**stored, **touched_sessions(database, between(_ALL_TIMES).of_sessions(sorted(keys)))})

    def _files(self, records: FoundRecords) -> Iterator[ErasedFile]:
        """The files of archives with such records, which are added to the records that were found."""
        selector, known = self._selector, {partition: set(some) for partition, some in records.offsets.items()}

        def is_wanted(record: ArchivedRecord) -> bool:
            if record.offset in known.get(Partition(record.topic, record.partition), ()):
                return True
            return selector is not None and record.value is not None and selector.takes(record.value)

        for archive in self._archives:
            counts: dict[str, int] = {}
            for match in erasing.matches(archive, is_wanted):
                record = match.record
                records.add(Partition(record.topic, record.partition), record.offset)
                counts[match.path] = counts.get(match.path, 0) + 1
            yield from (ErasedFile(archive, path, count) for path, count in counts.items())

    def _stays(self, rows: dict[str, int], spans: Spans, context: Context) -> Iterator[str]:
        quality = context.settings.quality
        if not self._archives:
            yield "archives: none was named with --archive"
        topics = dict.fromkeys(partition.topic for partition in spans)
        for topic in topics:
            yield f"{topic}: Kafka keeps it until its retention" if topic in quality.topics else f"{topic}: the file"
        for table, topic in ((DLQ_TABLE, quality.dlq_topic), (QUARANTINE_TABLE, quality.quarantine_topic)):
            if table.name in rows and not topics.keys().isdisjoint(quality.topics):
                yield f"{topic}: up to {counted(rows[table.name], 'record')}, until the topic's retention"
        backups = len(BackupStore(context.backups).list())
        if backups:
            yield (
                f"{counted(backups, 'backup')} in {context.backups}: remove them, or run `lpa erase run --again` after "
                "a restore"
            )


def _touched_jobs(client: Client, name: str, spans: Spans) -> list[TouchedJob]:
    database = FactDatabase(client, name)
    found = {key: extent for rows in row_filters(spans) for key, extent in touched_jobs(database, rows).items()}
    return [TouchedJob(*key, each.rows, each.span.earliest, each.span.latest) for key, each in found.items()]


def _archived(files: Sequence[ErasedFile]) -> Iterator[str]:
    for archive in dict.fromkeys(each.archive for each in files):
        some = [each.records for each in files if each.archive == archive]
        yield f"archive {archive}: {counted(sum(some), 'record')} in {counted(len(some), 'file')}"


def _stopped(found: ErasureFindings, context: Context) -> str:
    if found.of_topic:
        admin = admin_client(context.settings)
        require_stopped(admin, context.settings)
        require_stopped(admin, of_derivation(context.settings))
    spool = Spool(context.settings.lpa.data.archive_spool)
    waiting = sum(1 for _ in spool.segments())
    if waiting:
        raise RecoveryError(
            f"{spool.folder} holds {counted(waiting, 'segment')} that no archive has yet: start the worker and stop it "
            "to publish them, and run this again"
        )
    return "the groups have no members" if found.of_topic else "no consumer group is concerned"


def _erase_archived(found: ErasureFindings) -> str:
    wanted = {
        Position(partition.topic, partition.number, at)
        for partition, some in as_spans(found.spans).items()
        for span in some
        for at in range(*span)
    }
    return counted(sum(erasing.erase(each.archive, each.path, wanted.__contains__) for each in found.files), "record")


def _write_gaps(found: ErasureFindings, context: Context) -> str:
    with opened(context.sink, context.settings) as (client, name):
        gaps = [*_unknown(client, name, as_spans(found.spans))]
        if gaps:
            now, count = time.time_ns() // 1_000_000, len(gaps)
            columns: list[list[Any]] = [
                [partition.topic for partition, _ in gaps],
                [partition.number for partition, _ in gaps],
                [span.first for _, span in gaps],
                [span.behind for _, span in gaps],
                [GapReason.ERASED.value] * count,
                [now] * count,
            ]
            FactDatabase(client, name).insert(KNOWN_GAPS_TABLE.name, KNOWN_GAPS_TABLE.columns, columns)
    return counted(len(gaps), "gap")


def _unknown(client: Client, name: str, spans: Spans) -> Iterator[tuple[Partition, OffsetSpan]]:
    for partition, some in spans.items():
        for span in some:
            if not is_gap(client, name, partition.topic, partition.number, span):
                yield partition, span


def _remove(found: ErasureFindings, context: Context) -> str:
    with opened(context.sink, context.settings) as (client, name):
        return counted(remove(client, name, as_spans(found.spans)), "row")


def _derive(found: ErasureFindings, context: Context) -> str:
    # Also of sessions that retention took events of: their facts are the person's.
    derive_again(found.sessions, found.jobs, context, keep_expired=False)
    return counted(len(found.sessions), "session")


def _receipt(found: ErasureFindings, context: Context) -> str:
    archived: dict[str, int] = {}
    for each in found.files:
        archived[each.archive] = archived.get(each.archive, 0) + each.records
    database = context.settings.clickhouse.database
    receipt = Receipt(receipts.now(), found.path, database, found.rows, archived, found.spans)
    return str(receipts.write(context.settings.lpa.data.erasures, receipt))
