"""A running job sends spans of its ranges and its metrics to a collector, and the collector's end is not the job's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from services.job import Job, event

NewJob = Callable[..., Job]
Requests = list[tuple[str, bytes]]


@pytest.fixture
def collector() -> Iterator[tuple[str, Requests]]:
    """Its URL, and path and body of each request."""
    requests: Requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", requests
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_job_sends_spans_and_metrics(new_job: NewJob, collector: tuple[str, Requests]) -> None:
    url, requests = collector
    job = new_job()
    job.start(LPA_OTLP="on", OTEL_EXPORTER_OTLP_ENDPOINT=url)
    job.produce([event("one"), event("two"), b"not json"])
    job.until_committed(3)
    assert job.stop() == 0
    traces = [ExportTraceServiceRequest.FromString(body) for path, body in requests if path == "/v1/traces"]
    spans = [
        span for each in traces for found in each.resource_spans for scope in found.scope_spans for span in scope.spans
    ]
    counts = [{each.key: each.value.int_value for each in span.attributes} for span in spans]
    assert sum(each["lpa.accepted"] for each in counts) == 2
    assert sum(each["lpa.rejected"] for each in counts) == 1
    assert {span.name for span in spans} == {f"deliver {job.topic}"}
    last = ExportMetricsServiceRequest.FromString([body for path, body in requests if path == "/v1/metrics"][-1])
    metrics: dict[str, Any] = {
        metric.name: metric for scope in last.resource_metrics[0].scope_metrics for metric in scope.metrics
    }
    assert metrics["lpa_records_accepted_total"].sum.data_points[0].as_double == 2.0


def test_failure_36_a_job_goes_on_and_ends_without_its_collector(new_job: NewJob) -> None:
    job = new_job()
    job.start(LPA_OTLP="on", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_METRIC_EXPORT_INTERVAL="200")
    job.produce([event("one"), b"not json"])
    job.until_committed(2)
    job.until(lambda: "the collector takes no metrics" in job.log.read_text(), "a warning")
    assert job.stop() == 0
    assert "Traceback" not in job.log.read_text()
