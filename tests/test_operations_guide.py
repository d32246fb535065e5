"""docs/operations/guide.md: each line of the operations guide is in it, and each runs, or what it says instead does."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection
from itertools import chain
from pathlib import Path
from typing import Any

import cyclopts
import pytest
from clickhouse_connect.driver.client import Client
from ruamel.yaml import YAML
from services.operations_guide import LINES, Line, beginning, in_section

from lpa_core.admin.server import AdminServer
from lpa_core.cli import build_app
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.metrics import Metrics
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import described
from lpa_core.settings.settings import Settings
from lpa_core.testing.administered_job import JobDouble
from lpa_sinks.schema.apply import apply

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "tests" / "fixtures" / "operations-guide.md").read_text()
SERVICES: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load((ROOT / "docker-compose.yml").read_text())[
    "services"
]
TOKEN = "0123456789abcdef"


def plain(text: str) -> str:
    """Without line breaks, marks of lists and spaces within SQL."""
    return " ".join(text.replace("(\n", "(").split())


# Nothing of the guide is left out, and nothing is made up.


def test_every_line_of_the_page_is_in_the_guide() -> None:
    guide = plain(GUIDE)
    assert [line.text for line in LINES if plain(line.text) not in guide] == []


def test_every_command_address_variable_and_file_of_the_guide_is_in_the_page() -> None:
    codes = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", GUIDE)
    statements = [plain(text) for text in re.findall(r"^```sql\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)]
    assert len(codes) > 50
    assert len(statements) == 2
    named = {part for line in LINES for part in (line.text, line.runs)}
    prose = {"savepointPath", "data/", "docs/", "REPLAY_START_EPOCH_MS", "REPLAY_END_EPOCH_MS"}
    assert {*codes, *statements} - named - prose == set()


@pytest.mark.parametrize("heading", ["Replay Regression Checklist", "Health Checks", "Release Readiness Checklist"])
def test_every_item_of_a_checklist_is_in_the_page(heading: str) -> None:
    (found,) = re.findall(rf"^##+ {heading}\n((?:(?!#).*\n?)*)", GUIDE, re.MULTILINE)
    items = re.findall(r"^(?:-|\d\.) (.+)$", found, re.MULTILINE)
    assert len(items) >= 4
    texts = [line.text for line in LINES]
    assert [item for item in items if not any(text in item for text in texts)] == []


def test_every_scenario_is_in_the_page() -> None:
    scenarios = re.findall(r"^- Scenario: (.+):$", GUIDE, re.MULTILINE)
    assert len(scenarios) == 4
    assert set(scenarios) <= {line.text for line in LINES}


# Each of them runs.


def test_every_line_is_walked_by_one_of_the_tests_below() -> None:
    walked = [
        *in_section("Endpoints", "Variables", "Pages"),
        *beginning(
            "cp ", "mkdir ", "chmod ", "docker compose ", "curl ", "SELECT ", "lpa ", "./dev ", "tests/", "configs/"
        ),
    ]
    assert [line for line in LINES if line not in walked] == []


def test_folders_are_made_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / ".env.template").write_bytes((ROOT / ".env.template").read_bytes())
    commands = beginning("cp ", "mkdir ", "chmod ")
    assert len(commands) == 3
    for line in commands:
        subprocess.run(line.runs, shell=True, cwd=tmp_path, check=True)
    assert (tmp_path / ".env").exists()
    assert (tmp_path / "data" / "kafka").is_dir()


@pytest.fixture(scope="module")
def app() -> cyclopts.App:
    settings = Settings()
    return build_app(settings, PluginManager(settings))


@pytest.mark.parametrize("command", sorted({line.runs for line in beginning("docker compose ")}))
def test_a_line_of_compose_names_a_service_and_its_profile(command: str, app: cyclopts.App) -> None:
    """Without an engine, so far as the file tells."""
    words = shlex.split(command)[2:]
    profiles = []
    if words[0] == "--profile":
        profiles, words = [words[1]], words[2:]
    verb, *rest = words
    options = [word for word in rest if word.startswith("-")]
    assert (verb, set(options)) in (("up", {"-d"}), ("up", set()), ("ps", set()), ("build", set()), ("run", {"--rm"}))
    service, *arguments = [word for word in rest if word not in options] or [""]
    if service:
        assert set(profiles) <= set(SERVICES[service].get("profiles", []))
        assert bool(profiles) is ("profiles" in SERVICES[service])
    if arguments:
        app.parse_args(arguments, exit_on_error=False, print_error=False)


@pytest.mark.parametrize("line", in_section("Endpoints"), ids=lambda line: line.runs)
def test_an_address_is_that_of_a_service(line: Line) -> None:
    port = re.findall(r"localhost:(\d+)", line.runs)[0]
    published = [each.split(":")[1] for service in SERVICES.values() for each in service.get("ports", [])]
    assert port in published


@pytest.mark.parametrize("line", in_section("Variables"), ids=lambda line: line.text)
def test_a_variable_has_the_default_of_the_guide(line: Line) -> None:
    (setting,) = [each for each in described() if each.variable == line.text]
    if line.runs.startswith("QUALITY_"):
        assert setting.default == ""
        assert f"default: {line.runs}" in setting.doc
    else:
        assert setting.default == ("" if line.runs == "none" else line.runs)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of the admin endpoint of a job that ends with a savepoint."""
    server = AdminServer("127.0.0.1:0", TOKEN, JobDouble(), Metrics().registry)
    server.start()
    yield server.port
    server.close()


def test_lines_of_curl_are_answered_in_their_order(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LPA_ADMIN_TOKEN", TOKEN)
    found: dict[str, str] = {}
    commands = beginning("curl ")
    assert len(commands) == 4
    for line in commands:
        status, answer = curl(line.runs, port, found)
        assert status in (200, 202), f"{line.runs}: {answer}"
        if line.runs.endswith("/jobs/overview"):
            found["<jid>"] = answer["jobs"][0]["jid"]
        found["<request-id>"] = answer.get("request-id", "")
    refused, _ = curl(next(line.text for line in commands if "/stop" in line.text), port, found)
    assert refused == 401, "why the page has another line"


def curl(command: str, port: int, found: dict[str, str]) -> tuple[int, Any]:
    """Status and JSON of what curl asks with these arguments, so far as the guide uses them."""
    words = iter(shlex.split(os.path.expandvars(command))[1:])
    method, path, headers, body = "GET", "", {}, None
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, text = next(words).partition(": ")
            headers[name] = text
        elif word == "-d":
            body = next(words)
        else:
            path = word.removeprefix("http://YOUR_FLINK_SERVER:8081")
    for placeholder, text in found.items():
        path = path.replace(placeholder, text)
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def test_statements_run(engine: Client, database: str) -> None:
    apply(engine, database, [*chain.from_iterable(each.tables for each in BUILTIN_EVENT_TYPES)])
    statements = beginning("SELECT ")
    assert len(statements) == 2
    for line in statements:
        engine.command(line.runs.rstrip(";").replace("livepeer_analytics.", f"{database}."))


@pytest.mark.parametrize("line", [*in_section("Pages"), *beginning("tests/", "configs/")], ids=lambda line: line.runs)
def test_a_file_is_where_the_guide_says(line: Line) -> None:
    assert (ROOT / line.runs).is_file()
    assert os.access(ROOT / line.runs, os.X_OK) is line.runs.endswith(".sh")


@pytest.mark.parametrize("line", beginning("./dev "), ids=lambda line: line.runs)
def test_a_session_is_one(line: Line) -> None:
    assert f"def {line.runs.removeprefix('./dev ')}(session" in (ROOT / "noxfile.py").read_text()
