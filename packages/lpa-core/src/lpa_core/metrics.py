"""What a worker counts and measures, for Prometheus: every metric there is, and the few methods that feed them.

A method is called once a range or more seldom, never once an event.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeVar, final

import attrs
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from lpa_core.dedup.store import ClaimStatistics
from lpa_core.delivery.blocks import Settled
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.run_report import Report
from lpa_core.events.times import DiscardedTime
from lpa_core.health.check import CheckResult, Finding
from lpa_core.records import RecordBatch
from lpa_core.settings.thresholds import State
from lpa_core.sinks.derived import Derived, Refold
from lpa_core.tables.table import Block
from lpa_core.validation.reasons import FailureClass, Reason

# A second series beside every counter and histogram, telling when it was made: nothing here reads it.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves it without types

STAGES: Final = ("read", "judge", "claim", "shape", "encode", "prepare", "write", "finish", "archive")
"""What a range spends its time in."""

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_METRIC: Final = "metric"

_M = TypeVar("_M", Counter, Gauge, Histogram)


class Metric(NamedTuple):
    """One metric, for documentation. ``name`` is as Prometheus stores it; a histogram's series add a suffix to it."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str


def _metric(make: type[_M], name: str, help_: str, *labels: str, **options: Any) -> _M:
    """A field holding a metric that is made in the registry of its owner."""
    described = Metric(name, make.__name__.lower(), labels, help_)

    def registered(owner: Metrics) -> _M:
        return make(name, help_, labels, registry=owner.registry, **options)

    field: _M = attrs.field(
        init=False, default=attrs.Factory(registered, takes_self=True), metadata={_METRIC: described}
    )
    return field


@final
@attrs.define(eq=False, repr=False)
class Metrics:
    """All metrics of a process, registered in ``registry`` (by default one of their own).

    The fields that no method feeds are counted where they happen: ``metrics.fenced_commits.inc()``. Any thread may
    call anything, except that :meth:`rebalanced` and :meth:`backpressure` belong to one thread.
    """

    registry: CollectorRegistry = attrs.field(factory=CollectorRegistry)

    records_consumed: Counter = _metric(
        Counter, "lpa_records_consumed_total", "Records read from the source.", "topic", "partition"
    )
    consumed_bytes: Counter = _metric(
        Counter, "lpa_consumed_bytes_total", "Bytes of the records read from the source.", "topic", "partition"
    )
    records_accepted: Counter = _metric(
        Counter, "lpa_records_accepted_total", "Events stored, counted when their range is finished."
    )
    records_dead_lettered: Counter = _metric(
        Counter, "lpa_records_dead_lettered_total", "Records that ended as dead letters.", "class", "reason"
    )
    timestamps_discarded: Counter = _metric(
        Counter,
        "lpa_event_timestamps_discarded_total",
        "Times in the data of stored events that were not believed and left out, by what they look like.",
        "kind",
    )
    face_values_unparsed: Counter = _metric(
        Counter,
        "lpa_payment_face_values_unparsed_total",
        "Payments that were stored with a face value that is neither wei nor ETH, and counts as 0.",
    )
    records_quarantined: Counter = _metric(
        Counter, "lpa_records_quarantined_total", "Records that were quarantined, most of them duplicates.", "reason"
    )
    records_ignored: Counter = _metric(
        Counter, "lpa_records_ignored_total", "Records that a rule passed over on purpose.", "reason"
    )
    written_bytes: Counter = _metric(
        Counter,
        "lpa_written_bytes_total",
        "Bytes of the records whose range is finished, rejects and ignored ones among them.",
    )
    blocks_written: Counter = _metric(
        Counter, "lpa_blocks_written_total", "Blocks that a sink took; a repeated one counts again.", "table", "sink"
    )
    rows_written: Counter = _metric(
        Counter, "lpa_rows_written_total", "Rows of finished ranges, counted once for all sinks.", "table"
    )
    stage_duration: Histogram = _metric(
        Histogram, "lpa_stage_duration_seconds", "Time a range spends in a stage.", "stage", buckets=_SECONDS
    )

    lag: Gauge = _metric(
        Gauge, "lpa_lag_records", "Records between the committed offset and the end.", "topic", "partition"
    )
    committed_offset: Gauge = _metric(
        Gauge, "lpa_committed_offset", "Offset after the last finished range.", "topic", "partition"
    )
    partitions_assigned: Gauge = _metric(Gauge, "lpa_partitions_assigned", "Partitions this worker holds now.")
    rebalances: Counter = _metric(Counter, "lpa_rebalances_total", "Changes of the partitions this worker holds.")
    prepared_ranges_repeated: Counter = _metric(
        Counter, "lpa_prepared_ranges_repeated_total", "Ranges found prepared but not finished, and delivered again."
    )
    fenced_commits: Counter = _metric(
        Counter, "lpa_fenced_commits_total", "Commits that Kafka turned down because another worker took over."
    )
    reject_limit_stops: Counter = _metric(
        Counter, "lpa_reject_limit_stops_total", "Stops because too many of the records were rejected."
    )

    backpressure_episodes: Counter = _metric(
        Counter, "lpa_backpressure_episodes_total", "Times that reading was paused because writing was behind."
    )
    backpressure_active: Gauge = _metric(
        Gauge, "lpa_backpressure_active", "1 while reading is paused because writing is behind, else 0."
    )

    standstill: Gauge = _metric(
        Gauge,
        "lpa_standstill_seconds",
        "How long records wait and none is finished, once that is longer than LPA_PROGRESS_SECONDS allows; else 0.",
    )

    dedup_claims: Counter = _metric(Counter, "lpa_dedup_claims_total", "Dedup keys that were asked for.")
    dedup_hits: Counter = _metric(
        Counter, "lpa_dedup_hits_total", "Dedup keys that another position owned: duplicates."
    )
    dedup_store_keys: Gauge = _metric(
        Gauge, "lpa_dedup_store_keys", "Keys in this worker's dedup stores; may be an estimate."
    )
    dedup_store_bytes: Gauge = _metric(Gauge, "lpa_dedup_store_bytes", "Bytes of this worker's dedup stores.")
    dedup_evicted: Gauge = _metric(
        Gauge, "lpa_dedup_evicted_keys", "Keys that the shared dedup store's server has evicted since it started."
    )
    dedup_rebuild_progress: Gauge = _metric(
        Gauge,
        "lpa_dedup_rebuild_progress_ratio",
        "How much of a partition's dedup store is rebuilt from the sink, 0 to 1.",
        "topic",
        "partition",
    )
    dedup_rebuilt_keys: Counter = _metric(
        Counter, "lpa_dedup_rebuilt_keys_total", "Dedup keys brought back from the sink."
    )

    materialize_lag: Gauge = _metric(
        Gauge,
        "lpa_materialize_lag_seconds",
        "How old the oldest touch of the last pass was when its facts were written; 0 while there is none.",
    )
    materialize_signals: Counter = _metric(Counter, "lpa_materialize_signals_total", "Signals that were folded.")
    materialize_sessions: Counter = _metric(
        Counter, "lpa_materialize_sessions_total", "Sessions whose facts were written.", "folding"
    )
    materialize_jobs: Counter = _metric(
        Counter, "lpa_materialize_jobs_total", "Batch and BYOC jobs whose facts were written."
    )
    materialize_refolds: Counter = _metric(
        Counter,
        "lpa_materialize_refolds_total",
        "Sessions with facts that were folded again from all their events, by why.",
        "reason",
    )
    materialize_url_wallet_mismatches: Counter = _metric(
        Counter,
        "lpa_materialize_url_wallet_mismatch_total",
        "Signals that were attributed by their URL, and name a wallet that nobody at that URL has.",
    )
    materialize_duration: Histogram = _metric(
        Histogram, "lpa_materialize_pass_duration_seconds", "Time a pass over touched sessions takes.", buckets=_SECONDS
    )
    materialize_unreadable: Counter = _metric(
        Counter, "lpa_materialize_unreadable_total", "Records of the touched topic that could not be read."
    )
    health_check_state: Gauge = _metric(
        Gauge,
        "lpa_health_check_state",
        "1 for the state that a health check is in, 0 for the others.",
        "check",
        "state",
    )
    health_check_value: Gauge = _metric(
        Gauge, "lpa_health_check_value", "What a health check measured, in the unit that its runbook names.", "check"
    )
    health_check_threshold: Gauge = _metric(
        Gauge, "lpa_health_check_threshold", "The value beyond which a check is in that state.", "check", "state"
    )
    health_check_figure: Gauge = _metric(
        Gauge,
        "lpa_health_check_figure",
        "A number that a health check rests on, of a gateway and pipeline; its runbook names them.",
        "check",
        "figure",
        "gateway",
        "pipeline",
    )
    health_check_duration: Gauge = _metric(
        Gauge, "lpa_health_check_duration_seconds", "How long a health check took.", "check"
    )
    health_checked: Gauge = _metric(
        Gauge, "lpa_health_checked_timestamp_seconds", "When a health check was asked last, Unix time.", "check"
    )

    _assigned: frozenset[tuple[str, int]] = attrs.field(init=False, default=frozenset())
    _backpressured: bool = attrs.field(init=False, default=False)
    _figures: dict[str, frozenset[tuple[str, str, str]]] = attrs.field(
        init=False, factory=dict[str, frozenset[tuple[str, str, str]]]
    )
    """Check -> the labels of its figures."""

    def __attrs_post_init__(self) -> None:
        for stage in STAGES:
            self.stage_duration.labels(stage)
        # An alert is about the first of them: a series that begins with it shows no increase.
        self.records_dead_lettered.labels(FailureClass.RECORD_TOO_LARGE.value, Reason.RECORD_TOO_LARGE.value)
        for reason in Refold:
            self.materialize_refolds.labels(reason.value)
        for kind in DiscardedTime:
            self.timestamps_discarded.labels(kind.value)

    def consumed(self, batch: RecordBatch) -> None:
        """Count a batch that was read."""
        # Of an oversized record the batch holds only the beginning.
        missing = sum(record.size - len(batch.values[index] or b"") for index, record in batch.oversized.items())
        size = sum(map(len, filter(None, batch.values))) + missing
        self.records_consumed.labels(batch.topic, batch.partition).inc(len(batch))
        self.consumed_bytes.labels(batch.topic, batch.partition).inc(size)

    def claimed(self, keys: int, duplicates: int) -> None:
        """Count the keys that a dedup store was asked for, and those of them that another position owned."""
        self.dedup_claims.inc(keys)
        self.dedup_hits.inc(duplicates)

    def spent(self, stage: str, seconds: float) -> None:
        """Note how long a range spent in one of ``STAGES``."""
        self.stage_duration.labels(stage).observe(seconds)

    def block_written(self, block: Block, sink: str) -> None:
        """Count a block that a sink took. ``sink`` names it as :func:`lpa_core.uris.without_secrets` does."""
        self.blocks_written.labels(block.table.name, sink).inc()

    def range_finished(self, settled: Settled, written: Sequence[Block], range_: Range) -> None:
        """Count what became of a range's records, as the report does, and note how far its partition is."""
        counts = Report(range_.topic)
        counts.add(settled, written)
        self.records_accepted.inc(counts.accepted)
        for (failure_class, reason), records in counts.dead_lettered.items():
            self.records_dead_lettered.labels(failure_class, reason).inc(records)
        for kind, times in counts.discarded.items():
            self.timestamps_discarded.labels(kind).inc(times)
        self.face_values_unparsed.inc(counts.face_values_unparsed)
        for reason, records in Tally(
            reject.failure.reason.value for reject in settled.rejects if reject.failure.quarantined
        ).items():
            self.records_quarantined.labels(reason).inc(records)
        for reason, records in counts.ignored.items():
            self.records_ignored.labels(reason).inc(records)
        for table, rows in counts.rows.items():
            self.rows_written.labels(table).inc(rows)
        self.written_bytes.inc(_bytes(settled))
        self.committed_offset.labels(range_.topic, range_.partition).set(range_.next_offset)

    def rebalanced(self, assigned: Collection[tuple[str, int]]) -> None:
        """Note which partitions (topic, partition) the worker holds from now on.

        To be called once what was in work for the others has ended. The gauges of a partition that the worker no
        longer holds go away: they would stand still for ever.
        """
        now = frozenset(assigned)
        for topic, partition in self._assigned - now:
            for gauge in (self.lag, self.committed_offset, self.dedup_rebuild_progress):
                gauge.remove(topic, partition)
        self._assigned = now
        self.rebalances.inc()
        self.partitions_assigned.set(len(now))

    def lagging(self, topic: str, partition: int, records: int) -> None:
        """Note how many records of a partition are still to be delivered."""
        self.lag.labels(topic, partition).set(records)

    def backpressure(self, active: bool) -> None:
        """Note whether reading is paused because writing is behind; may be told the same again."""
        if active and not self._backpressured:
            self.backpressure_episodes.inc()
        self._backpressured = active
        self.backpressure_active.set(active)

    def dedup_stores(self, statistics: Iterable[ClaimStatistics]) -> None:
        """Note how large the worker's dedup stores are, all together."""
        all_ = tuple(statistics)
        self.dedup_store_keys.set(sum(store.keys for store in all_))
        self.dedup_store_bytes.set(sum(store.bytes_on_disk for store in all_))
        self.dedup_evicted.set(sum(store.evicted for store in all_))

    def derived(self, done: Derived, seconds: float) -> None:
        """Count a pass, and how long it took."""
        self.materialize_signals.inc(done.signals)
        self.materialize_sessions.labels("added").inc(done.sessions - done.anew)
        self.materialize_sessions.labels("anew").inc(done.anew)
        self.materialize_jobs.inc(done.jobs)
        for reason, sessions in done.refolds.items():
            self.materialize_refolds.labels(reason.value).inc(sessions)
        self.materialize_url_wallet_mismatches.inc(done.url_wallet_mismatches)
        self.materialize_duration.observe(seconds)

    def rebuilt(self, topic: str, partition: int, share: float, keys: int) -> None:
        """Note the share of a partition's dedup keys that is brought back, 0 to 1; count those just brought back."""
        self.dedup_rebuild_progress.labels(topic, partition).set(share)
        self.dedup_rebuilt_keys.inc(keys)

    def health(self, results: Iterable[CheckResult]) -> None:
        """Note what health checks found."""
        for result in results:
            name, finding = result.check.name, result.finding
            for state in State:
                self.health_check_state.labels(name, state.value).set(finding.state is state)
            self.health_check_duration.labels(name).set(result.seconds)
            self.health_checked.labels(name).set(result.checked_ms / 1000)
            self.health_check_value.labels(name).set(float("nan") if finding.value is None else finding.value)
            if finding.thresholds is not None:
                self.health_check_threshold.labels(name, State.WARNING.value).set(finding.thresholds.warning)
                self.health_check_threshold.labels(name, State.CRITICAL.value).set(finding.thresholds.critical)
            self._note_figures(name, finding)

    def _note_figures(self, check: str, finding: Finding) -> None:
        labels = frozenset((each.name, each.gateway, each.pipeline) for each in finding.figures)
        for gone in self._figures.get(check, frozenset()) - labels:
            self.health_check_figure.remove(check, *gone)
        for each in finding.figures:
            self.health_check_figure.labels(check, each.name, each.gateway, each.pipeline).set(each.value)
        self._figures[check] = labels


def described() -> Iterator[Metric]:
    """Every metric there is."""
    for field in attrs.fields(Metrics):
        if _METRIC in field.metadata:
            yield field.metadata[_METRIC]


def _bytes(settled: Settled) -> int:
    accepted = sum(len(event.raw) for event in settled.events)
    rejected = sum(
        reject.oversized.size if reject.oversized else len(reject.payload or b"") for reject in settled.rejects
    )
    return accepted + rejected + sum(len(record.verdict.raw) for record in settled.ignored)
