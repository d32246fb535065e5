"""Whether every consumed position is in exactly one of the three tables (spec/serving.md section 10, invariant 77)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from lpa_core.delivery.log import Partition
from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_core.health.state import Thresholds
from lpa_ops.health.database import Database, opened
from lpa_ops.health.kafka_offsets import Offsets, Standing
from lpa_ops.health.runbook import section

_NONE: Final = Thresholds(0, 0)
_GAPS: Final = 100
"""Gaps of a partition that are looked at one by one: transactional producers leave one behind each transaction."""
_NO_BOUND: Final = (1 << 64) - 1


class _Trouble(NamedTuple):
    positions: int
    what: str


def judge(scope: Scope) -> Finding:
    offsets = Offsets(scope) if scope.kafka else None
    # What is committed before the tables are read must be in them; what is in work beyond that need not be yet.
    standings = offsets.standings() if offsets else {}
    with opened(scope) as database:
        database.require("streaming_events", "streaming_events_dlq", "streaming_events_quarantine")
        rows = database.ask(
            "positions.sql",
            topic=scope.settings.quality.input_topic if offsets else "",
            partitions=[partition.number for partition in standings],
            committed=[standing.committed for standing in standings.values()],
            rest=_NO_BOUND,
        )
        if not rows:
            raise NotApplicable("no record was stored in the window")
        troubles = [trouble for row in rows for trouble in _troubles(row, database, offsets, standings)]
    lost_or_doubled = sum(trouble.positions for trouble in troubles)
    positions = sum(row["positions"] for row in rows)
    return Finding.of(
        lost_or_doubled,
        _NONE,
        "; ".join(trouble.what for trouble in troubles[:3])
        or f"{positions:,} positions of {len(rows)} partitions are in exactly one table",
        "stop the workers, and compare these positions with the archive before anything expires",
    )


def _troubles(
    row: Mapping[str, Any], database: Database, offsets: Offsets | None, standings: Mapping[Partition, Standing]
) -> Iterator[_Trouble]:
    partition = Partition(row["source_topic"], row["source_partition"])
    doubled = row["rows"] - row["positions"]
    if doubled:
        yield _Trouble(doubled, f"{partition}: {doubled:,} rows too many for their positions")
    standing = standings.get(partition)
    end = row["last"] + 1 if standing is None else max(standing.committed, row["last"] + 1)
    if end - row["first"] == row["positions"]:
        return
    gaps = [
        (gap["first"], gap["last"])
        for gap in database.ask(
            "gaps.sql",
            topic=partition.topic,
            partition=partition.number,
            first=row["first"],
            last=row["last"],
            limit=_GAPS,
        )
    ]
    if row["last"] + 1 < end:
        gaps.append((row["last"] + 1, end - 1))
    for first, last in gaps:
        lost = last - first + 1
        if offsets is not None and standing is not None:
            lost = _lost(offsets, partition, standing, first, last)
        if lost:
            yield _Trouble(lost, f"{partition}: {lost:,} of the offsets {first:,} to {last:,} are in no table")


def _lost(offsets: Offsets, partition: Partition, standing: Standing, first: int, last: int) -> int:
    """How many records Kafka still has there: ends of transactions and compacted records leave gaps, too.

    Where the topic no longer goes back so far, nobody can tell.
    """
    first = max(first, standing.low)
    return offsets.count(partition, first, last) if first <= last else 0


CHECK: Final = HealthCheck(
    "conservation", "Conservation of positions", judge, "positions", costly=True, runbook=section("conservation")
)
