"""What the containers run, run without containers: the image's build, its health check, and the worker's command."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest
from moto.server import ThreadedMotoServer
from ruamel.yaml import YAML

from lpa_sinks.archive import read_archive
from lpa_sinks.testing.http_front import PASSWORD, USER

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
SERVICES: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load((ROOT / "docker-compose.yml").read_text())[
    "services"
]
BIN = Path(sys.executable).parent


def instructions(name: str) -> list[str]:
    return [" ".join(rest.split()) for rest in re.findall(rf"^\s*{name} (.*)$", DOCKERFILE, re.MULTILINE)]


def test_both_stages_are_built_on_the_same_pinned_python() -> None:
    images = [image.split()[0] for image in instructions("FROM")]
    assert len(images) == 2
    assert len(set(images)) == 1, "the environment of one stage is used in the other"
    assert re.fullmatch(r"python:3\.12\.\d+-slim-\w+", images[0])


def test_the_image_does_not_run_as_root() -> None:
    (user,) = instructions("USER")
    assert user == "lpa"
    (added,) = [step for step in instructions("RUN") if "useradd" in step]
    assert re.search(r"--uid 10001\b.* lpa$", added)
    assert DOCKERFILE.index("USER lpa") < DOCKERFILE.index("ENTRYPOINT")


def test_the_image_starts_lpa_and_holds_no_secret() -> None:
    assert instructions("ENTRYPOINT") == ['["lpa"]']
    assert instructions("ADD") == []
    assert instructions("ARG") == []
    assert not re.search("PASSWORD|TOKEN|SECRET", DOCKERFILE)


def test_the_image_uses_the_uv_of_the_repository() -> None:
    (pinned,) = re.findall(r"uv==[\d.]+", DOCKERFILE)
    assert pinned in (ROOT / "dev").read_text()


@pytest.mark.slow
def test_the_build_makes_an_environment_that_runs_lpa(tmp_path: Path) -> None:
    """The build's own steps, on the files that .dockerignore lets through."""
    sources = tmp_path / "src"
    sources.mkdir()
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [name for step in instructions("COPY") if "--from" not in step for name in step.split()[:-1]]
    assert set(copied) == set(allowed)
    for name in allowed:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("tests", "__pycache__", ".*"))
        else:
            shutil.copy(ROOT / name, sources)
    steps = [step for step in instructions("RUN") if step.startswith("uv ")]
    assert len(steps) == 2
    for step in steps:
        here = step.replace("--no-cache ", "").replace("python3.12", sys.executable)
        for path in ("/locked.txt", "/opt/lpa", "/dist"):
            here = re.sub(rf"(?<=\s){path}", f"{tmp_path}{path}", here)
        environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
        done = subprocess.run(
            here, shell=True, cwd=sources, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "dist").glob("*.whl"))) == 5
    lpa = tmp_path / "opt" / "lpa" / "bin" / "lpa"
    loaded = subprocess.run([lpa, "plugins", "--json"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert sorted(re.findall(r'"name": "(\w+)"', loaded)) == ["core", "flink", "jobs", "ops", "replay", "sinks"]
    clients = "import confluent_kafka, redis, rocksdict, clickhouse_connect, obstore"
    for imports in (clients, "import lpa_ops.console.app, lpa_ops.read_api.app"):
        subprocess.run([lpa.with_name("python"), "-c", imports], check=True)


RUNS_AS = {
    "apache/kafka": 1000,
    "grafana/grafana": 472,
    "localhost/lpa": 10001,
    "localhost/lpa-flink": 10001,
    "prom/prometheus": 65534,
}
"""Image -> user of its containers, if they do not set the owner of their folder themselves."""


def test_the_folders_that_the_guide_makes_get_their_owners(tmp_path: Path) -> None:
    """Its command, with programs in place of `chown` and `stat` that need no rights."""
    programs, data, said = tmp_path / "bin", tmp_path / "data", tmp_path / "said"
    programs.mkdir()
    for folder in ("kafka", "flink/tmp/checkpoints", "gateway", "clickhouse", "grafana", "lpa-2"):
        (data / folder).mkdir(parents=True)
    (programs / "chown").write_text(f'#!/bin/sh\necho "$2 $3" >> {said}; [ -d "$3" ]\n')
    (programs / "stat").write_text('#!/bin/sh\n[ "$3" = kafka ] && echo 1000 || echo 0\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    service = SERVICES["owners"]
    assert service["volumes"] == [f"./data:{service['working_dir']}"]
    assert service["user"] == "root"
    script = service["command"][0].replace("$$", "$")
    environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
    subprocess.run([*service["entrypoint"], script], cwd=data, env=environment, check=True)

    (uid,) = re.findall(r"--uid (\d+)", DOCKERFILE)
    assert RUNS_AS["localhost/lpa"] == int(uid)
    wanted = {
        f"{RUNS_AS[image]} {mount.split(':')[0].removeprefix('./data/')}"
        for name, each in SERVICES.items()
        for mount in each.get("volumes", [])
        if (image := each["image"].partition(":")[0]) in RUNS_AS and mount.startswith("./data/")
    }
    changed = said.read_text().splitlines()
    assert sorted(changed) == sorted(wanted - {"1000 kafka"} | {f"{uid} lpa-2"}), "kafka has its owner already"


def test_what_runs_as_a_user_waits_for_the_owners() -> None:
    for name, service in SERVICES.items():
        if service["image"].partition(":")[0] in RUNS_AS and service.get("volumes"):
            assert "owners" in service["depends_on"], name


@pytest.mark.parametrize(("status", "exit_status"), [(200, 0), (503, 1)])
@pytest.mark.parametrize("where", ["Dockerfile", "ingest"])
def test_the_health_check_is_what_healthz_says(where: str, status: int, exit_status: int) -> None:
    if where == "Dockerfile":
        (check,) = instructions("HEALTHCHECK")
        program, *arguments = json.loads(check.partition("CMD ")[2])
    else:
        _, program, *arguments = SERVICES[where]["healthcheck"]["test"]
    assert program == "python"
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = [argument.replace("127.0.0.1:8081", f"127.0.0.1:{server.server_port}") for argument in arguments]
        done = subprocess.run([sys.executable, *here], capture_output=True, check=False)
        server.shutdown()
    assert asked == ["/healthz"]
    assert done.returncode == exit_status


@pytest.fixture
def clickhouse(tmp_path: Path) -> Iterator[str]:
    """In a process of its own, for an engine can be only once in one."""
    program = """
from pathlib import Path
from lpa_sinks.testing.http_front import Front
with Front(Path("engine")).serving() as front:
    print(front.port, flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.communicate("\n")


@pytest.fixture
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.mark.slow
def test_the_worker_reaches_database_and_archive_with_what_it_is_given(
    clickhouse: str, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its command on a file in place of the topic, its environment with other addresses and logins, nothing else."""
    service = SERVICES["ingest"]
    places = {
        "CLICKHOUSE_URL": clickhouse,
        "CLICKHOUSE_USER": USER,
        "CLICKHOUSE_PASSWORD": PASSWORD,
        "AWS_ENDPOINT_URL": s3,
        "LPA_ADMIN_ADDRESS": "127.0.0.1:0",
    }
    values = given("ingest")
    assert set(places) <= set(values)
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", **values, **places}

    def lpa(*arguments: str) -> str:
        done = subprocess.run(
            ["lpa", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    (bucket,) = re.findall(r"mc mb --ignore-existing store/(\S+)", SERVICES["bucket"]["command"][0])
    urllib.request.urlopen(urllib.request.Request(f"{s3}/{bucket}", method="PUT")).close()
    lpa("generate", "--events", "50", "--seed", "3", "--output", "events.ndjson")
    lpa("schema", "apply", "--sink", "clickhouse://")
    ingest, *options = service["command"]
    report = json.loads(lpa(ingest, "events.ndjson", *options, "--json"))
    assert report["read"] == 50
    assert report["accepted"] > 0

    count = urllib.request.Request(
        clickhouse,
        b"SELECT count() FROM livepeer_analytics.streaming_events FORMAT TabSeparated",
        {"Authorization": f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"},
    )
    with urllib.request.urlopen(count) as answer:
        assert int(answer.read()) == report["accepted"]
    for name, value in {**values, **places}.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    location = options[options.index("--archive") + 1]
    assert [record.value for record in read_archive(location)] == (tmp_path / "events.ndjson").read_bytes().splitlines()


def given(name: str) -> dict[str, str]:
    """The environment of a service, with the defaults of the file, and something where it has none."""
    values = {key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for key, value in SERVICES[name]["environment"].items()}
    return values | {key: "0123456789abcdef" for key, value in values.items() if "${" in value}


@pytest.mark.slow
def test_the_read_api_answers_with_what_it_is_given_who_has_the_token(clickhouse: str, tmp_path: Path) -> None:
    """Its command and environment with another port, database and login; then its health check, and a request."""
    places = {"CLICKHOUSE_URL": clickhouse, "CLICKHOUSE_USER": USER, "CLICKHOUSE_PASSWORD": PASSWORD}
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", **given("serve"), **places, "LPA_SERVE_ADDRESS": "0.0.0.0:0"}
    command = ["lpa", *SERVICES["serve"]["command"]]

    refused = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (refused.returncode, environment["LPA_SERVE_TOKEN"]) == (2, "")
    assert "LPA_SERVE_TOKEN" in refused.stderr

    schema = ["lpa", "schema", "apply", "--sink", "clickhouse://"]
    subprocess.run(schema, cwd=tmp_path, env=environment, capture_output=True, check=True)
    environment["LPA_SERVE_TOKEN"] = "a-token-of-16-bytes"
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stderr
        port = urlsplit(json.loads(serving.stderr.readline())["url"]).port
        _, _, *arguments = SERVICES["serve"]["healthcheck"]["test"]
        here = [argument.replace(":8090/", f":{port}/") for argument in arguments]
        subprocess.run([sys.executable, *here], check=True)
        url = f"http://127.0.0.1:{port}/v1/streaming/sla"
        with pytest.raises(HTTPError, match="401"):
            urllib.request.urlopen(url)
        asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {environment['LPA_SERVE_TOKEN']}"})
        with urllib.request.urlopen(asked) as answer:
            assert json.load(answer)["data"] == []
        serving.terminate()
        serving.communicate(timeout=60)
    assert serving.returncode == 0
