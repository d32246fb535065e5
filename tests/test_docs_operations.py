"""docs/operations/endpoints.md against endpoint and metrics there are: its commands run, its answers are real."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from lpa_core.admin.app import ROUTES
from lpa_core.admin.job import PartitionStatus, SavepointStatus
from lpa_core.admin.server import AdminServer
from lpa_core.delivery.tap_messages import TapAnswer
from lpa_core.health.check import CheckResult, Finding, HealthCheck
from lpa_core.health.report import HealthReport
from lpa_core.metrics import STAGES, Metrics, described
from lpa_core.settings.thresholds import State, Thresholds
from lpa_core.testing.administered_job import JobDouble

PAGE = (Path(__file__).parents[1] / "docs" / "operations" / "endpoints.md").read_text()
EXAMPLES = re.findall(r"^```sh\ncurl (.*)\n```\n(?:```json\n((?:.*\n)*?)```\n)?", PAGE, re.MULTILINE)
TOKEN = "0123456789abcdef"


def test_every_path_is_documented_as_it_is_and_no_other() -> None:
    documented = re.findall(r"^\| (?:GET|POST) \| `.*", PAGE, re.MULTILINE)
    assert documented == [f"| {route.methods[0]} | `{route.path}` | {route.doc} |" for route in ROUTES]


def test_every_metric_is_documented_as_it_is_and_no_other() -> None:
    documented = re.findall(r"^\| `lpa_.*", PAGE, re.MULTILINE)
    assert documented == [
        f"| `{metric.name}` | {metric.type} | {', '.join(metric.labels) or 'none'} | {metric.help} |"
        for metric in described()
    ]


def test_every_stage_is_documented() -> None:
    (stages,) = re.findall(r"The stages are (.*?);", PAGE, re.DOTALL)
    assert re.findall(r"`(\w+)`", stages) == [*STAGES]


class TapOfExamples:
    """The tap in the examples (:class:`lpa_core.admin.job.JobTap`)."""

    def open(self, request: bytes) -> str:
        assert json.loads(request) == {"stage": "written", "reason": "missing_field"}
        return "tap-1"

    def take(self, tap_id: str) -> bytes | None:
        assert tap_id == "tap-1"
        return msgspec.json.encode(TapAnswer([], 1200, 0, 6, 0, ended=False))

    def close(self, tap_id: str) -> None:
        assert tap_id == "tap-1"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Of a server whose job is the one in the examples."""
    job = JobDouble(
        reasons=["streaming_events[0] is being rebuilt"],
        held=[PartitionStatus("streaming_events", 0, "rebuilding", 1200, 1234)],
        savepoints={"request-1": SavepointStatus(completed=True, location="/var/lib/lpa/savepoints/sp-1")},
    )
    job.counts.read, job.counts.accepted, job.counts.quarantined = 1200, 1190, 4
    job.counts.dead_lettered[("SCHEMA_INVALID", "missing_field")] = 6
    job.counts.rows["streaming_events"] = 1190
    job.counts.seconds, job.counts.stages = 60.0, {"write": 1.5}
    monkeypatch.setenv("LPA_ADMIN_TOKEN", TOKEN)
    finding = Finding(
        State.WARNING,
        "15 % of /var/lib/lpa is free",
        0.15,
        Thresholds(0.2, 0.1, falling=True),
        "make room, or move the folder to a larger disk",
    )
    disk = HealthCheck(
        "disk", "Free disk space", lambda scope: finding, "share", runbook="docs/operations/health.md#disk"
    )
    found = HealthReport([CheckResult(disk, finding, 0.002, 1_700_000_060_000)])
    server = AdminServer(
        "127.0.0.1:0",
        TOKEN,
        job,
        Metrics().registry,
        clock=lambda: 1_700_000_060_000,
        health=found.as_json,
        tap=TapOfExamples(),
    )
    server.start()
    yield server.port
    server.close()


def curl(command: str, port: int) -> HTTPResponse:
    """What curl does with these arguments, as far as the page uses them."""
    words = iter(shlex.split(os.path.expandvars(command)))
    method, url, headers, body = "GET", "", {}, None
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, text = next(words).partition(": ")
            headers[name] = text
        elif word == "-d":
            body = next(words)
        else:
            assert not word.startswith("-"), f"the test knows no {word}"
            url = word
    assert urlsplit(url).netloc == "127.0.0.1:8081", "the default address"
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, urlsplit(url).path, body, headers)
    return connection.getresponse()


@pytest.mark.parametrize(("command", "shown"), EXAMPLES, ids=[command.split("8081")[1] for command, _ in EXAMPLES])
def test_every_command_gives_the_answer_shown(command: str, shown: str, port: int) -> None:
    response = curl(command, port)
    content = response.read()
    assert response.status in (200, 201, 202, 503)
    if shown:
        answer: Any = json.loads(content)
        expected: Any = json.loads(shown)
        assert answer == expected
        assert [*answer] == [*expected], "the order is shown, too"


def test_every_path_but_the_page_has_a_command() -> None:
    shown = {urlsplit(shlex.split(command)[2 if "-X" in command else 0]).path for command, _ in EXAMPLES}
    examples = {"<id>": "job-1", "<request-id>": "request-1", "<tap-id>": "tap-1"}
    paths = {re.sub(r"<.*?>", lambda name: examples[name[0]], route.path) for route in ROUTES}
    assert shown == paths - {"/"}
