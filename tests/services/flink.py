"""Apache Flink as processes of the tests' own: a job manager and task managers of the published package."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, final

from lpa_core.testing.ports import free_ports
from services.processes import PATIENCE, ServiceError

ROOT: Final = Path(__file__).parents[2]
PYTHON: Final = ROOT / ".nox" / "flink-cluster" / "bin" / "python"
"""Of the environment that cluster/ locks: ./dev flink makes it."""
JAR: Final = ROOT / "flink-jobs" / "target" / "livepeer-analytics-flink-0.1.0.jar"
ENTRY_CLASS: Final = "com.livepeer.analytics.pipeline.StreamingEventsToClickHouse"

_LOGGING: Final = ROOT / "packages/lpa-flink/src/lpa_flink/local_cluster/log4j.properties"
_ATTEMPTS: Final = 5

_CONFIGURATION: Final = """
env.java.opts.all: {java_options}
jobmanager.rpc.address: 127.0.0.1
jobmanager.rpc.port: {rpc}
jobmanager.bind-host: 127.0.0.1
jobmanager.memory.process.size: 1000m
rest.address: 127.0.0.1
rest.bind-address: 127.0.0.1
rest.port: {rest}
taskmanager.host: 127.0.0.1
taskmanager.bind-host: 127.0.0.1
taskmanager.numberOfTaskSlots: {slots}
taskmanager.memory.process.size: 1900m
taskmanager.memory.task.off-heap.size: 512m
taskmanager.memory.managed.size: 256m
taskmanager.memory.jvm-metaspace.size: 160m
execution.checkpointing.interval: {checkpoint_ms} ms
execution.checkpointing.dir: file://{folder}/checkpoints
execution.checkpointing.savepoint-dir: file://{folder}/savepoints
heartbeat.interval: 1000
heartbeat.timeout: 8000
restart-strategy.exponential-delay.initial-backoff: 500 ms
web.upload.dir: {folder}/upload
io.tmp.dirs: {folder}/tmp
python.executable: {python}
python.client.executable: {python}
"""


@final
class FlinkCluster:
    """A standalone cluster. Every process begins a group of its own: a killed manager leaves its Pythons behind."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *, slots: int = 2, checkpoint_ms: int = 1000
    ) -> None:
        """``environment`` is what the managers are given beside the tests' own; what is secret is there alone."""
        home = next(PYTHON.parents[1].glob("lib/python*/site-packages/pyflink"))
        self.folder, self._home = folder, home
        for name in ("conf", "log", "tmp", "upload", "lib", "checkpoints", "savepoints"):
            (folder / name).mkdir(parents=True)
        for jar in [*(home / "lib").glob("*.jar"), *(home / "opt").glob("flink-python-*.jar")]:
            (folder / "lib" / jar.name).symlink_to(jar)
        for source in (home / "conf").glob("log4j*.properties"):
            (folder / "conf" / source.name).write_text(f"{source.read_text()}\n{_LOGGING.read_text()}")
        rpc, rest = free_ports(2)
        options = re.search(r"^      all: (.*)$", (home / "conf" / "config.yaml").read_text(), re.MULTILINE)
        assert options is not None
        (folder / "conf" / "config.yaml").write_text(
            _CONFIGURATION.format(
                java_options=options[1], rpc=rpc, rest=rest, slots=slots, checkpoint_ms=checkpoint_ms, folder=folder,
                python=PYTHON,
            )
        )  # fmt: skip
        self.address = f"http://127.0.0.1:{rest}"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))},
            **environment,
            "PATH": os.pathsep.join([str(PYTHON.parent), os.environ["PATH"]]),
            "FLINK_HOME": str(home),
            "FLINK_CONF_DIR": str(folder / "conf"),
            "FLINK_LOG_DIR": str(folder / "log"),
            "FLINK_LIB_DIR": str(folder / "lib"),
        }
        self._started_managers = 0
        self._names: dict[int, str] = {}
        """Process id of a task manager -> what the job manager knows it as."""
        self._began_with: dict[str, str] = {}
        self.job_manager: subprocess.Popen[bytes] | None = None
        self.task_managers: list[subprocess.Popen[bytes]] = []

    def set(self, environment: Mapping[str, str]) -> None:
        """Give the managers that are started from now on these variables, too."""
        self._environment |= environment

    def start(self, task_managers: int = 1) -> None:
        """Start what is missing, and wait until it has found each other. Raises ServiceError."""
        if self.job_manager is None:
            self.job_manager = self._started("jobmanager")
        while len(self.task_managers) < task_managers:
            name = f"task-manager-{self._started_managers}"
            self._started_managers += 1
            self.task_managers.append(self._started("taskmanager", f"-Dtaskmanager.resource-id={name}"))
            self._names[self.task_managers[-1].pid] = name
        wanted = set(self._names.values())

        def there() -> bool:
            found = self.get("/taskmanagers").get("taskmanagers")
            return found is not None and wanted <= {each["id"] for each in found}

        self.until(there, "the managers are there")

    def _started(self, role: str, *properties: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log" / f"{role}.out").open("ab") as log:
            return subprocess.Popen(
                [str(self._home / "bin" / f"{role}.sh"), "start-foreground", *properties],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=self._environment,
                cwd=self.folder,
                start_new_session=True,
            )

    def kill_task_manager(self, number: int = 0) -> None:
        killed = self.task_managers.pop(number)
        _end(killed, signal.SIGKILL)
        del self._names[killed.pid]

    def kill_job_manager(self) -> None:
        assert self.job_manager is not None
        _end(self.job_manager, signal.SIGKILL)
        self.job_manager = None

    def freeze_task_manager(self, seconds: float, number: int = 0) -> None:
        """Stop all its processes for so long, and let them go on."""
        group = os.getpgid(self.task_managers[number].pid)
        os.killpg(group, signal.SIGSTOP)
        time.sleep(seconds)
        os.killpg(group, signal.SIGCONT)

    def close(self) -> None:
        for process in [*self.task_managers, *([self.job_manager] if self.job_manager else [])]:
            _end(process, signal.SIGKILL)
        self.task_managers, self.job_manager = [], None

    # Its REST.

    def get(self, path: str) -> dict[str, Any]:
        """The answer, empty if there is none."""
        return self._curl(path)

    def upload(self, jar: Path = JAR) -> str:
        """Upload the jar as the operations guide does, and return its id."""
        answer = self._curl("/jars/upload", "-X", "POST", "-H", "Expect:", "-F", f"jarfile=@{jar}")
        return str(answer["filename"]).rsplit("/", 1)[-1]

    def run(self, jar: str, *, parallelism: int = 1, savepoint: str = "", arguments: tuple[str, ...] = ()) -> str:
        """Start the job as the operations guide does, and return its id."""
        body: dict[str, Any] = {"entryClass": ENTRY_CLASS, "parallelism": parallelism}
        if savepoint:
            body["savepointPath"] = savepoint
        if arguments:
            body["programArgsList"] = [*arguments]
        answer = self._post(f"/jars/{jar}/run", body)
        if "jobid" not in answer:
            raise ServiceError(f"the job does not start: {str(answer)[-4000:]}")
        self._began_with[answer["jobid"]] = savepoint
        return str(answer["jobid"])

    def stop(self, job: str, *, drain: bool = False) -> str:
        """Stop the job with a savepoint as the operations guide does, and return where the savepoint is.

        A job that is just being restarted makes none: then it is asked again.
        """
        for _ in range(_ATTEMPTS):
            self.until(lambda: self.running(job), "the job runs")
            request = self._post(f"/jobs/{job}/stop", {"drain": drain}).get("request-id")
            if request is None:
                continue
            operation = self._savepoint(f"/jobs/{job}/savepoints/{request}")
            if "location" in operation:
                self.until(lambda: self.state(job) == "FINISHED", "the job has ended")
                return str(operation["location"])
        raise ServiceError(f"the job {job} made no savepoint in {_ATTEMPTS} attempts")

    def _savepoint(self, path: str) -> dict[str, Any]:
        """What became of a savepoint, once it has an end."""
        self.until(lambda: self.get(path).get("status", {}).get("id") == "COMPLETED", "the savepoint has an end")
        operation: dict[str, Any] = self.get(path)["operation"]
        return operation

    def state(self, job: str) -> str:
        return str(self.get(f"/jobs/{job}").get("state", ""))

    def running(self, job: str) -> bool:
        """Whether every task of the job runs."""
        vertices = self.get(f"/jobs/{job}").get("vertices", [])
        return bool(vertices) and all(vertex["status"] == "RUNNING" for vertex in vertices)

    def newest_state(self, job: str) -> str:
        """Where the newest completed checkpoint of a job is, as its files say; without one, what it began with."""
        found = [path.parent for path in (self.folder / "checkpoints" / job).glob("chk-*/_metadata")]
        if not found:
            return self._began_with[job]
        return str(max(found, key=lambda path: int(path.name.removeprefix("chk-"))))

    def until(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise ServiceError(f"never came true: {what}\n{self.logs()}")
            time.sleep(0.2)

    def logs(self) -> str:
        return "\n".join(
            f"== {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in (self.folder / "log").iterdir()
        )

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._curl(path, "-X", "POST", "-H", "Content-Type: application/json", "-d", json.dumps(body))

    def _curl(self, path: str, *arguments: str) -> dict[str, Any]:
        command = ["curl", "--silent", "--max-time", "100", "--noproxy", "*", *arguments, f"{self.address}{path}"]
        done = subprocess.run(command, capture_output=True, check=False)
        try:
            answer = json.loads(done.stdout or b"{}")
        except ValueError:
            return {}
        return answer if isinstance(answer, dict) else {}


def _end(process: subprocess.Popen[bytes], by: signal.Signals) -> None:
    """End the process and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, by)
    process.wait()
