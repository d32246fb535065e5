"""The cluster on this machine: started with its own folders, and ended with everything that it started.

The processes are stand-ins for Flink's; ``./dev flink`` starts the real ones.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lpa_core.errors import LpaError
from lpa_core.settings.loading import load
from lpa_flink.connection import flink_client
from lpa_flink.local_cluster.cluster import LocalCluster
from lpa_flink.local_cluster.processes import ClusterProcess, alive

JOBMANAGER = """#!/bin/sh
exec {python} - "$FLINK_CONF_DIR" <<'END'
import http.server, re, sys
port = int(re.search(r"rest.port: (\\d+)", open(sys.argv[1] + "/config.yaml").read())[1])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{{"taskmanagers":1,"slots-total":2,"slots-available":2,"flink-version":"2.2.1"}}')
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
END
"""
TASKMANAGER = """#!/bin/sh
# A Python of the job, which does not end when it is asked to, and one for which this script waits.
sh -c 'trap "" TERM; while :; do sleep 0.05; done' pyflink &
echo $! > "$FLINK_LOG_DIR/worker.pid"
echo "$CLICKHOUSE_PASSWORD" > "$FLINK_LOG_DIR/secret"
exec sh -c 'while :; do sleep 0.05; done' "$FLINK_CONF_DIR"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A stand-in for the folder of Flink, beside a Python that knows it."""
    folder = tmp_path / "pyflink"
    for name in ("bin", "conf", "lib", "opt"):
        (folder / name).mkdir(parents=True)
    for name, text in (("jobmanager", JOBMANAGER.format(python=sys.executable)), ("taskmanager", TASKMANAGER)):
        script = folder / "bin" / f"{name}.sh"
        script.write_text(text)
        script.chmod(0o755)
    (folder / "conf" / "log4j-console.properties").write_text("rootLogger.level = INFO\n")
    (folder / "lib" / "flink-dist-2.2.1.jar").touch()
    (folder / "opt" / "flink-python-2.2.1.jar").touch()
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho {folder}\n")
    python.chmod(0o755)
    return folder


@pytest.fixture
def cluster(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCluster]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setattr("lpa_flink.local_cluster.cluster._END_SECONDS", 0.3)
    settings = load({"LPA_DATA_DIR": str(tmp_path / "data"), "LPA_FLINK_ADDRESS": f"http://127.0.0.1:{port}"})
    made = LocalCluster(settings, flink_client(settings))
    yield made
    made.stop()


def start(cluster: LocalCluster, tmp_path: Path) -> list[ClusterProcess]:
    return cluster.start(str(tmp_path / "python"), 1, lambda text: None, {**os.environ, "CLICKHOUSE_PASSWORD": "x"})


def gone(pid: int) -> bool:
    until = time.monotonic() + 2
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.slow
def test_a_cluster_is_there_when_it_is_started_and_gone_with_its_pythons_when_it_is_stopped(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    started = start(cluster, tmp_path)
    assert [each.role for each in started] == ["jobmanager", "taskmanager"]
    assert cluster.running() == started
    log = cluster.folder / "log"
    assert (log / "secret").read_text() == "x\n", "what jobs are given comes from the environment"
    assert "CLICKHOUSE" not in (cluster.folder / "conf" / "config.yaml").read_text()
    logging = (cluster.folder / "conf" / "log4j-console.properties").read_text()
    assert logging.startswith("rootLogger.level = INFO")
    assert "control.DefaultJobBundleFactory\nlogger.bundles.level = OFF" in logging
    assert {path.name for path in (cluster.folder / "lib").iterdir()} == {
        "flink-dist-2.2.1.jar",
        "flink-python-2.2.1.jar",
    }
    with pytest.raises(LpaError, match="a cluster runs already"):
        start(cluster, tmp_path)
    worker = int((log / "worker.pid").read_text())
    there, killed = cluster.stop()
    assert {each.role for each in there} == {"jobmanager", "taskmanager"}
    assert [each.role for each in killed] == ["taskmanager"], "its Python did not end by itself"
    assert gone(worker)
    assert cluster.running() == []
    assert cluster.stop() == ([], [])


@pytest.mark.slow
def test_failure_34_the_pythons_of_a_task_manager_that_was_killed_are_ended(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    _, taskmanager = start(cluster, tmp_path)
    os.kill(taskmanager.pid, signal.SIGKILL)
    worker = int((cluster.folder / "log" / "worker.pid").read_text())
    assert taskmanager in cluster.running()
    cluster.stop()
    assert gone(worker)


def test_a_process_that_got_the_number_later_is_left_alone(tmp_path: Path) -> None:
    own = os.spawnlp(os.P_NOWAIT, "setsid", "setsid", "sleep", "30")
    try:
        until = time.monotonic() + 2
        while os.getpgid(own) != own and time.monotonic() < until:
            time.sleep(0.01)
        assert not alive(ClusterProcess("taskmanager", own), tmp_path)
    finally:
        os.kill(own, signal.SIGKILL)
        os.waitpid(own, 0)


@pytest.mark.slow
def test_a_process_that_ends_as_it_starts_names_its_log(cluster: LocalCluster, home: Path, tmp_path: Path) -> None:
    (home / "bin" / "taskmanager.sh").write_text("#!/bin/sh\necho no memory; exit 1\n")
    with pytest.raises(LpaError, match=r"the taskmanager ended as it started: .*taskmanager-1\.log says why"):
        start(cluster, tmp_path)
    assert cluster.running() == []


@pytest.mark.parametrize("address", ["http://flink:8092", "http://0.0.0.0:8092", "https://127.0.0.1:8092"])
def test_a_cluster_listens_on_this_machine_alone(tmp_path: Path, address: str) -> None:
    settings = load({"LPA_DATA_DIR": str(tmp_path), "LPA_FLINK_ADDRESS": address})
    with pytest.raises(LpaError, match="not of this machine alone"):
        LocalCluster(settings, flink_client(settings)).start("python", 1, lambda text: None)


def test_a_python_without_flink_is_told(cluster: LocalCluster) -> None:
    with pytest.raises(LpaError, match="has not both apache-flink and lpa-flink"):
        cluster.start(sys.executable, 1, lambda text: None)
    with pytest.raises(LpaError, match="does not run"):
        cluster.start("/nowhere/python", 1, lambda text: None)
