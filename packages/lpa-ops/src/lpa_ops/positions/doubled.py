"""Positions that stand in the tables twice: which of their rows stay.

The batch that came first stays. A duplicate gives way to an event that was accepted at its own position, if no other
position has the event: it was taken for a duplicate of itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from itertools import groupby
from typing import Any, Final, NamedTuple, final

import msgspec
from clickhouse_connect.driver.client import Client

from lpa_core.delivery.consumer_group import Partition
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE, OffsetSpan
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.validation.reasons import FailureClass
from lpa_ops.positions.statements import SQL, sql
from lpa_ops.positions.stored_tables import StoredTable, stored_tables
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.clickhouse.request_form import portions
from lpa_sinks.schema.ddl import WITHDRAWN_TABLE, materialized

PLACES: Final = (RAW_TABLE.name, DLQ_TABLE.name, QUARANTINE_TABLE.name)
"""A record is in one of these tables, once."""
_OTHERS: Final = frozenset({KNOWN_GAPS_TABLE.name, WITHDRAWN_TABLE.name, *(each.name for each in materialized())})
"""Tables that name positions, and hold no rows made of the record."""


class Kept(msgspec.Struct, frozen=True):
    """Consecutive positions, and the batch (epoch ms) whose rows of them stay: those of all others go."""

    topic: str
    partition: int
    first: int
    behind: int
    batch_time: int


class Misplaced(msgspec.Struct, frozen=True):
    """A position that one batch (epoch ms) has in several tables, or in one several times.

    It stays in ``place``, which has it so many ``times``.
    """

    topic: str
    partition: int
    offset: int
    batch_time: int
    place: str
    times: int


@final
class Version(NamedTuple):
    """Rows that a batch (epoch ms) has of a position in one of PLACES."""

    batch_time: int
    place: str
    key: str | None
    rows: int


@final
class Doubles(NamedTuple):
    """``positions``: how many there are of each partition; ``removed``: batches (epoch ms) of which rows go."""

    positions: Mapping[Partition, int]
    kept: list[Kept]
    misplaced: list[Misplaced]
    removed: set[tuple[Partition, int]]


def ingested_tables(client: Client, database: str) -> list[StoredTable]:
    """The tables with rows made of records. Raises the client's errors."""
    return [
        table
        for table in stored_tables(client, database)
        if table.tells_positions and "ingestion_timestamp" in table.columns and table.name not in _OTHERS
    ]


def doubled(client: Client, database: str) -> Doubles:
    """The positions that stand there twice, and what is to stay of them. Raises the client's errors."""
    positions: dict[Partition, int] = {}
    kept: list[Kept] = []
    misplaced: list[Misplaced] = []
    removed: set[tuple[Partition, int]] = set()
    for partition, spans in _read_twice(client, database).items():
        for span in spans:
            found = _versions(client, database, partition, span)
            alone = _accepted_at_no_other(client, database, partition, found)
            segments = [(offset, some, stays(some, alone)) for offset, some in found.items()]
            doubles = {offset for offset, some, _ in segments if sum(each.rows for each in some) > 1}
            if not doubles:
                continue
            positions[partition] = positions.get(partition, 0) + len(doubles)
            kept += _segments(partition, ((offset, stay.batch_time) for offset, _, stay in segments), doubles)
            for offset, some, stay in segments:
                beside = [each for each in some if each.batch_time == stay.batch_time]
                if sum(each.rows for each in beside) > 1:
                    misplaced.append(Misplaced(*partition, offset, stay.batch_time, stay.place, stay.rows))
                if offset in doubles:
                    gone = {each.batch_time for each in some if each != stay} | {each.batch_time for each in beside[1:]}
                    removed |= {(partition, batch_time) for batch_time in gone}
                    removed |= {(partition, stay.batch_time)} if stay.rows > 1 else set()
    return Doubles(positions, kept, misplaced, removed)


def stays(versions: Sequence[Version], accepted_at_no_other: Collection[str | None]) -> Version:
    """Which of a position's versions, in their order, stays.

    ``accepted_at_no_other``: keys of events that no other position has.
    """
    first = versions[0]
    if first.place == QUARANTINE_TABLE.name:
        for each in versions[1:]:
            if each.place == RAW_TABLE.name and each.key in accepted_at_no_other:
                return each
    return first


def _read_twice(client: Client, database: str) -> dict[Partition, list[OffsetSpan]]:
    """Where batches overlap, or one has positions twice."""
    batches: dict[Partition, list[OffsetSpan]] = defaultdict(list)
    for topic, number, first, behind, twice in client.query(sql("batches.sql", database)).result_rows:
        batches[Partition(topic, number)] += [OffsetSpan(first, behind)] * (2 if twice else 1)
    found = {partition: list(_overlaps(spans)) for partition, spans in batches.items()}
    return {partition: spans for partition, spans in sorted(found.items()) if spans}


def _overlaps(spans: Iterable[OffsetSpan]) -> Iterator[OffsetSpan]:
    """What several of the spans cover, joined where it touches."""
    reached, open_ = 0, OffsetSpan(0, 0)
    for span in sorted(spans):
        shared = OffsetSpan(span.first, min(span.behind, reached))
        if shared.size:
            if shared.first <= open_.behind:
                open_ = OffsetSpan(open_.first, max(open_.behind, shared.behind)) if open_.size else shared
            else:
                if open_.size:
                    yield open_
                open_ = shared
        reached = max(reached, span.behind)
    if open_.size:
        yield open_


def _versions(client: Client, database: str, partition: Partition, span: OffsetSpan) -> dict[int, list[Version]]:
    where = {"topic": partition.topic, "partition": partition.number, **span._asdict()}
    query = SQL.fill("versions.sql", versions=_of_places(database))
    with client.query_rows_stream(query, parameters=where) as rows:
        return {
            offset: [Version(batch_time, PLACES[place], key, count) for _, batch_time, place, key, count in some]
            for offset, some in groupby(rows, key=lambda row: row[0])
        }


def _of_places(database: str) -> str:
    columns = "toString(source_topic) AS source_topic, source_partition, source_offset, ingestion_timestamp, dedup_key"
    # Beside a dead letter that replays gave up a row says so: it is no second record.
    given_up = f" WHERE failure_class != '{FailureClass.REPLAY_EXHAUSTED.value}'"
    return " UNION ALL ".join(
        f"SELECT {columns}, toUInt8({number}) AS place FROM {quoted(database)}.{quoted(name)}"
        f"{given_up if name == QUARANTINE_TABLE.name else ''}"
        for number, name in enumerate(PLACES)
    )


def _accepted_at_no_other(
    client: Client, database: str, partition: Partition, found: Mapping[int, Sequence[Version]]
) -> set[str | None]:
    """Of the events that were quarantined first and accepted later: keys that no other position has."""
    asked = [
        (each.key or "", offset)
        for offset, some in found.items()
        if some[0].place == QUARANTINE_TABLE.name
        for each in some[1:]
        if each.place == RAW_TABLE.name
    ]
    alone: set[str | None] = set()
    # The topic is told with each key, and either may be the longer.
    for some in portions(asked, lambda each: max(each[0], partition.topic, key=len)):
        where: dict[str, Any] = {
            "keys": [key for key, _ in some],
            "topics": [partition.topic] * len(some),
            "partitions": [partition.number] * len(some),
            "offsets": [offset for _, offset in some],
        }
        elsewhere = client.query(sql("accepted_elsewhere.sql", database), parameters=where).result_rows
        alone |= {key for key, _ in some} - {key for (key,) in elsewhere}
    return alone


def _segments(partition: Partition, stays: Iterable[tuple[int, int]], doubles: Set[int]) -> Iterator[Kept]:
    """Runs of offsets of which the same batch stays, those in which there is something to remove."""
    for batch_time, run in groupby(stays, key=lambda each: each[1]):
        offsets = [offset for offset, _ in run]
        if not doubles.isdisjoint(offsets):
            yield Kept(*partition, offsets[0], offsets[-1] + 1, batch_time)
