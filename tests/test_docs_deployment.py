"""docs/deployment.md against the compose file, the commands and the paths there are."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lpa_core.admin.app import ROUTES
from lpa_core.cli import build_app
from lpa_core.generate.generator import generate
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import described
from lpa_core.settings.settings import Settings

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "deployment.md").read_text()
COMMANDS = [
    line.strip()
    for block in re.findall(r"^ *```sh\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
OVERRIDES = re.findall(r"^```yaml override\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def _yaml(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text.replace(" !override", ""))


SERVICES: dict[str, dict[str, Any]] = _yaml((ROOT / "docker-compose.yml").read_text())["services"]


def test_every_published_port_is_an_endpoint_and_no_other() -> None:
    documented = re.findall(r"^\| .* \| `(?:http://)?localhost:(\d+)\S*` \|", PAGE, re.MULTILINE)
    published = [port.split(":")[1] for service in SERVICES.values() for port in service.get("ports", [])]
    assert sorted(documented) == sorted(published)


def test_every_folder_is_made_beforehand() -> None:
    """By the service that sets their owners, or by containers that do both themselves."""
    assert "mkdir -p data" in COMMANDS
    made = set(re.findall(r"own \d+ ([\w-]+)$", SERVICES["owners"]["command"][0], re.MULTILINE)) | {"lpa"}
    mounted = {
        mount.split(":")[0].removeprefix("./data/")
        for service in SERVICES.values()
        for mount in service.get("volumes", [])
        if mount.startswith("./data/")
    }
    assert mounted - made == {"clickhouse", "minio", "redis"}
    assert made <= mounted


def test_what_is_sent_has_its_id_as_key(tmp_path: Path) -> None:
    """A docker that only writes down what it is given stands in for the producer."""
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho "$@" > arguments\ncat > records\n')
    docker.chmod(0o755)
    events = [*islice(generate(200, duplicates=0.1, bad=0.1, sessions=4, seed=1), 200)]
    (tmp_path / "events.ndjson").write_bytes(b"".join(event + b"\n" for event in events))
    (line,) = [command for command in COMMANDS if "kafka-console-producer" in command]
    path = f"{tmp_path}:{os.environ['PATH']}"
    subprocess.run(["bash", "-c", line], cwd=tmp_path, env={**os.environ, "PATH": path}, check=True, timeout=30)
    assert "--property parse.key=true" in (tmp_path / "arguments").read_text()
    keyed = [record.split(b"\t", 1) for record in (tmp_path / "records").read_bytes().splitlines()]
    assert [record[-1] for record in keyed] == events
    assert sum(len(record) == 2 for record in keyed) > 150
    assert all(record[1].startswith(b'{"id":"%s"' % record[0]) for record in keyed if len(record) == 2)


def test_every_profile_is_documented() -> None:
    documented = set(re.findall(r"^\| (\w+) \| `docker compose --profile \1 up .*?([\w-]+)` \|", PAGE, re.MULTILINE))
    there = {(name, key) for key, service in SERVICES.items() for name in service.get("profiles", [])}
    assert documented == there - {("replay-by-its-earlier-name", "replay-submitter")}
    assert "`docker compose up replay-submitter`" in PAGE


def test_every_path_of_the_admin_endpoint_is_one() -> None:
    used = {path for command in COMMANDS for path in re.findall(r"http://127\.0\.0\.1:8081(\S+)", command)}
    assert used <= {route.path for route in ROUTES}
    assert "/jobs/<id>/stop" in used


def test_every_command_of_lpa_is_one() -> None:
    settings = Settings()
    app = build_app(settings, PluginManager(settings))
    commands = []
    for command in COMMANDS:
        words = shlex.split(command.partition(" < ")[0])
        if words[0] == "lpa":
            commands.append(words[1:])
        elif words[:4] == ["docker", "compose", "run", "--rm"]:
            assert "build" in SERVICES[words[4]]
            commands.append(words[5:])
    commands += [words.split() for words in re.findall(r"`lpa (ingest .*?)`", PAGE)]
    assert len(commands) == 17
    for arguments in commands:
        app.parse_args(arguments, exit_on_error=False, print_error=False)


def test_every_service_that_a_command_names_is_there() -> None:
    named = [re.search(r"docker compose (?:exec(?: -T)?|logs|run --rm) (\S+)", command) for command in COMMANDS]
    found = {match[1] for match in named if match}
    assert found <= set(SERVICES)
    assert {"ingest", "kafka", "topics"} <= found


@pytest.mark.parametrize("number", range(len(OVERRIDES)))
def test_an_override_changes_what_is_there(number: int) -> None:
    settings = Settings()
    app = build_app(settings, PluginManager(settings))
    known = {setting.variable for setting in described()}
    for name, service in _yaml(OVERRIDES[number])["services"].items():
        base = SERVICES[service["extends"]["service"] if "extends" in service else name]
        assert set(service) - {"extends"} <= set(base)
        assert set(service.get("environment", {})) <= known
        for key in ("ports", "volumes"):
            assert not set(service.get(key, [])) & set(base[key]), "each worker has its own"
        command = service.get("command", base["command"])
        app.parse_args(command, exit_on_error=False, print_error=False)
        assert command[: len(base["command"])] == base["command"], "it only adds"
    assert len(OVERRIDES) == 3
