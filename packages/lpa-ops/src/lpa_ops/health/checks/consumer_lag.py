"""How many records a partition is behind, and whether it catches up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from lpa_core.counted import counted
from lpa_core.delivery.consumer_group import Partition
from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_core.settings.thresholds import State
from lpa_core.tables.known_gaps import OffsetSpan
from lpa_ops.health.database import opened
from lpa_ops.health.kafka_offsets import KafkaOffsets, Standing
from lpa_ops.health.offsets_fit import where_offsets_fit
from lpa_ops.health.runbook import section
from lpa_ops.positions.input_topics import InputTopics

_TREND_MINUTES: Final = 10
_AHEAD_MINUTES: Final = 60
"""A lag that grows past the critical threshold within this time is worth a warning now."""
_OPEN_MINUTES: Final = 15
"""Brokers end transactions after `transaction.max.timeout.ms` at most: 15 minutes by default."""
_ABORT: Final = "find its producer with `kafka-transactions.sh find-hanging`, and end it with its `abort`"
_ACTION: Final = "see /readyz of the workers: whether they are held back; then add workers, up to one a partition"


def judge(scope: Scope) -> Finding:
    offsets = KafkaOffsets(scope)
    standings = offsets.standings()
    topic = InputTopics(scope.settings, scope.settings.health.timeout_seconds / 2)
    try:
        lags = _counted(standings, topic, scope)
        open_ = _open_for_long(standings, topic, scope)
    finally:
        topic.close()
    finding = _of_lags(lags, offsets, scope)
    if open_ and finding.state is State.OK:
        return attrs.evolve(finding, state=State.WARNING, detail=f"{open_}; {finding.detail}", action=_ABORT)
    return finding


def _counted(standings: Mapping[Partition, Standing], topic: InputTopics, scope: Scope) -> dict[Partition, int]:
    """How many records each partition is behind: where it seems many, those that can be read are counted."""
    lags = {partition: standing.lag for partition, standing in standings.items()}
    many = scope.settings.health.consumer_lag_records.warning
    for partition in sorted(lags, key=lambda each: -lags[each]):
        if lags[partition] >= many:
            standing = standings[partition]
            lags[partition] = topic.count(partition, OffsetSpan(standing.committed, standing.high))
    return lags


def _open_for_long(standings: Mapping[Partition, Standing], topic: InputTopics, scope: Scope) -> str:
    """Of the partition where most records wait for a transaction that should have ended; empty if none does."""
    waiting = {partition: each.end - each.high for partition, each in standings.items() if each.end > each.high}
    if not waiting:
        return ""
    partition = max(waiting, key=lambda each: waiting[each])
    began = topic.open_since(partition, standings[partition].high)
    minutes = 0 if began is None else (scope.now_ms - began) // 60_000
    if minutes < _OPEN_MINUTES:
        return ""
    return (
        f"{partition}: a transaction that began {minutes:,} minutes ago, at offset {standings[partition].high:,}, is "
        f"still open: {waiting[partition]:,} offsets from there on cannot be read"
    )


def _of_lags(lags: Mapping[Partition, int], offsets: KafkaOffsets, scope: Scope) -> Finding:
    worst = max(lags, key=lambda partition: lags[partition])
    thresholds = scope.settings.health.consumer_lag_records
    before = _lags_before(scope, offsets)
    grown = (lags[worst] - before[worst]) / _TREND_MINUTES if worst in before else None
    trend = "" if grown is None else f", {_trend(lags[worst], grown)}"
    finding = Finding.of(
        lags[worst],
        thresholds,
        f"{worst} is {counted(lags[worst], 'record')} behind{trend}; all partitions together {sum(lags.values()):,}",
        _ACTION,
    )
    ahead = lags[worst] + _AHEAD_MINUTES * (grown or 0)
    if finding.state is State.OK and ahead > thresholds.critical:
        return attrs.evolve(finding, state=State.WARNING, action=_ACTION)
    return finding


def _lags_before(scope: Scope, offsets: KafkaOffsets) -> Mapping[Partition, int]:
    """The lags some minutes ago: records that had been sent by then, less those whose rows were stored by then."""
    then = scope.now_ms - _TREND_MINUTES * 60_000
    try:
        with opened(scope) as database:
            rows = database.ask("stored_up_to.sql", topics=list(scope.settings.quality.topics), until=then)
    except NotApplicable:
        return {}
    stored = {Partition(row["source_topic"], row["source_partition"]): row["stored"] for row in rows}
    return {p: max(0, end - stored[p]) for p, end in offsets.ends_at(then).items() if p in stored}


def _trend(lag: int, grown: float) -> str:
    if grown > 0:
        return f"growing by {grown:,.0f} a minute"
    if grown < 0 and lag:
        return f"shrinking, gone in {lag / -grown:,.0f} minutes"
    return "steady"


CHECK: Final = HealthCheck(
    "consumer_lag", "Consumer lag", where_offsets_fit(judge), "records", runbook=section("consumer_lag")
)
