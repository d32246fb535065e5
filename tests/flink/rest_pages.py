"""Everything that Flink's REST shows about a cluster and a job."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

from services.flink import FlinkCluster

_OF_CLUSTER = (
    "/config",
    "/overview",
    "/jars",
    "/jobs",
    "/jobs/overview",
    "/jobs/metrics",
    "/datasets",
    "/taskmanagers",
)
_OF_JOB_MANAGER = ("config", "environment", "log", "logs", "stdout", "metrics", "thread-dump")
_OF_TASK_MANAGER = ("", "/log", "/logs", "/stdout", "/metrics", "/thread-dump")
_OF_JOB = (
    *("", "/config", "/plan", "/exceptions", "/accumulators", "/checkpoints", "/checkpoints/config"),
    *("/metrics", "/jobmanager/config", "/jobmanager/environment", "/resource-requirements", "/status"),
)
_OF_VERTEX = (
    "",
    "/accumulators",
    "/backpressure",
    "/metrics",
    "/jm-operator-metrics",
    "/subtasktimes",
    "/taskmanagers",
)


def rest_pages(cluster: FlinkCluster, job: str) -> dict[str, str]:
    """Each page's text by its path."""
    return {path: _text(cluster, path) for path in _paths(cluster, job)}


def _paths(cluster: FlinkCluster, job: str) -> Iterator[str]:
    yield from _OF_CLUSTER
    yield from (f"/jobmanager/{name}" for name in _OF_JOB_MANAGER)
    yield from (f"/jobmanager/logs/{log['name']}" for log in cluster.get("/jobmanager/logs")["logs"])
    for manager in cluster.get("/taskmanagers")["taskmanagers"]:
        own = f"/taskmanagers/{manager['id']}"
        yield from (f"{own}{name}" for name in _OF_TASK_MANAGER)
        yield from (f"{own}/logs/{log['name']}" for log in cluster.get(f"{own}/logs").get("logs", []))
    yield from (f"/jars/{jar['id']}/plan" for jar in cluster.get("/jars")["files"][:1])
    yield from (f"/jobs/{job}{name}" for name in _OF_JOB)
    for each in cluster.get(f"/jobs/{job}/checkpoints")["history"][:1]:
        yield f"/jobs/{job}/checkpoints/details/{each['id']}"
    for vertex in cluster.get(f"/jobs/{job}")["vertices"]:
        yield from (f"/jobs/{job}/vertices/{vertex['id']}{name}" for name in _OF_VERTEX)


def _text(cluster: FlinkCluster, path: str) -> str:
    command = ["curl", "--silent", "--max-time", "60", "--noproxy", "*", f"{cluster.address}{path}"]
    return subprocess.run(command, capture_output=True, check=False).stdout.decode(errors="replace")
