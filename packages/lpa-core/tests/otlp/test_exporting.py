"""Spans and metrics of a worker, as a collector gets them over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, final

import attrs
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client import generate_latest

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.blocks import Settled
from lpa_core.delivery.claims import DedupStores
from lpa_core.delivery.consumer_group import OutgoingRecord, Partition
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.group_worker import GroupWorker
from lpa_core.delivery.limits import GroupLimits
from lpa_core.delivery.observer import Observer, Observers
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.errors import ConfigurationError
from lpa_core.jobs.metrics_observer import MetricsObserver
from lpa_core.metrics import Metrics
from lpa_core.otlp.exporting import exported
from lpa_core.sinks.sink import Sink
from lpa_core.tables.row_layout import DLQ_TABLE
from lpa_core.tables.table import Block
from lpa_core.testing.simulation.broker import Broker
from lpa_core.testing.simulation.consumer_group import SimulatedGroup
from lpa_core.testing.simulation.records import PIPELINE, event
from lpa_core.testing.simulation.scheduler import Host, Scheduler, SimulatedBackground
from lpa_core.testing.simulation.sink import SimulatedDatabase, SimulatedSink

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HERE: Final = Partition("events", 0)


@final
@attrs.define
class Collector:
    """What was sent to it, by path, and the headers of the last request."""

    url: str = ""
    status: int = 200
    held: threading.Event | None = None
    bodies: dict[str, list[bytes]] = attrs.field(factory=dict)
    headers: dict[str, str] = attrs.field(factory=dict)

    def spans(self) -> list[Any]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies.get("/v1/traces", [])]
        scopes = [scope for each in requests for resource in each.resource_spans for scope in resource.scope_spans]
        return [span for scope in scopes for span in scope.spans]

    def metrics(self) -> dict[str, Any]:
        """The last of each name."""
        requests = [ExportMetricsServiceRequest.FromString(body) for body in self.bodies.get("/v1/metrics", [])]
        scopes = [scope for each in requests for resource in each.resource_metrics for scope in resource.scope_metrics]
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    def resource(self) -> dict[str, str]:
        request = ExportTraceServiceRequest.FromString(self.bodies["/v1/traces"][0])
        return values(request.resource_spans[0].resource.attributes)


def values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.bodies.setdefault(self.path, []).append(body)
            found.headers = dict(self.headers)
            if found.held is not None:
                found.held.wait(10)
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def deliver() -> Iterator[Callable[[Callable[[dict[Sink, str]], Observer]], None]]:
    """Has a worker deliver 23 records, three of them bad, in ranges of ten."""
    scheduler = Scheduler(1)

    def delivered(observe: Callable[[dict[Sink, str]], Observer]) -> None:
        broker = Broker(scheduler, HERE.topic, 1, faults=False)
        broker.log[HERE] += [*(event(f"{number}") for number in range(20)), b"a", b"b", b"c"]
        database, host = SimulatedDatabase(scheduler, lambda raw: {}, faults=False), Host("worker")
        sink = SimulatedSink(database, host)
        worker = GroupWorker(
            lambda: SimulatedGroup(broker, host, "worker", "worker"),
            [HERE.topic],
            PIPELINE,
            DedupStores(lambda partition: MemoryDedupStore(86_400_000), ttl_ms=86_400_000, shared=False),
            GroupDestination([sink], lambda reject: OutgoingRecord("dlq", b"", b"")),
            limits=GroupLimits(max_records=10, max_seconds=0.3),
            context=WorkerContext(
                background=SimulatedBackground(scheduler, host),
                clock=lambda: 1_768_000_000_000 + int(scheduler.now * 1000),
                observer=observe({sink: "here"}),
            ),
        )
        strand = scheduler.spawn(host, worker.run)
        while not strand.ended:
            scheduler.step()
            commit = broker.offsets.get(HERE)
            if commit is not None and commit.offset == 23:
                worker.stop()
        assert strand.error is None

    yield delivered
    scheduler.end()


def test_a_collector_gets_a_span_for_each_range_and_the_metrics(collector: Collector, deliver: Any) -> None:
    metrics = Metrics()
    with exported(metrics.registry, "this-worker") as spans:
        deliver(lambda sinks: Observers(MetricsObserver("events", metrics, sinks), spans))
    found = collector.spans()
    told = [values(span.attributes) for span in found]
    assert sum(each["messaging.batch.message_count"] for each in told) == 23
    assert sum(each["lpa.accepted"] for each in told) == 20
    assert sum(each["lpa.rejected"] for each in told) == 3
    ends = [(each["lpa.offset.start"], each["lpa.offset.end"]) for each in told]
    assert [begin for begin, _ in ends] == [0, *(end for _, end in ends[:-1])], "each offset is in one span"
    assert {each["messaging.destination.name"] for each in told} == {"events"}
    for span in found:
        steps = [each.name for each in span.events]
        assert (steps[0], steps[-1]) == ("judged", "written")
        times = [span.start_time_unix_nano, *(each.time_unix_nano for each in span.events), span.end_time_unix_nano]
        assert times == sorted(times)
    resource = collector.resource()
    assert (resource["service.name"], resource["service.instance.id"]) == ("lpa", "this-worker")

    sent = collector.metrics()
    consumed = sent["lpa_records_consumed_total"].sum
    assert (consumed.is_monotonic, [point.as_double for point in consumed.data_points]) == (True, [23.0])
    assert values(consumed.data_points[0].attributes) == {"topic": "events", "partition": "0"}
    histograms = {name: metric for name, metric in sent.items() if metric.WhichOneof("data") == "histogram"}
    (judged,) = [
        point
        for point in histograms["lpa_stage_duration_seconds"].histogram.data_points
        if values(point.attributes) == {"stage": "judge"}
    ]
    assert judged.count == sum(judged.bucket_counts) == len(found)
    assert len(judged.bucket_counts) == len(judged.explicit_bounds) + 1
    exposed = {line.split("{")[0].split()[0] for line in generate_latest(metrics.registry).decode().splitlines()}
    assert {name for name in sent if name not in histograms} <= exposed, "the names of /metrics"


def test_links_lead_to_the_traces_of_rejected_records(collector: Collector) -> None:
    columns = [
        [f"00-{TRACE}-{SPAN}-01", "", f"00-{TRACE}-{SPAN}-01"] if column.name == "traceparent" else [None] * 3
        for column in DLQ_TABLE.columns
    ]
    block = Block(DLQ_TABLE, "events", 0, [1, 2, 3], columns, "token")
    range_ = Range("events", 0, 0, 3, 3, "", 0)
    with exported(Metrics().registry, "this-worker") as spans:
        spans.repeated(range_)
        spans.finished(Settled((), (), ()), [block], range_)
    (span,) = collector.spans()
    (link,) = span.links
    assert (link.trace_id.hex(), link.span_id.hex()) == (TRACE, SPAN)
    assert values(span.attributes)["lpa.repeated"] is True


def test_failure_36_the_variables_of_the_standard_win_and_wrong_ones_are_refused(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "ingest-eu")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=a,deployment.environment.name=prod")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=1")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "20")
    metrics = Metrics()
    metrics.fenced_commits.inc()
    with exported(metrics.registry, "this-worker") as spans:
        spans.finished(Settled((), (), ()), [], Range("events", 0, 0, 3, 3, "", 0))
        deadline = time.monotonic() + 30
        while len(collector.bodies.get("/v1/metrics", [])) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    resource = collector.resource()
    assert (resource["service.name"], resource["service.instance.id"]) == ("ingest-eu", "a")
    assert resource["deployment.environment.name"] == "prod"
    assert {name.lower(): value for name, value in collector.headers.items()}["x-key"] == "1"
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "soon")
    with pytest.raises(ConfigurationError, match="OTEL_METRIC_EXPORT_INTERVAL=soon"), exported(metrics.registry, ""):
        pass


@pytest.mark.parametrize("status", [400, 0])
def test_failure_36_a_collector_that_refuses_or_is_away_stops_nothing(
    collector: Collector,
    deliver: Any,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    status: int,
) -> None:
    collector.status = status
    if not status:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")
    metrics = Metrics()
    began = time.monotonic()
    with exported(metrics.registry, "this-worker") as spans:
        deliver(lambda sinks: Observers(MetricsObserver("events", metrics, sinks), spans))
    assert time.monotonic() - began < 20
    assert b"lpa_records_accepted_total 20.0" in generate_latest(metrics.registry)
    out, err = capfd.readouterr()
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in out + err
    assert "Traceback" not in out + err


def test_failure_36_the_end_of_a_job_waits_for_one_attempt_only(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0.3")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "0.1")
    collector.held = threading.Event()
    with exported(Metrics().registry, "this-worker") as spans:
        for start in range(2_000):
            spans.finished(Settled((), (), ()), [], Range("events", 0, start, start + 1, 1, "", 0))
    collector.held.set()
    assert len(collector.bodies["/v1/traces"]) < 3, "four requests would hold them all"
    out, err = capfd.readouterr()
    assert (out + err).count("the collector takes no spans") == 1


def test_a_range_of_a_partition_that_is_gone_is_forgotten(collector: Collector) -> None:
    range_ = Range("events", 0, 0, 3, 3, "", 0)
    with exported(Metrics().registry, "this-worker") as spans:
        spans.repeated(range_)
        spans.rebalanced([Partition("events", 1)])
        spans.finished(Settled((), (), ()), [], range_)
    (span,) = collector.spans()
    assert values(span.attributes)["lpa.repeated"] is False
