"""docker-compose.yml and what belongs to it, as far as can be told without an engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from typing import Any

import cyclopts
import pytest
from ruamel.yaml import YAML

from lpa_core.cli import build_app
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import described, load
from lpa_core.settings.settings import Settings

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "docker-compose.yml"
PROMETHEUS = ROOT / "configs" / "prometheus" / "prometheus.yml"

SECRETS = {"CLICKHOUSE_PASSWORD", "GRAFANA_ADMIN_PASSWORD", "LPA_ADMIN_TOKEN", "MINIO_ROOT_PASSWORD"}
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(:[-?])([^}]*)\}")


def _yaml(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


SERVICES: dict[str, dict[str, Any]] = _yaml(COMPOSE.read_text())["services"]
DEFAULT = {name: service for name, service in SERVICES.items() if "profiles" not in service}
ONE_SHOT = {"bucket", "flink-replay-submitter", "flink-submitter", "owners", "replay-submitter", "topics"}
LPA = {name: service for name, service in SERVICES.items() if "build" in service}


def template() -> dict[str, str]:
    lines = (ROOT / ".env.template").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def interpolated(value: object, environment: dict[str, str]) -> str:
    """As Compose does it for the two forms that the file uses."""

    def filled(found: re.Match[str]) -> str:
        name, form, rest = found.groups()
        given = environment.get(name, "")
        assert given or form == ":-", f"{name}: {rest}"
        return given or rest

    return VARIABLE.sub(filled, str(value))


def environment_of(service: str, env_file: dict[str, str]) -> dict[str, str]:
    return {name: interpolated(value, env_file) for name, value in SERVICES[service]["environment"].items()}


def test_the_file_follows_the_compose_specification() -> None:
    files = [str(COMPOSE), str(COMPOSE.with_name("docker-compose.flink.yml"))]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_default_profile_is_the_whole_stack() -> None:
    assert {name: service.get("profiles") for name, service in SERVICES.items() if name not in DEFAULT} == {
        "archive-mirror": ["mirror"],
        "console": ["console"],
        "flink-jobmanager": ["flink"],
        "flink-replay-submitter": ["replay"],
        "flink-submitter": ["flink"],
        "flink-taskmanager": ["flink"],
        "replay-submitter": ["replay-by-its-earlier-name"],
        "serve": ["serve"],
    }
    assert set(DEFAULT) == {
        *("bucket", "clickhouse", "grafana", "ingest", "kafka", "kafka-ui"),
        *("materialize", "minio", "owners", "prometheus", "redis", "topics"),
    }


def test_the_replay_has_two_names_and_its_profile_starts_it_once() -> None:
    replay, earlier = SERVICES["flink-replay-submitter"], SERVICES["replay-submitter"]
    assert {**earlier, "profiles": replay["profiles"]} == replay
    assert not set(earlier["profiles"]) & set(replay["profiles"])


def test_every_variable_is_in_the_template_and_no_other() -> None:
    text = COMPOSE.read_text()
    assert {name for name, _, _ in VARIABLE.findall(text)} == set(template())
    rest = VARIABLE.sub("", text).replace("$$", "")
    assert "$" not in rest, "a form of variable that this test does not know"


def test_every_variable_of_the_template_has_a_comment_and_is_there_once() -> None:
    lines = (ROOT / ".env.template").read_text().splitlines()
    assignments = [number for number, line in enumerate(lines) if line and not line.startswith("#")]
    assert all(re.match(r"# \S", lines[number - 1]) for number in assignments)
    assert len(assignments) == len(template())


def test_defaults_are_given_in_one_place() -> None:
    """What lpa has a default for is left to it, unless another container needs the value, too."""
    settings = {setting.variable: setting.default for setting in described()}
    for name, form, default in VARIABLE.findall(COMPOSE.read_text()):
        if name in settings and name not in SECRETS:
            assert (form, default) in ((":-", ""), (":-", settings[name])), name
    differ = {name for name, value in template().items() if name in settings and value != settings[name]}
    assert differ == {"LPA_ARCHIVE_DIR", "LPA_BACKUP_DIR", "LPA_LOG_FORMAT", "LPA_SAVEPOINT_DIR"}


def test_secrets_have_neither_default_nor_value() -> None:
    found = set()
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN", variable):
                assert VARIABLE.fullmatch(str(value)), f"{name}: {variable}"
        given = {**service, "environment": [*map(str, service.get("environment", {}).values())]}
        for variable, form, _ in VARIABLE.findall(str(given)):
            if variable in SECRETS:
                assert form == ":?", f"{name}: {variable}"
                found.add(variable)
    assert found == SECRETS
    assert {name for name in SECRETS if template()[name]} == set()


def test_secrets_are_no_arguments_where_others_can_see_them() -> None:
    for service in SERVICES.values():
        arguments = str([service.get(key) for key in ("command", "entrypoint", "healthcheck")])
        assert not any(variable in SECRETS for variable, _, _ in VARIABLE.findall(arguments))


def test_nothing_starts_without_the_secrets() -> None:
    for service in ("clickhouse", "grafana", "ingest", "minio"):
        with pytest.raises(AssertionError, match=r"set it in \.env"):
            environment_of(service, template())


def test_every_image_has_a_version() -> None:
    for name, service in SERVICES.items():
        version = service["image"].rpartition("/")[2].partition(":")[2]
        assert re.search(r"\d+\.\d+\.\d+|\d{4}-\d\d-\d\d", version), f"{name}: {service['image']}"
    version = metadata.version("lpa-core")
    assert {service["image"] for service in LPA.values()} == {
        f"localhost/lpa:{version}",
        f"localhost/lpa-flink:{version}",
    }


def test_every_published_port_is_on_loopback() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports), ports
    assert len(ports) == len(set(ports))
    assert not [name for name, service in SERVICES.items() if service.get("network_mode")]


def test_data_is_kept_below_the_data_folder() -> None:
    shared = {"owners", "replay-submitter", "flink-taskmanager", "flink-submitter"}
    services = [service for name, service in SERVICES.items() if name not in shared]
    mounts = [mount.split(":") for service in services for mount in service.get("volumes", [])]
    for source, _, *mode in mounts:
        if not source.startswith("./data/"):
            assert (ROOT / source).exists(), source
            assert mode == ["ro"], source
    kept = [source for source, *_ in mounts if source.startswith("./data/")]
    assert len(kept) == len(set(kept)), "no two services share a folder"
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"/data/", "/.env"} <= set(ignored)


def test_what_runs_on_has_a_health_check_and_comes_back() -> None:
    for name, service in SERVICES.items():
        if name in ONE_SHOT:
            assert service["restart"] == "no", name
        else:
            assert service["healthcheck"]["test"][0] == "CMD", name
            assert service["restart"] in ("unless-stopped", "on-failure"), name


def test_nothing_waits_for_what_another_profile_starts_or_for_less_than_it_needs() -> None:
    for name, service in SERVICES.items():
        for other, wanted in service.get("depends_on", {}).items():
            condition = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert wanted == {"condition": condition}, f"{name}: {other}"
            assert other in DEFAULT or SERVICES[other]["profiles"] == service["profiles"], f"{name}: {other}"


def test_kafka_makes_no_topic_by_itself() -> None:
    assert SERVICES["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_a_worker_has_time_to_finish_before_it_is_killed() -> None:
    for name in ("ingest", "materialize"):
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > Settings().lpa.stop_seconds
    assert "LPA_STOP_SECONDS" not in SERVICES["ingest"]["environment"], "it would have to stay below"


def parse(app: cyclopts.App, command: list[str]) -> None:
    app.parse_args(command, exit_on_error=False, print_error=False)


def test_every_command_of_the_default_profile_is_one_of_lpa() -> None:
    settings = Settings()
    app = build_app(settings, PluginManager(settings))
    commands = {name: service["command"] for name, service in LPA.items() if name in DEFAULT}
    assert set(commands) == {"ingest", "materialize", "topics"}
    for command in commands.values():
        parse(app, command)
        with pytest.raises(cyclopts.CycloptsError):
            parse(app, [*command, "--no-such-option"])
    with pytest.raises(cyclopts.CycloptsError):
        parse(app, ["no-such-command"])


def test_the_replay_is_one_of_lpa_and_outlives_its_container() -> None:
    settings = Settings()
    service = SERVICES["flink-replay-submitter"]
    parse(build_app(settings, PluginManager(settings)), service["command"])
    assert service["volumes"] == ["./data/replay:/var/lib/lpa"]
    assert {f"REPLAY_{name}" for name in ("START_EPOCH_MS", "END_EPOCH_MS")} <= set(service["environment"])


@pytest.mark.parametrize(("name", "port"), [("serve", 8090), ("console", 8091)])
def test_what_shows_the_database_is_one_of_lpa_and_needs_a_word_about_who_may_read(name: str, port: int) -> None:
    settings = Settings()
    service = SERVICES[name]
    parse(build_app(settings, PluginManager(settings)), service["command"])
    environment = environment_of(name, {**template(), **dict.fromkeys(SECRETS, "0123456789abcdef")})
    variable = f"LPA_{name.upper()}"
    assert (environment[f"{variable}_ADDRESS"], environment[f"{variable}_TOKEN"]) == (f"0.0.0.0:{port}", "")
    assert service["ports"] == [f"127.0.0.1:{port}:{port}"]


FLINK = [name for name, service in SERVICES.items() if service.get("profiles") == ["flink"]]


def test_flink_takes_the_place_of_the_worker_by_profiles() -> None:
    """The two of them on one group would store nothing twice, but `submit` is refused while the worker runs."""
    with_flink = _yaml((ROOT / "docker-compose.flink.yml").read_text())["services"]
    assert with_flink["ingest"] == {"profiles": ["worker"]}
    assert "profiles" not in SERVICES["ingest"], "without that file nothing changes"
    address = SERVICES["flink-submitter"]["environment"]["LPA_FLINK_ADDRESS"]
    assert with_flink["materialize"] == {"environment": {"LPA_FLINK_ADDRESS": address}}
    for name in FLINK:
        assert set(SERVICES["ingest"]["environment"]) - set(SERVICES[name]["environment"]) <= {
            *(each for each in SERVICES["ingest"]["environment"] if each.startswith(("AWS_", "LPA_"))),
        }, name


def test_what_the_submitter_runs_is_one_of_lpa() -> None:
    settings = Settings()
    app = build_app(settings, PluginManager(settings))
    (script,) = SERVICES["flink-submitter"]["command"]
    commands = [words.split() for words in script.split(" || ")]
    assert [command[:2] for command in commands] == [["lpa", "flink"]] * 3
    for command in commands:
        parse(app, command[1:])


@pytest.mark.parametrize("role", ["jobmanager", "taskmanager"])
def test_a_process_of_flink_is_started_with_what_the_container_gives(role: str, tmp_path: Path) -> None:
    """The image's own script, with a script in the place of Flink's that writes down how it was called."""
    service = SERVICES[f"flink-{role}"]
    assert service["command"] == [role]
    assert service["entrypoint"] == ["/opt/lpa/flink-process"]
    (tmp_path / "bin").mkdir()
    stand_in = tmp_path / "bin" / f"{role}.sh"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    stand_in.chmod(0o755)
    environment = {
        **environment_of(f"flink-{role}", {**template(), **dict.fromkeys(SECRETS, "a-secret-0123456789")}),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "FLINK_HOME": str(tmp_path),
    }
    command = [str(ROOT / "cluster" / "flink-process"), *service["command"]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    first, *options = done.stdout.splitlines()
    given = dict(option.split("=", 1) for option in options if option != "-D")
    assert first == "start-foreground"
    assert "a-secret" not in done.stdout
    assert given["jobmanager.rpc.address"] == "flink-jobmanager"
    assert f"http://{given['rest.address']}:{given['rest.port']}" == environment["LPA_FLINK_ADDRESS"]
    assert given["execution.checkpointing.interval"] == "5s"
    (mount,) = service["volumes"]
    assert given["execution.checkpointing.dir"] == f"file://{mount.partition(':')[2]}/checkpoints"
    assert given["execution.checkpointing.savepoint-dir"] == f"file://{mount.partition(':')[2]}/savepoints"


def test_the_image_of_flink_has_what_its_services_name() -> None:
    text = (ROOT / "cluster" / "Dockerfile").read_text()
    images = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert images[1:] == re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    copied = [name for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for name in line.split()[:-1]]
    assert all((ROOT / name).exists() for name in copied), copied
    ignored = (ROOT / "cluster" / "Dockerfile.dockerignore").read_text().splitlines()
    assert {f"!{name.split('/')[0]}" for name in copied} == {line for line in ignored if line.startswith("!")}
    assert re.search(r"^USER lpa$", text, re.MULTILINE)
    assert not re.search("PASSWORD|TOKEN|SECRET", text)
    assert f"livepeer-analytics-flink-{metadata.version('lpa-flink')}.jar" in text
    assert SERVICES["flink-jobmanager"]["build"] == {"context": ".", "dockerfile": "cluster/Dockerfile"}


def test_the_mirror_copies_what_the_worker_archives() -> None:
    settings = Settings()
    service = SERVICES["archive-mirror"]
    parse(build_app(settings, PluginManager(settings)), service["command"])
    filled = {**template(), **dict.fromkeys(SECRETS, "0123456789abcdef")}
    mirror, worker = environment_of("archive-mirror", filled), environment_of("ingest", filled)
    command = SERVICES["ingest"]["command"]
    assert mirror["LPA_ARCHIVE_DIR"] == command[command.index("--archive") + 1]
    assert {name: worker[name] for name in worker if name.startswith("AWS_")}.items() <= mirror.items()
    assert service["volumes"] == ["./data/mirror:/var/lib/lpa"]


@pytest.mark.parametrize("name", LPA)
def test_lpa_takes_the_settings_of_its_services(name: str, tmp_path: Path) -> None:
    filled = {**template(), **dict.fromkeys(SECRETS, "0123456789abcdef")}
    environment = environment_of(name, filled)
    (tmp_path / "lpa.toml").write_text("")
    settings = load(environment, tmp_path / "lpa.toml")
    assert settings.quality.input_topic == "streaming_events"
    known = {setting.variable for setting in described()}
    ours = {variable for variable in environment if variable.startswith(("QUALITY_", "CLICKHOUSE_", "LPA_", "REPLAY_"))}
    assert ours <= known
    if name == "ingest":
        assert settings.lpa.admin_address == "0.0.0.0:8081"
        assert settings.lpa.admin_token == settings.clickhouse.password == "0123456789abcdef"


def test_prometheus_scrapes_the_worker() -> None:
    (job,) = _yaml(PROMETHEUS.read_text())["scrape_configs"]
    assert job["metrics_path"] == "/metrics"
    assert job["static_configs"] == [{"targets": ["ingest:8081", "materialize:8081"]}]
    mounts = SERVICES["prometheus"]["volumes"]
    assert "./configs/prometheus/prometheus.yml:/etc/prometheus/prometheus.yml:ro" in mounts


def test_prometheus_accepts_its_configuration() -> None:
    promtool = shutil.which("promtool")
    assert promtool, "./dev tests installs Prometheus where it can"
    done = subprocess.run([promtool, "check", "config", PROMETHEUS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def checks() -> Iterator[tuple[str, list[str]]]:
    """The image's health check and those of services that ask over HTTP: a name, and the command."""
    image = re.search(r"HEALTHCHECK .*\\\n +CMD (\[.*\])", (ROOT / "Dockerfile").read_text())
    assert image is not None
    yield "image", json.loads(image[1])
    for name, service in SERVICES.items():
        command = service.get("healthcheck", {}).get("test", [])
        if "http://" in str(command):
            yield name, command[1:]


@pytest.mark.parametrize(("name", "command"), [*checks()])
def test_failure_21_health_checks_use_no_proxy(name: str, command: list[str]) -> None:
    """The very commands, at a server on another port, with a proxy in the environment that is not there."""
    program = {"python": sys.executable}.get(command[0], command[0])
    if "wget" in command and not shutil.which("wget"):
        pytest.skip("needs wget, as the images have it")
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        here = f"http://127.0.0.1:{server.server_address[1]}/"
        arguments = [re.sub(r"http://[\w.-]+:\d+/", here, each) for each in command[1:]]
        dead = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:9")
        quiet = {**os.environ, **dead, "NO_PROXY": "", "no_proxy": ""}
        done = subprocess.run([program, *arguments], env=quiet, capture_output=True, text=True, timeout=20, check=False)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert done.returncode == 0, f"{name}: {done.stderr}"
    assert len(asked) == 1


def test_failure_21_containers_reach_each_other_without_a_proxy() -> None:
    for name in ("bucket", "grafana", *(set(LPA) - {"topics"})):
        environment = environment_of(name, {**template(), **dict.fromkeys(SECRETS, "s"), "NO_PROXY": "mine.example"})
        for variable in ("NO_PROXY", "no_proxy"):
            named = environment[variable].split(",")
            assert {"clickhouse", "minio", "prometheus", "localhost", "127.0.0.1", "mine.example"} <= set(named)
