"""Sends spans and metrics to a collector while a job runs, as the variables ``OTEL_*`` say."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Final, final

import structlog
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry

from lpa_core.errors import ConfigurationError
from lpa_core.otlp.metric_points import metrics_data
from lpa_core.otlp.range_spans import RangeSpans

_INTERVAL_MS: Final = 60_000
"""Of metrics, unless OTEL_METRIC_EXPORT_INTERVAL says otherwise (the standard's default)."""
_TIMEOUT_SECONDS: Final = 5.0
"""For one request, unless the environment says otherwise: the end of a job waits for the last one."""

_log = structlog.get_logger("lpa.otlp")


@contextmanager
def exported(
    registry: CollectorRegistry, instance: str, environment: Mapping[str, str] = os.environ
) -> Iterator[RangeSpans]:
    """Export while the block runs: what it gives makes spans, and metrics are read from the registry.

    What is left is sent at the end. A collector that does not answer holds nothing up: spans and metrics are lost.

    Args:
        instance: ``service.instance.id`` of this process.

    Raises ConfigurationError if a variable cannot be used.
    """
    # It would print what it cannot send, each time, with a traceback. What is said of it is said below, once.
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    interval = _milliseconds(environment, "OTEL_METRIC_EXPORT_INTERVAL", _INTERVAL_MS)
    resource = _resource(environment, instance)
    try:
        spans = _SpanExport(OTLPSpanExporter(timeout=_timeout(environment, "TRACES")))
        metrics = OTLPMetricExporter(timeout=_timeout(environment, "METRICS"))
    except ValueError as error:
        raise ConfigurationError(
            f"OTEL_EXPORTER_OTLP_...: {error}: correct the variable, or set LPA_OTLP=off"
        ) from None
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(spans))
    export = _MetricExport(metrics, registry, resource, interval / 1000)
    export.start()
    try:
        yield RangeSpans(provider.get_tracer("lpa", version("lpa-core")))
    finally:
        export.close()
        spans.end()
        provider.shutdown()


@final
class _SpanExport(SpanExporter):
    """Sends spans. At the end of a job it tries until the collector takes none: each attempt may take its time-out."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._failing, self._ending, self._given_up = False, False, False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self._given_up:
            return SpanExportResult.FAILURE
        result = self._exporter.export(spans)
        failed = result is not SpanExportResult.SUCCESS
        if failed and not self._failing:
            _log.warning("the collector takes no spans: look at OTEL_EXPORTER_OTLP_ENDPOINT")
        self._failing, self._given_up = failed, failed and self._ending
        return result

    def end(self) -> None:
        """Give up as soon as the collector takes none."""
        self._ending = True

    def shutdown(self) -> None:
        self._exporter.shutdown()


@final
class _MetricExport:
    """Sends the metrics again and again, in a thread of its own."""

    def __init__(
        self,
        exporter: MetricExporter,
        registry: CollectorRegistry,
        resource: Resource,
        seconds: float,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._exporter, self._registry, self._resource, self._seconds = exporter, registry, resource, seconds
        self._clock, self._since_ns = clock, clock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otlp", daemon=True)
        self._failing = False

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Send what is counted now, and stop."""
        self._stopping.set()
        self._thread.join()
        self._export()
        self._exporter.shutdown()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            self._export()

    def _export(self) -> None:
        data = metrics_data(self._registry, self._resource, self._since_ns, self._clock())
        failed = self._exporter.export(data) is not MetricExportResult.SUCCESS
        if failed and not self._failing:
            _log.warning("the collector takes no metrics: look at OTEL_EXPORTER_OTLP_ENDPOINT")
        self._failing = failed


def _resource(environment: Mapping[str, str], instance: str) -> Resource:
    """Who sends it. OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win."""
    own = {"service.name": "lpa", "service.version": version("lpa-core"), "service.instance.id": instance}
    given = environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    named = {each.partition("=")[0].strip() for each in given.split(",")}
    if environment.get("OTEL_SERVICE_NAME"):
        named.add("service.name")
    return Resource.create({name: value for name, value in own.items() if name not in named})


def _timeout(environment: Mapping[str, str], signal: str) -> float | None:
    """Seconds; None if the environment has them, where the exporter reads them."""
    variables = ("OTEL_EXPORTER_OTLP_TIMEOUT", f"OTEL_EXPORTER_OTLP_{signal}_TIMEOUT")
    return None if any(map(environment.get, variables)) else _TIMEOUT_SECONDS


def _milliseconds(environment: Mapping[str, str], variable: str, default: int) -> int:
    text = environment.get(variable, "").strip() or str(default)
    if not text.isdecimal() or not int(text):
        raise ConfigurationError(f"{variable}={text}: expected a whole number of milliseconds, at least 1")
    return int(text)
