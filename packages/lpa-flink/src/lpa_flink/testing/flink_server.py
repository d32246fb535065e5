"""A job manager's REST for tests, over HTTP: jobs are started, make checkpoints and savepoints on disk, and end.

The answers have the form of those in ``recorded_answers.json``, which a cluster of Flink 2.2.1 gave.
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, final

import attrs

Answer = tuple[int, object]

_VERTEX: Final = "e5a72f353fc1e6bbf3bd96a41384998c"


@final
@attrs.define
class StandInJob:
    """A job that runs until it is stopped. Its clock stands still, and says ``now``."""

    id: str
    name: str = "livepeer-analytics"
    state: str = "RUNNING"
    start_time: int = 1_767_870_000_000
    now: int = 1_767_870_060_000
    parallelism: int = 1
    parameters: Mapping[str, str] = attrs.field(factory=dict[str, str])
    metrics: dict[str, object] = attrs.field(factory=lambda: {"numRestarts": 0})
    operator_metrics: dict[str, object] = attrs.field(
        factory=lambda: {"0.source.pendingRecords": 0, "0.gate.waitingRecords": 0}
    )
    checkpoints: list[dict[str, object]] = attrs.field(factory=list)
    failed_checkpoints: int = 0
    failure: str = ""
    """Why the checkpoint of ``failed_number`` was not made."""
    failed_number: int = 1_000
    exception: str = ""
    requests: dict[str, Answer] = attrs.field(factory=dict)

    def made(self, path: Path, *, savepoint: bool, ago_seconds: float = 1) -> None:
        """Keep a whole checkpoint or savepoint at this path."""
        path.mkdir(parents=True)
        (path / "_metadata").touch()
        self.checkpoints.insert(
            0,
            {
                "id": len(self.checkpoints) + 1,
                "status": "COMPLETED",
                "is_savepoint": savepoint,
                "trigger_timestamp": self.now,
                "latest_ack_timestamp": self.now - int(ago_seconds * 1000),
                "end_to_end_duration": 200,
                "state_size": 265,
                "external_path": f"file:{path}",
            },
        )


@final
class FlinkServer:
    """Serves until it is closed.

    Attributes:
        jobs: the newest first.
        runs: what each ``run`` was sent.
        parameters: what a job publishes that is started here.
        refuses: answers that are given instead, by the beginning of ``METHOD /path``.
    """

    def __init__(self) -> None:
        self.forget()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def forget(self) -> None:
        """Be as new."""
        self.jobs: list[StandInJob] = []
        self.jars: list[str] = []
        self.runs: list[dict[str, Any]] = []
        self.parameters: Mapping[str, str] = {}
        self.refuses: dict[str, Answer] = {}
        self.taskmanagers = 1

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        for beginning, answer in self.refuses.items():
            if f"{method} {path}".startswith(beginning):
                return answer
        plain = path.partition("?")[0]
        if plain == "/overview":
            return 200, {
                "taskmanagers": self.taskmanagers,
                "slots-total": 2 * self.taskmanagers,
                "slots-available": 2 * self.taskmanagers,
                "flink-version": "2.2.1",
            }
        if plain == "/jobs/overview":
            return 200, {"jobs": [_listed(job) for job in self.jobs]}
        if plain.startswith("/jars"):
            return self._of_jars(method, plain, body)
        if found := re.fullmatch(r"/jobs/(\w+)(/.*)?", plain):
            for job in self.jobs:
                if job.id == found[1]:
                    return self._of_job(job, method, found[2] or "", body)
        return 404, {"errors": [f"org.apache.flink.runtime.rest.NotFoundException: {plain} not found"]}

    def _of_jars(self, method: str, path: str, body: bytes) -> Answer:
        if path == "/jars/upload":
            name = re.search(rb'filename="([^"]+)"', body)
            self.jars.append(f"{uuid.uuid4()}_{name[1].decode() if name else ''}")
            return 200, {"filename": f"/upload/{self.jars[-1]}", "status": "success"}
        if path.endswith("/run"):
            asked = json.loads(body)
            if any(job.id == asked["jobId"] for job in self.jobs):
                return 400, {
                    "errors": ["org.apache.flink.x: Could not execute application.\nCaused by: a.B: Job exists"]
                }
            self.runs.append(asked)
            now = time.time_ns() // 1_000_000
            self.jobs.insert(
                0,
                StandInJob(
                    asked["jobId"],
                    start_time=now,
                    now=now + 60_000,
                    parallelism=asked["parallelism"],
                    parameters=self.parameters,
                ),
            )
            return 200, {"jobid": asked["jobId"]}
        if method == "DELETE":
            self.jars.remove(path.removeprefix("/jars/"))
            return 200, {}
        files = [{"id": jar, "name": jar.partition("_")[2], "uploaded": n} for n, jar in enumerate(self.jars)]
        return 200, {"address": self.address, "files": files}

    def _of_job(self, job: StandInJob, method: str, path: str, body: bytes) -> Answer:
        if method == "POST" and path in ("/stop", "/savepoints"):
            return self._triggered(job, json.loads(body), ends=path == "/stop")
        if path.startswith("/savepoints/"):
            return job.requests[path.removeprefix("/savepoints/")]
        if method == "PATCH":
            job.state = "CANCELED"
            return 202, {}
        if path.startswith("/vertices"):
            return 200, [{"id": name, "value": str(value)} for name, value in job.operator_metrics.items()]
        return 200, {
            "": {
                **_listed(job),
                "now": job.now,
                "vertices": [
                    {
                        "id": _VERTEX,
                        "name": "Source: source -> gate",
                        "parallelism": job.parallelism,
                        "status": job.state,
                    }
                ],
            },
            "/config": {"jid": job.id, "execution-config": {"user-config": dict(job.parameters)}},
            "/checkpoints": _checkpoints(job),
            "/exceptions": {"exceptionHistory": {"entries": [{"stacktrace": job.exception}] if job.exception else []}},
            "/metrics": [{"id": name, "value": str(value)} for name, value in job.metrics.items()],
        }[path]

    def _triggered(self, job: StandInJob, asked: dict[str, Any], *, ends: bool) -> Answer:
        request = asked["triggerId"]
        if request not in job.requests:
            target = asked["targetDirectory" if ends else "target-directory"].removeprefix("file://")
            path = Path(target) / f"savepoint-{job.id[:6]}-{uuid.uuid4().hex[:12]}"
            job.made(path, savepoint=True)
            if ends:
                job.state = "FINISHED"
            job.requests[request] = 200, {"status": {"id": "COMPLETED"}, "operation": {"location": f"file:{path}"}}
        return 202, {"request-id": request}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def _reply(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, content = server.answer(self.command, self.path, body)
                text = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_DELETE = do_PATCH = _reply  # noqa: N815  # the names of http.server

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: tests read what commands print."""

        return Handler


@contextmanager
def flink_server() -> Iterator[FlinkServer]:
    server = FlinkServer()
    try:
        yield server
    finally:
        server.close()


def _listed(job: StandInJob) -> dict[str, object]:
    return {"jid": job.id, "name": job.name, "state": job.state, "start-time": job.start_time}


def _checkpoints(job: StandInJob) -> dict[str, object]:
    completed = [each for each in job.checkpoints if not each["is_savepoint"]]
    savepoints = [each for each in job.checkpoints if each["is_savepoint"]]
    return {
        "counts": {
            "restored": 0,
            "completed": len(completed),
            "failed": job.failed_checkpoints,
            "in_progress": 0,
        },
        "latest": {
            "completed": completed[0] if completed else None,
            "savepoint": savepoints[0] if savepoints else None,
            "failed": _failed(job) if job.failure else None,
        },
        "history": job.checkpoints,
    }


def _failed(job: StandInJob) -> dict[str, object]:
    return {
        "id": job.failed_number,
        "status": "FAILED",
        "trigger_timestamp": job.now,
        "failure_message": job.failure,
    }
