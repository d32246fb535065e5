"""From the metrics that a job keeps for Prometheus to the data points of OTLP, so that both say the same."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample

_SCOPE: Final = InstrumentationScope("lpa")
_CUMULATIVE: Final = AggregationTemporality.CUMULATIVE
_Labels = tuple[tuple[str, str], ...]


def metrics_data(registry: CollectorRegistry, resource: Resource, since_ns: int, now_ns: int) -> MetricsData:
    """All metrics of a registry. Counts are from ``since_ns`` on; both are epoch ns."""
    metrics = [metric for family in registry.collect() if (metric := _metric(family, since_ns, now_ns)) is not None]
    scope = ScopeMetrics(_SCOPE, metrics, "")
    return MetricsData([ResourceMetrics(resource, [scope], "")])


def _metric(family: Family, since_ns: int, now_ns: int) -> Metric | None:
    """None if it has no value yet."""
    data: Sum | Gauge | Histogram
    if family.type == "histogram":
        points = [*_histograms(family.samples, since_ns, now_ns)]
        data = Histogram(points, _CUMULATIVE)
    else:
        points_ = [
            NumberDataPoint(dict(sample.labels), since_ns, now_ns, sample.value)
            for sample in family.samples
            if not math.isnan(sample.value)
        ]
        data = Sum(points_, _CUMULATIVE, is_monotonic=True) if family.type == "counter" else Gauge(points_)
    # A counter has the suffix that its samples have: whatever OTLP leads to then has the names of the dashboards.
    name = f"{family.name}_total" if family.type == "counter" else family.name
    return Metric(name, family.documentation, family.unit, data) if data.data_points else None


def _histograms(samples: Iterable[Sample], since_ns: int, now_ns: int) -> Iterator[HistogramDataPoint]:
    buckets: defaultdict[_Labels, list[tuple[float, float]]] = defaultdict(list)
    sums: dict[_Labels, float] = {}
    for sample in samples:
        labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
        if sample.name.endswith("_bucket"):
            buckets[labels].append((float(sample.labels["le"]), sample.value))
        elif sample.name.endswith("_sum"):
            sums[labels] = sample.value
    unknown: Any = None  # the smallest and the largest value: Prometheus keeps neither
    for labels, cumulative in buckets.items():
        bounds = [bound for bound, _ in cumulative]
        counts = _differences([int(count) for _, count in cumulative])
        yield HistogramDataPoint(
            attributes=dict(labels),
            start_time_unix_nano=since_ns,
            time_unix_nano=now_ns,
            count=sum(counts),
            sum=sums[labels],
            bucket_counts=counts,
            explicit_bounds=[bound for bound in bounds if math.isfinite(bound)],
            min=unknown,
            max=unknown,
        )


def _differences(cumulative: Sequence[int]) -> list[int]:
    return [each - before for before, each in zip([0, *cumulative], cumulative, strict=False)]
