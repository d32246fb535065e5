"""Metrics as Prometheus reads them, and that they are described as they are."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families

from lpa_core.dedup.store import ClaimStatistics
from lpa_core.delivery.blocks import Settled
from lpa_core.delivery.ignored_blocks import IgnoredRecord
from lpa_core.delivery.ranges import Range
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.health.check import CheckResult, Figure, Finding, HealthCheck
from lpa_core.metrics import STAGES, Metrics, described
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.pipeline.verdicts import Accepted, Ignored
from lpa_core.records import Oversized, Position, RecordBatch
from lpa_core.settings.thresholds import State, Thresholds
from lpa_core.sinks.derived import Derived, Refold
from lpa_core.tables.row_layout import DLQ_TABLE, RAW_TABLE
from lpa_core.tables.table import Block, Table
from lpa_core.validation.reasons import Failure, FailureClass, Reason, Stage

TRACE = {
    "id": "e1",
    "type": "stream_trace",
    "timestamp": 1_700_000_000_000,
    "data": {"stream_id": "s", "request_id": "r", "type": "t", "timestamp": 1_700_000_000},
}


def value(metrics: Metrics, name: str, **labels: object) -> float | None:
    return metrics.registry.get_sample_value(name, {label: str(text) for label, text in labels.items()})


def series(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """Label values -> value, as Prometheus reads them."""
    (labels,) = [metric.labels for metric in described() if name.startswith(metric.name)]
    return {
        tuple(sample.labels[label] for label in labels): sample.value
        for family in text_string_to_metric_families(generate_latest(metrics.registry).decode())
        for sample in family.samples
        if sample.name == name
    }


def range_of(end: int) -> Range:
    return Range(topic="events", partition=3, start=0, end=end, count=end, resume="", batch_time=1)


def accepted(count: int) -> list[Accepted]:
    raw = json.dumps(TRACE).encode()
    verdicts = Pipeline(BUILTIN_EVENT_TYPES).judge(
        RecordBatch("events", 3, range(count), [raw] * count), 1_700_000_000_000
    )
    assert all(type(verdict) is Accepted for verdict in verdicts)
    return [verdict for verdict in verdicts if type(verdict) is Accepted]


def rejected(
    failure_class: FailureClass, reason: Reason, payload: bytes | None, oversized: Oversized | None = None
) -> Rejected:
    failure = Failure(Stage.SCHEMA_VALIDATION, failure_class, reason)
    return Rejected(Position("events", 3, 9), failure, payload, oversized=oversized)


def block(table: Table, rows: int) -> Block:
    return Block(table, "events", 3, range(rows), [], "token")


def test_the_first_of_what_an_alert_is_about_shows_as_an_increase() -> None:
    assert series(Metrics(), "lpa_records_dead_lettered_total") == {
        ("RECORD_TOO_LARGE", "record_too_large"): 0,
    }
    kinds = {("seconds",): 0, ("skew",): 0, ("other",): 0}
    assert series(Metrics(), "lpa_event_timestamps_discarded_total") == kinds


def test_a_finished_range_is_counted_by_what_became_of_its_records() -> None:
    metrics = Metrics()
    events = accepted(3)
    settled = Settled(
        events,
        [0, 1, 2],
        [
            rejected(FailureClass.SCHEMA_INVALID, Reason.MISSING_FIELD, b"12345"),
            rejected(FailureClass.SCHEMA_INVALID, Reason.MISSING_FIELD, None),
            rejected(FailureClass.DESERIALIZATION_FAILED, Reason.JSON_PARSE_ERROR, b"1", Oversized(1000, "0" * 64)),
            rejected(FailureClass.DUPLICATE, Reason.DUPLICATE_EVENT, b"1234567"),
        ],
    )
    for _ in range(2):
        metrics.range_finished(settled, [block(RAW_TABLE, 3), block(DLQ_TABLE, 4)], range_of(7))
    assert value(metrics, "lpa_records_accepted_total") == 6
    assert series(metrics, "lpa_records_dead_lettered_total") == {
        ("SCHEMA_INVALID", "missing_field"): 4,
        ("DESERIALIZATION_FAILED", "json_parse_error"): 2,
        ("RECORD_TOO_LARGE", "record_too_large"): 0,
    }
    assert series(metrics, "lpa_records_quarantined_total") == {("duplicate_event",): 2}
    assert value(metrics, "lpa_event_timestamps_discarded_total", kind="seconds") == 6
    assert series(metrics, "lpa_rows_written_total") == {("streaming_events",): 6, ("streaming_events_dlq",): 8}
    assert value(metrics, "lpa_written_bytes_total") == 2 * (3 * len(events[0].raw) + 5 + 1000 + 7)
    assert series(metrics, "lpa_committed_offset") == {("events", "3"): 7}


def test_consumed_records_and_bytes_count_tombstones_and_the_whole_of_an_oversized_record() -> None:
    metrics = Metrics()
    metrics.consumed(RecordBatch("events", 0, [0, 1, 2], [b"abc", None, b"be"], oversized={2: Oversized(500, "")}))
    metrics.consumed(RecordBatch("events", 1, [0], [b"z"]))
    assert series(metrics, "lpa_records_consumed_total") == {("events", "0"): 3, ("events", "1"): 1}
    assert series(metrics, "lpa_consumed_bytes_total") == {("events", "0"): 503, ("events", "1"): 1}


def test_blocks_are_counted_by_table_and_sink() -> None:
    metrics = Metrics()
    for sink in ("chdb:/a", "clickhouse:host:8123/db", "chdb:/a"):
        metrics.block_written(block(RAW_TABLE, 3), sink)
    assert series(metrics, "lpa_blocks_written_total") == {
        ("streaming_events", "chdb:/a"): 2,
        ("streaming_events", "clickhouse:host:8123/db"): 1,
    }


def test_claims_stores_and_rebuilding() -> None:
    metrics = Metrics()
    metrics.claimed(10, 3)
    metrics.claimed(5, 0)
    metrics.dedup_stores([ClaimStatistics(10, 1000), ClaimStatistics(1, 100)])
    metrics.dedup_stores([ClaimStatistics(20, 2000), ClaimStatistics(1, 100)])
    metrics.rebuilt("events", 0, 0.25, 100)
    metrics.rebuilt("events", 0, 1.0, 50)
    assert value(metrics, "lpa_dedup_claims_total") == 15
    assert value(metrics, "lpa_dedup_hits_total") == 3
    assert value(metrics, "lpa_dedup_store_keys") == 21
    assert value(metrics, "lpa_dedup_store_bytes") == 2100
    assert series(metrics, "lpa_dedup_rebuild_progress_ratio") == {("events", "0"): 1.0}
    assert value(metrics, "lpa_dedup_rebuilt_keys_total") == 150


def test_backpressure_is_an_episode_however_often_it_is_told() -> None:
    metrics = Metrics()
    seen = []
    for active in (False, True, True, False, False, True):
        metrics.backpressure(active)
        seen.append(value(metrics, "lpa_backpressure_active"))
    assert seen == [0, 1, 1, 0, 0, 1]
    assert value(metrics, "lpa_backpressure_episodes_total") == 2


def test_a_partition_given_up_takes_its_gauges_along_and_leaves_its_counters() -> None:
    metrics = Metrics()
    metrics.rebalanced([("events", 0), ("events", 3)])
    for partition in (0, 3):
        metrics.lagging("events", partition, 5)
        metrics.rebuilt("events", partition, 0.5, 1)
        metrics.consumed(RecordBatch("events", partition, [0], [b"a"]))
    metrics.range_finished(Settled([], [], []), [], range_of(8))
    metrics.rebalanced([("events", 0), ("other", 3)])
    assert series(metrics, "lpa_lag_records") == {("events", "0"): 5}
    assert series(metrics, "lpa_dedup_rebuild_progress_ratio") == {("events", "0"): 0.5}
    assert series(metrics, "lpa_committed_offset") == {}
    assert set(series(metrics, "lpa_records_consumed_total")) == {("events", "0"), ("events", "3")}
    assert value(metrics, "lpa_rebalances_total") == 2
    assert value(metrics, "lpa_partitions_assigned") == 2


def test_every_stage_is_there_from_the_start_and_is_timed_in_seconds() -> None:
    metrics = Metrics()
    assert set(series(metrics, "lpa_stage_duration_seconds_count")) == {(stage,) for stage in STAGES}
    metrics.spent("write", 0.3)
    metrics.spent("write", 100.0)
    assert value(metrics, "lpa_stage_duration_seconds_sum", stage="write") == 100.3
    assert value(metrics, "lpa_stage_duration_seconds_bucket", stage="write", le="0.25") == 0
    assert value(metrics, "lpa_stage_duration_seconds_bucket", stage="write", le="0.5") == 1
    assert value(metrics, "lpa_stage_duration_seconds_bucket", stage="write", le="+Inf") == 2


def test_two_of_them_share_nothing() -> None:
    one, other = Metrics(), Metrics()
    one.rebalances.inc()
    assert value(other, "lpa_rebalances_total") == 0


def fed() -> Metrics:
    """Metrics of which each has a series."""
    metrics = Metrics()
    metrics.rebalanced([('a\nhostile \\ "topic"', 0)])
    metrics.consumed(RecordBatch("events", 0, [0], [b"a"]))
    metrics.lagging('a\nhostile \\ "topic"', 0, 1)
    metrics.rebuilt("events", 0, 1.0, 1)
    metrics.block_written(block(RAW_TABLE, 1), "chdb:/a")
    reject = rejected(FailureClass.SCHEMA_INVALID, Reason.MISSING_FIELD, b"1")
    duplicate = rejected(FailureClass.DUPLICATE, Reason.DUPLICATE_EVENT, b"1")
    ignored = IgnoredRecord(0, Ignored("ignored_event_family", "webrtc_stats", "", b"1234"))
    metrics.range_finished(Settled([], [], [reject, duplicate], [ignored]), [block(DLQ_TABLE, 1)], range_of(1))
    found = Finding(State.OK, "", 1.0, Thresholds(2, 3), figures=[Figure("requested", 7, "gateway", "live")])
    metrics.derived(Derived(signals=3, sessions=2, anew=1, refolds=Counter({Refold.LATE: 1})), seconds=0.1)
    metrics.health([CheckResult(HealthCheck("disk", "Disk", lambda scope: found), found, 0.1, 1)])
    return metrics


SUFFIXES: Mapping[str, Sequence[str]] = {
    "counter": [""],
    "gauge": [""],
    "histogram": ["_bucket", "_count", "_sum"],
}


def test_what_is_described_is_what_is_exposed_and_nothing_else() -> None:
    exposed = {
        sample.name: (family.type, family.documentation, frozenset(sample.labels) - {"le"})
        for family in text_string_to_metric_families(generate_latest(fed().registry).decode())
        for sample in family.samples
    }
    expected = {
        metric.name + suffix: (metric.type, metric.help, frozenset(metric.labels))
        for metric in described()
        for suffix in SUFFIXES[metric.type]
    }
    assert exposed == expected
    assert len(expected) >= 24


def test_it_is_valid_openmetrics_too_and_hostile_labels_survive() -> None:
    text = openmetrics.generate_latest(fed().registry).decode()  # type: ignore[no-untyped-call]
    families = {f.name: f for f in openmetrics_parser.text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]
    assert len(families) == len([*described()])
    assert families["lpa_lag_records"].samples[0].labels["topic"] == 'a\nhostile \\ "topic"'


@pytest.mark.parametrize(("name", "type_", "labels", "help_"), [*described()])
def test_names_follow_the_conventions_of_prometheus(name: str, type_: str, labels: tuple[str, ...], help_: str) -> None:
    assert re.fullmatch(r"lpa(_[a-z]+)+", name)
    assert name.endswith("_total") == (type_ == "counter")
    assert not re.search(r"_(count|sum|bucket|created|info)$", name), "suffixes that Prometheus adds"
    assert not re.search(r"milli|micro|kilo|percent|_ms\b|_(kb|mb)(_|$)", name), "base units only"
    assert all(re.fullmatch("[a-z]+", label) for label in labels)
    assert re.fullmatch(r"[A-Z1].*[^.]\.", help_), "a sentence"
    if type_ == "histogram":
        assert name.endswith("_seconds")


def test_refolds_are_counted_by_reason() -> None:
    metrics = Metrics()
    for sessions in (1, 2):
        done = Derived(signals=9, sessions=5, anew=sessions, refolds=Counter({Refold.LATE: sessions}))
        metrics.derived(done, seconds=0.1)
    for reason, expected in [(Refold.LATE, 3), (Refold.REPEATED, 0)]:
        sample = metrics.registry.get_sample_value("lpa_materialize_refolds_total", {"reason": reason.value})
        assert sample == expected
