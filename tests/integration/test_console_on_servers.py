"""`lpa console` beside a worker, Kafka and ClickHouse over HTTP: every page, and each of the three being away."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.error
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, final
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

import pytest
from services.job import Job, event
from services.materializer import Materializer
from services.preloaded import preloaded_lpa

from lpa_core.generate.generator import generate
from lpa_ops.console.pages import PAGES
from lpa_sinks.testing.http_front import Fault

NewJob = Callable[..., Job]


@final
class Console:
    """A browser at a console."""

    def __init__(self, url: str) -> None:
        self._url, self._opener = url, build_opener(ProxyHandler({}), HTTPCookieProcessor())

    def get(self, path: str, form: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Status and body."""
        body = None if form is None else urlencode(form).encode()
        try:
            with self._opener.open(f"{self._url}/{path}", body, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def content(self, page: str) -> Any:
        path, _, query = page.partition("?")
        status, body = self.get(f"{path}.json?{query}")
        assert status == 200, body
        return json.loads(body)

    def query(self, sql: str) -> tuple[int, Any]:
        token = re.search(r'name="form_token" value="([^"]+)"', self.get("query")[1])
        assert token
        status, body = self.get("query.json", {"sql": sql, "form_token": token[1]})
        return status, json.loads(body)


@contextmanager
def console_of(job: Job) -> Iterator[Console]:
    environment = {**os.environ, **job.environment, "LPA_CONSOLE_ADDRESS": "127.0.0.1:0"}
    environment |= {"HEALTH_INTERVAL_SECONDS": "2"}
    command = [preloaded_lpa(), "console", "--sink", job.sink]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, cwd=job.folder) as process:
        try:
            assert process.stderr
            yield Console(json.loads(process.stderr.readline())["url"])
        finally:
            process.terminate()
            process.communicate(timeout=60)


def addresses(console: Console) -> dict[str, str]:
    """An address of each page, of a record, session and job that there is; but of no replay: there is none."""
    record = console.content("failures")["records"][0]
    found = console.content("sessions")
    at = f"{record['source_topic']}/0/{record['source_offset']}"
    return {
        **{page.path: page.path for page in PAGES if not page.path.startswith("replay/")},
        "failures/record": f"failures/record?at={at}",
        "failures/repair": f"failures/repair?at={at}&which=one",
        "sessions/session": "sessions/session?" + urlencode({"id": found["sessions"][0]["workflow_session_id"]}),
        "sessions/job": "sessions/job?" + urlencode({"id": found["jobs"][0]["job_id"]}),
        "trace": f"trace?of={at}",
        "data/table": "data/table?name=streaming_events",
    }


@pytest.fixture
def filled(new_job: NewJob) -> Iterator[Job]:
    """A worker of two partitions, of which one has events, with their facts."""
    job = new_job(2)
    job.start()
    job.produce([*generate(400, duplicates=0.05, bad=0.05, sessions=4, jobs=0.3, seed=5)])
    materializer = Materializer(job, 0)
    materializer.start()
    try:
        job.until_committed(400)

        def facts(table: str) -> int:
            with job.clickhouse.client() as client:
                return int(client.command(f"SELECT count() FROM livepeer_analytics.{table}"))

        job.until(lambda: facts("fact_workflow_sessions") > 0 and facts("fact_jobs") > 0, "there are facts")
        yield job
    finally:
        materializer.kill()


def test_every_page_reads_a_server_and_each_that_is_away_is_told(filled: Job) -> None:
    job = filled
    with console_of(job) as console:
        for address in addresses(console).values():
            path, _, query = address.partition("?")
            for asked in (address, f"{path}.json?{query}"):
                status, body = console.get(asked)
                assert status == 200, f"{asked}: {body}"
        job.until(lambda: console.content("health")["checks"] != [], "the checks have run")
        job.until(lambda: not console.content("flow")["partitions"]["kafka_unknown"], "Kafka has told")

        flow = console.content("flow?since=7d")
        assert flow["totals"]["read"] == 400
        lags = {each["partition"]: each for each in flow["partitions"]["partitions"]}
        assert (lags[0]["committed"], lags[0]["end"], lags[0]["lag"], lags[0]["state"]) == (400, 400, 0, "running")
        assert set(lags) == {0, 1}
        assert (flow["partitions"]["backpressured"], flow["partitions"]["in_work"]) == (False, 0)

        status, answer = console.query("SELECT count() FROM streaming_events")
        assert status == 200, answer
        assert answer["rows"][0][0] > 300
        for refused in (
            "SELECT 1 SETTINGS readonly = 0",
            "INSERT INTO streaming_events (id) VALUES ('x')",
            "SELECT * FROM file('/etc/passwd', 'LineAsString')",
            "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        ):
            assert console.query(refused)[0] == 400, refused

        denied = "Not enough privileges. To execute this query, it's necessary to have the grant SELECT ON system.parts"
        job.clickhouse.tell(Fault("system.parts", 497, text=denied))
        status, body = console.get("data")
        assert (status, "Rows and sizes are not known:" in body) == (200, True), body
        job.clickhouse.forget_faults()

        job.kill()
        job.produce([event(f"late {number}") for number in range(7)])
        job.until(lambda: console.content("flow")["partitions"]["worker_unknown"] != "", "the worker is missed")
        job.until(lambda: console.content("flow")["partitions"]["lag"] == 7, "the lag is told without a worker")
        assert "Backpressure is not known: no worker answers at" in console.get("flow")[1]

        job.clickhouse.kill()
        status, body = console.get("flow")
        assert status == 503
        assert "Traceback" not in body
        job.clickhouse.start()
        job.until(lambda: console.get("flow")[0] == 200, "the page is back")


def test_without_kafka_the_first_page_shows_what_is_stored(filled: Job) -> None:
    filled.environment["QUALITY_KAFKA_BOOTSTRAP"] = "127.0.0.1:1"
    with console_of(filled) as console:
        filled.until(lambda: console.content("flow")["partitions"]["asked_ms"] is not None, "Kafka was asked")
        flow = console.content("flow?since=7d")
        assert flow["totals"]["read"] == 400
        assert flow["partitions"]["lag"] == 0, "the worker tells its own"
        assert "Lag is not known from Kafka: " in console.get("flow")[1]
