"""The admin endpoint over real HTTP: every path, who may change what, and what hostile input does."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPMessage
from typing import Any, NamedTuple

import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from lpa_core.admin.http import MAX_BODY_BYTES
from lpa_core.admin.job import AdministeredJob, JobState, PartitionStatus, SavepointStatus
from lpa_core.admin.server import AdminError, AdminServer
from lpa_core.metrics import Metrics
from lpa_core.testing.administered_job import JobDouble

NOW = 1_700_000_060_000
TOKEN = "0123456789abcdef"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


class Answer(NamedTuple):
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["Content-Type"] == "application/json"
        return json.loads(self.body)

    @property
    def error(self) -> str:
        (message,) = self.json["errors"]
        return str(message)


class Client:
    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def get(self, path: str) -> Answer:
        return self("GET", path)

    def stop(self, body: bytes | None = b'{"drain":false}', job: str = "job-1") -> Answer:
        return self("POST", f"/jobs/{job}/stop", body, AUTHORIZED)


@pytest.fixture
def job() -> JobDouble:
    return JobDouble()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


Serve = Callable[..., Client]


@pytest.fixture
def found() -> dict[str, Any]:
    """What the health checks found last."""
    return {"state": "not applicable", "checks": []}


@pytest.fixture
def serve(job: AdministeredJob, metrics: Metrics, found: dict[str, Any]) -> Iterator[Serve]:
    servers = []

    def start(token: str = TOKEN) -> Client:
        server = AdminServer("127.0.0.1:0", token, job, metrics.registry, clock=lambda: NOW, health=lambda: found)
        server.start()
        servers.append(server)
        return Client(server.port)

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def client(serve: Serve) -> Client:
    return serve()


def test_healthz_tells_whether_the_job_can_go_on(client: Client, job: JobDouble) -> None:
    answer = client.get("/healthz")
    assert (answer.status, answer.json) == (200, {"healthy": True})
    job.well = False
    answer = client.get("/healthz")
    assert (answer.status, answer.json) == (503, {"healthy": False})


@pytest.mark.parametrize(
    ("state", "status"), [("ok", 200), ("warning", 200), ("critical", 503), ("not applicable", 503)]
)
def test_health_gives_what_the_checks_found(state: str, status: int, client: Client, found: dict[str, Any]) -> None:
    found["state"] = state
    found["checks"] = [{"title": "Free <disk>", "state": state, "detail": "80 % free"}]
    answer = client.get("/health")
    assert (answer.status, answer.json) == (status, found)
    page = client.get("/").body.decode()
    assert "Free &lt;disk&gt;" in page
    assert "80 % free" in page


def test_readyz_gives_every_reason(client: Client, job: JobDouble) -> None:
    answer = client.get("/readyz")
    assert (answer.status, answer.json) == (200, {"ready": True, "reasons": []})
    job.reasons = ("no partition is assigned yet", "events[0] is 5 behind")
    answer = client.get("/readyz")
    assert answer.status == 503
    assert answer.json == {"ready": False, "reasons": ["no partition is assigned yet", "events[0] is 5 behind"]}


@pytest.mark.parametrize(
    ("state", "counted"),
    [
        (JobState.CREATED, "jobs-running"),
        (JobState.RUNNING, "jobs-running"),
        (JobState.CANCELLING, "jobs-running"),
        (JobState.FINISHED, "jobs-finished"),
        (JobState.CANCELED, "jobs-cancelled"),
        (JobState.FAILED, "jobs-failed"),
    ],
)
def test_the_overview_counts_the_job_under_its_state(
    state: JobState, counted: str, client: Client, job: JobDouble
) -> None:
    job.now = state
    overview = client.get("/overview").json
    assert re.fullmatch(r"\d+\.\d+\.\d+", overview.pop("version"))
    jobs = {name: int(name == counted) for name in ("jobs-running", "jobs-finished", "jobs-cancelled", "jobs-failed")}
    free = int(counted != "jobs-running")
    assert overview == {"taskmanagers": 1, "slots-total": 1, "slots-available": free, **jobs}


def test_the_jobs_overview_has_the_shape_of_flink(client: Client, job: JobDouble) -> None:
    job.held = [PartitionStatus("events", number, "running") for number in range(3)]
    (shown,) = client.get("/jobs/overview").json["jobs"]
    tasks = shown.pop("tasks")
    assert shown == {
        "jid": "job-1",
        "name": "ingest streaming_events",
        "state": "RUNNING",
        "start-time": 1_700_000_000_000,
        "end-time": -1,
        "duration": 60_000,
    }
    assert {name: count for name, count in tasks.items() if count} == {"total": 3, "running": 3}
    assert {"created", "canceling", "canceled", "failed", "finished", "reconciling"} < set(tasks)


@pytest.mark.parametrize("state", JobState)
def test_the_tasks_are_counted_in_every_state(state: JobState, client: Client, job: JobDouble) -> None:
    job.now, job.held = state, [PartitionStatus("events", 0, "")]
    (shown,) = client.get("/jobs/overview").json["jobs"]
    assert sum(shown["tasks"].values()) == 2


def test_a_job_that_ended_grows_no_older(client: Client, job: JobDouble) -> None:
    job.now, job.ended_ms = JobState.FINISHED, job.started_ms + 5
    (shown,) = client.get("/jobs/overview").json["jobs"]
    assert (shown["state"], shown["end-time"], shown["duration"]) == ("FINISHED", job.ended_ms, 5)


def test_a_job_is_shown_with_its_partitions_reasons_and_counts(client: Client, job: JobDouble) -> None:
    job.reasons = ["behind"]
    job.held = [
        PartitionStatus("events", 0, "running", 7, 10, 2, backpressured=True),
        PartitionStatus("events", 1, "rebuilding"),
        PartitionStatus("events", 2, "running", 10, 9),
    ]
    job.counts.accepted = 4
    shown = client.get("/jobs/job-1").json
    assert (shown["jid"], shown["state"], shown["now"], shown["healthy"]) == ("job-1", "RUNNING", NOW, True)
    assert shown["not-ready"] == ["behind"]
    assert shown["report"] == job.report()
    assert shown["partitions"][0] == {
        "topic": "events",
        "partition": 0,
        "state": "running",
        "committed-offset": 7,
        "end-offset": 10,
        "lag": 3,
        "in-work": 2,
        "backpressured": True,
    }
    assert [partition["lag"] for partition in shown["partitions"]] == [3, None, 0]


def test_a_stop_with_savepoint_from_request_to_location(client: Client, job: JobDouble) -> None:
    answer = client.stop(b'{"drain":false}')
    assert (answer.status, answer.json) == (202, {"request-id": "request-1"})
    assert job.stops == [None]
    status = f"/jobs/job-1/savepoints/{answer.json['request-id']}"
    assert client.get(status).json == {"status": {"id": "IN_PROGRESS"}}
    job.savepoints["request-1"] = SavepointStatus(completed=True, location="/savepoints/sp-1")
    assert client.get(status).json == {"status": {"id": "COMPLETED"}, "operation": {"location": "/savepoints/sp-1"}}
    job.savepoints["request-1"] = SavepointStatus(completed=True, failure="the disk is full")
    cause = client.get(status).json["operation"]["failure-cause"]
    assert cause == {"class": "SavepointFailed", "stack-trace": "the disk is full"}


@pytest.mark.parametrize(
    ("body", "folder"),
    [
        (b'{"drain": false, "targetDirectory": "s3://bucket/there"}', "s3://bucket/there"),
        (b'{"targetDirectory": null}', None),
        (b"{}", None),
        (b"", None),
        (None, None),
    ],
)
def test_the_target_directory_is_handed_on_and_every_field_may_be_left_out(
    body: bytes | None, folder: str | None, client: Client, job: JobDouble
) -> None:
    assert client.stop(body).status == 202
    assert job.stops == [folder]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "Input data was truncated"),
        (b"drain", "JSON is malformed"),
        (b"\xff", "malformed"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"drain": "no"}', "Expected `bool`, got `str` - at `$.drain`"),
        (b'{"drain": true}', "drain cannot be true"),
        (b'{"targetDirectory": 1}', "at `$.targetDirectory`"),
        (b'{"targetDirectory": " "}', "targetDirectory is empty"),
        (b'{"targetDir": "/there"}', "unknown field `targetDir`"),
        (b"[" * 10_000, "cannot be used"),
    ],
)
def test_a_body_that_cannot_be_used_stops_nothing_and_is_told_why(
    body: bytes, said: str, client: Client, job: JobDouble
) -> None:
    answer = client.stop(body)
    assert answer.status == 400
    assert said in answer.error
    assert job.stops == []


def test_a_refused_stop_is_a_conflict_with_the_jobs_words(client: Client, job: JobDouble) -> None:
    job.refusal = "it is stopping already: see request-1"
    answer = client.stop()
    assert (answer.status, answer.error) == (409, job.refusal)


@pytest.mark.parametrize(
    "authorization", [None, "Bearer x", TOKEN, "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "ö"]
)
def test_without_the_right_token_nothing_is_stopped(authorization: str | None, client: Client, job: JobDouble) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = client("POST", "/jobs/job-1/stop", b"{}", headers)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="lpa"'
    assert TOKEN not in answer.body.decode()
    assert job.stops == []


@pytest.mark.parametrize("authorization", [f"bearer {TOKEN}", f"Bearer  {TOKEN} "])
def test_the_token_counts_not_how_its_scheme_is_written(authorization: str, client: Client, job: JobDouble) -> None:
    assert client("POST", "/jobs/job-1/stop", b"{}", {"Authorization": authorization}).status == 202


@pytest.mark.parametrize("headers", [{}, AUTHORIZED, {"Authorization": "Bearer "}, {"Authorization": "Bearer"}])
def test_where_no_token_is_set_nobody_may_stop_and_is_told_the_setting(
    headers: dict[str, str], serve: Serve, job: JobDouble
) -> None:
    answer = serve(token="")("POST", "/jobs/job-1/stop", b"{}", headers)
    assert answer.status == 403
    assert "LPA_ADMIN_TOKEN" in answer.error
    assert job.stops == []


def test_who_may_not_stop_is_not_told_which_jobs_there_are(client: Client) -> None:
    assert client("POST", "/jobs/other/stop", b"{}").status == 401
    assert client.stop(job="other").status == 404


@pytest.mark.parametrize("path", ["/jobs/other", "/jobs/other/savepoints/request-1", "/jobs/job-1/savepoints/none"])
def test_an_unknown_job_or_request_is_not_found(path: str, client: Client, job: JobDouble) -> None:
    job.savepoints["request-1"] = SavepointStatus(completed=False)
    answer = client.get(path)
    assert answer.status == 404
    assert path.split("/")[-1] in answer.error or "other" in answer.error


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/healthz/", "/jobs", "/jobs/job-1/", "/jobs/job-1/stop/now", "/jobs/a/savepoints", "/%2e%2e"],
)
def test_an_unknown_path_is_not_found(path: str, client: Client) -> None:
    answer = client.get(path)
    assert answer.status == 404
    assert "there is nothing at" in answer.error


READ = ["/", "/healthz", "/readyz", "/metrics", "/overview", "/jobs/overview", "/jobs/job-1"]


@pytest.mark.parametrize("path", [*READ, "/jobs/job-1/savepoints/x"])
def test_what_is_only_read_takes_no_other_method(path: str, client: Client) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        answer = client(method, path, b"{}", AUTHORIZED)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
        assert answer.error == "use GET, HEAD here"


def test_a_stop_is_no_get(client: Client, job: JobDouble) -> None:
    answer = client("GET", "/jobs/job-1/stop", headers=AUTHORIZED)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert job.stops == []


@pytest.mark.parametrize("path", READ)
def test_head_answers_as_get_without_the_body(path: str, client: Client) -> None:
    got, head = client.get(path), client("HEAD", path)
    assert (head.status, head.body) == (got.status, b"") == (200, b"")
    assert head.headers["Content-Length"] == got.headers["Content-Length"] == str(len(got.body))


@pytest.mark.parametrize("path", [*READ, "/nothing"])
def test_nothing_is_cached_or_guessed_and_the_server_does_not_name_its_parts(path: str, client: Client) -> None:
    answer = client.get(path)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "python" not in str(answer.headers).lower().replace("text/plain", "")


def test_a_body_may_be_as_large_as_said_and_no_larger(client: Client, job: JobDouble) -> None:
    fits = b'{"drain":false}'.ljust(MAX_BODY_BYTES)
    assert client.stop(fits).status == 202
    for size in (MAX_BODY_BYTES + 1, 900_000):
        answer = client.stop(b" " * size)
        assert (answer.status, answer.error) == (413, "the body may have 16,384 bytes at most")
    assert job.stops == [None]


def test_a_body_in_chunks_or_of_no_number_is_turned_down(client: Client, job: JobDouble) -> None:
    with closing(HTTPConnection("127.0.0.1", client.port, timeout=30)) as connection:
        connection.request("POST", "/jobs/job-1/stop", iter([b"{}"]), AUTHORIZED, encode_chunked=True)
        assert connection.getresponse().status == 411
    for length in ("-1", "x", "1" * 5000):
        answer = client("POST", "/jobs/job-1/stop", None, {**AUTHORIZED, "Content-Length": length})
        assert (answer.status, answer.error) == (400, "Content-Length is not a number")
    assert job.stops == []


def test_a_fault_in_the_job_is_logged_and_not_shown(
    client: Client, job: JobDouble, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(self: JobDouble) -> bool:
        raise RuntimeError("the inside")

    monkeypatch.setattr(JobDouble, "healthy", broken)
    with capture_logs() as logs:
        answer = client.get("/healthz")
    assert (answer.status, answer.error) == (500, "this is a fault in lpa: its log says which")
    assert [(line["path"], line["exc_info"]) for line in logs if line["log_level"] == "error"] == [("/healthz", True)]
    assert capfd.readouterr() == ("", "")
    assert client.get("/overview").status == 200


def test_a_client_that_hangs_keeps_nobody_waiting(client: Client) -> None:
    with closing(socket.create_connection(("127.0.0.1", client.port))) as hanging:
        hanging.sendall(b"POST /jobs/job-1/stop HTTP/1.1\r\nContent-Length: 5\r\n\r\n")
        assert client.get("/healthz").status == 200


def test_a_client_that_is_gone_leaves_no_traceback(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    others = set(threading.enumerate())  # of servers that other tests have left running
    leaving = socket.create_connection(("127.0.0.1", client.port))
    leaving.sendall(b"GET /healthz HTT")
    leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closed by a reset
    leaving.close()
    assert client.get("/healthz").status == 200, "connections are taken in their order"
    for thread in set(threading.enumerate()) - others:
        if "process_request" in thread.name:
            thread.join(30)
    assert capfd.readouterr().err == ""


class Page(HTMLParser):
    """The elements of a page, and its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: dict[str, dict[str, str | None]] = {}
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes.setdefault(dict(attrs).get("http-equiv") or tag, dict(attrs))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_shows_state_reasons_partitions_counts_and_rejects(client: Client, job: JobDouble) -> None:
    job.well, job.reasons = False, ["no partition", "ClickHouse is down"]
    job.held = [PartitionStatus("events", 4, "rebuilding", 123, 1_234_567, backpressured=True)]
    job.counts.read, job.counts.accepted, job.counts.quarantined = 9_876, 5_432, 21
    job.counts.dead_lettered[("SCHEMA_INVALID", "missing_field")] = 77
    job.counts.rows["stream_trace_events"] = 5_431
    answer = client.get("/")
    page = Page(answer.body.decode())
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for text in (
        "ingest streaming_events",
        "RUNNING",
        "2023-11-14 22:13:20+00:00",
        "Not healthy: the process is to be started again.",
        "no partition",
        "ClickHouse is down",
        "rebuilding, held back",
        "123",
        "1,234,567",
        "1,234,444",
        "9,876",
        "5,432",
        "21",
        "SCHEMA_INVALID",
        "missing_field",
        "77",
        "stream_trace_events",
        "5,431",
    ):
        assert text in page.texts
    assert page.attributes["refresh"]["content"] == "5"


def test_an_empty_page_says_so(client: Client) -> None:
    texts = Page(client.get("/").body.decode()).texts
    assert "Ready." in texts
    assert "This worker holds no partition." in texts
    assert texts.count("None.") == 2


HOSTILE = "</style></td><script>alert(1)</script><img src=x onerror=\"a('b')\">&amp;\x00\ud800"


def test_hostile_names_are_text_on_the_page_and_in_json(client: Client, job: JobDouble) -> None:
    plain = HOSTILE.rstrip("\x00\ud800")
    plain_tags = Page(client.get("/").body.decode()).tags
    job.name, job.reasons = HOSTILE, [HOSTILE]
    body = client.get("/").body.decode()
    page = Page(body)
    assert page.tags == plain_tags + Counter({"ul": 1, "li": 1})
    assert sum(plain in text for text in page.texts) == 3, "title, heading, reason"

    job.name, job.reasons = "n", [plain]
    job.held = [PartitionStatus(plain, 0, plain, 0, 0)]
    job.counts.dead_lettered[(plain, plain)] = 1
    job.counts.rows[plain] = 1
    page = Page(client.get("/").body.decode())
    assert set(page.tags) <= set(plain_tags) | {"ul", "li"}
    assert page.texts.count(plain) == 6
    assert client.get("/readyz").json["reasons"] == [plain]
    assert client.get("/jobs/job-1").json["partitions"][0]["topic"] == plain


def test_the_page_runs_nothing_loads_nothing_and_its_style_is_the_one_allowed(client: Client) -> None:
    answer = client.get("/")
    body = answer.body.decode()
    (style,) = re.findall(r"<style>(.*?)</style>", body, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = [part.strip() for part in answer.headers["Content-Security-Policy"].split(";")]
    assert policy[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert not re.search(r"<script|<link|<img|src=|href=|url\(|@import| on\w+=| style=", body)


def test_metrics_are_those_of_the_registry(client: Client, metrics: Metrics) -> None:
    metrics.fenced_commits.inc(3)
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
    assert families["lpa_fenced_commits"].samples[0].value == 3
    one = client.get("/metrics?name[]=lpa_fenced_commits_total").body.decode()
    assert [family.name for family in text_string_to_metric_families(one)] == ["lpa_fenced_commits"]


def test_a_gauge_of_somebody_elses_in_the_registry_is_shown_too(client: Client, metrics: Metrics) -> None:
    prometheus_client.Gauge("other", "Another's.", registry=metrics.registry).set(4)
    assert b"\nother 4.0\n" in client.get("/metrics").body


def server_at(address: str) -> AdminServer:
    return AdminServer(address, "", JobDouble(), Metrics().registry)


def test_an_address_in_use_is_named_with_its_setting(client: Client) -> None:
    with pytest.raises(AdminError) as refused:
        server_at(f"127.0.0.1:{client.port}").start()
    assert str(refused.value) == (
        f"LPA_ADMIN_ADDRESS=127.0.0.1:{client.port} is in use by another program: set it to a free port; every worker "
        "needs one of its own"
    )


@pytest.mark.parametrize("address", ["192.0.2.1:0", "no-such-host.invalid:0"])
def test_an_address_of_another_machine_is_named_with_its_setting(address: str) -> None:
    with pytest.raises(AdminError, match=rf"^LPA_ADMIN_ADDRESS={address} cannot be listened on \(.+\): set it to"):
        server_at(address).start()


def test_it_answers_under_a_host_name_and_says_where(serve: Serve) -> None:
    server = server_at("localhost:0")
    server.start()
    try:
        assert server.url == f"http://localhost:{server.port}"
        with closing(HTTPConnection("localhost", server.port, timeout=30)) as connection:
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
    finally:
        server.close()


def test_closing_frees_the_port_and_may_come_twice_or_without_a_start() -> None:
    server = server_at("127.0.0.1:0")
    server.close()
    server.start()
    port = server.port
    server.close()
    server.close()
    with pytest.raises(ConnectionRefusedError):
        Client(port).get("/healthz")
    again = server_at(f"127.0.0.1:{port}")
    again.start()
    try:
        assert Client(port).get("/healthz").status == 200
    finally:
        again.close()
