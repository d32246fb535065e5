"""Whether each consumed position is in exactly one of the tables (docs/spec/serving.md section 10, invariant 77)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from lpa_core.counted import counted
from lpa_core.delivery.consumer_group import Partition
from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_core.jobs.restoration import require_whole
from lpa_core.settings.thresholds import State, Thresholds
from lpa_core.tables.known_gaps import OffsetSpan
from lpa_ops.health.consumed import Consumed, backed_up, of_files, of_topic
from lpa_ops.health.database import HealthDatabase, MissingDatabaseError, opened
from lpa_ops.health.kafka_offsets import KafkaOffsets
from lpa_ops.health.offsets_fit import where_offsets_fit
from lpa_ops.health.remedy import command
from lpa_ops.health.runbook import section
from lpa_ops.positions.checkpoints import sink_name
from lpa_ops.positions.input_topics import InputTopics
from lpa_ops.positions.missing import Positions
from lpa_sinks.clickhouse.retries import AT_ONCE
from lpa_sinks.sink.empty_database import is_empty

_ACTION: Final = "stop the workers, and compare these positions with the archive before anything expires"
_LOOK: Final = "stop the workers, and look at the plan of"
_NONE: Final = Thresholds(0, 0)
_NO_BOUND: Final = (1 << 64) - 1
_TABLES: Final = ("streaming_events", "streaming_events_dlq", "streaming_events_quarantine")


class _Trouble(NamedTuple):
    positions: int
    what: str
    missing: bool = True


def judge(scope: Scope) -> Finding:
    offsets = KafkaOffsets(scope) if scope.kafka else None
    # What is committed before the tables are read must be in them; what is in work beyond that need not be yet.
    topic = of_topic(offsets.standings(), offsets.ends_at(scope.since_ms)) if offsets else {}
    try:
        with opened(scope) as database:
            require_whole([sink_name(scope.sink, scope.settings)], scope.settings)
            database.require(*_TABLES)
            if AT_ONCE.run(f"{database.name}: look for any row", lambda: is_empty(database.client, database.name)):
                raise MissingDatabaseError(database.name, f"{database.name} has no rows", "`lpa ingest` brings some")
            return _judged(scope, database, topic)
    except MissingDatabaseError as missing:
        return _lost(scope, missing, {**of_files(scope, 0), **topic})


def _judged(scope: Scope, database: HealthDatabase, topic: Mapping[Partition, Consumed]) -> Finding:
    # Before the tables are read, for the same reason.
    files = of_files(scope, scope.since_ms)
    rows = {
        Partition(row["source_topic"], row["source_partition"]): row
        for row in database.ask(
            "positions.sql",
            consumed=[str(partition) for partition in topic],
            committed=[consumed.behind for consumed in topic.values()],
            rest=_NO_BOUND,
        )
    }
    # What was read of a file before the window may have expired: there, what is stored in it tells where it begins.
    expected = {
        **{each: Consumed(rows[each]["first"], read.behind) if each in rows else read for each, read in files.items()},
        **topic,
    }
    partitions = sorted({*rows, *(partition for partition, consumed in expected.items() if consumed.positions)})
    if not partitions:
        raise NotApplicable("no record was stored in the window")
    with _known(scope, database, topic) as known:
        troubles = [
            trouble
            for each in partitions
            for trouble in _troubles(each, rows.get(each), known, expected.get(each), scope, of_topic=each in topic)
        ]
    positions = sum(row["positions"] for row in rows.values())
    return Finding.of(
        sum(trouble.positions for trouble in troubles),
        _NONE,
        "; ".join(trouble.what for trouble in troubles[:3])
        or f"{positions:,} positions of {counted(len(rows), 'partition')} are in exactly one table",
        _ACTION if any(each.missing for each in troubles) else f"{_LOOK} {command(scope, 'recover doubled-rows')}",
    )


def _troubles(
    partition: Partition,
    row: Mapping[str, Any] | None,
    known: Positions,
    expected: Consumed | None,
    scope: Scope,
    *,
    of_topic: bool,
) -> Iterator[_Trouble]:
    """What is wrong with a partition that has rows in the window, was consumed in it, or both."""
    stored = Consumed(row["first"], row["last"] + 1) if row else None
    bounds = [each for each in (stored, expected) if each is not None and each.positions]
    first, behind = min(each.first for each in bounds), max(each.behind for each in bounds)
    doubled = row["rows"] - row["positions"] if row else 0
    if doubled:
        yield _Trouble(doubled, f"{partition}: {counted(doubled, 'row')} too many for their positions", missing=False)
    if behind - first == (row["positions"] if row else 0):
        return
    begin = stored.first if of_topic and stored is not None else behind if of_topic else first
    # One record with a wrong timestamp lets a window of a topic begin long before.
    window = range(scope.since_ms, scope.now_ms)
    for span, times in ((OffsetSpan(first, begin), window), (OffsetSpan(begin, behind), None)):
        for each in known.missing(partition, span, times):
            what = f"{each.records:,} of the offsets {each.span.first:,} to {each.span.behind - 1:,} are in no table"
            yield _Trouble(each.records, f"{partition}: {what}")


@contextmanager
def _known(scope: Scope, database: HealthDatabase, topic: Collection[Partition]) -> Iterator[Positions]:
    """Of what is stored of a partition, within the window or not."""
    asked = InputTopics(scope.settings, scope.settings.health.costly_timeout_seconds / 2) if topic else None
    try:
        yield Positions(database.rows, database.name, asked)
    finally:
        if asked is not None:
            asked.close()


def _lost(scope: Scope, missing: MissingDatabaseError, consumed: Mapping[Partition, Consumed]) -> Finding:
    """Nothing is stored. Raises NotApplicable if nothing says that anything ever was."""
    positions = sum(each.positions for each in consumed.values())
    partitions = sum(1 for each in consumed.values() if each.positions)
    backup = backed_up(scope, missing.database)
    if not positions and not backup:
        raise missing
    held = f"{positions:,} positions of {partitions} partitions were consumed" if positions else f"{backup} has rows"
    return Finding(
        State.CRITICAL,
        f"{missing.what}, though {held}",
        positions,
        _NONE,
        f"{_LOOK} {command(scope, 'recover total-loss')}",
    )


CHECK: Final = HealthCheck(
    "conservation",
    "Conservation of positions",
    where_offsets_fit(judge),
    "positions",
    costly=True,
    runbook=section("conservation"),
)
