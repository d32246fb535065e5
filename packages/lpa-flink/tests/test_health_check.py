"""What the check of the job says, by what Flink's REST says."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpa_core.health.check import Finding, Scope
from lpa_core.settings.loading import load
from lpa_core.settings.thresholds import State
from lpa_flink.health_check import judge
from lpa_flink.plugin import lpa_health_checks
from lpa_flink.testing.flink_server import FlinkServer, StandInJob


@pytest.fixture
def server(server_for_all: FlinkServer) -> FlinkServer:
    server_for_all.forget()
    return server_for_all


def found(server: FlinkServer, address: str = "") -> Finding:
    settings = load({"LPA_FLINK_ADDRESS": address or server.address, "HEALTH_TIMEOUT_SECONDS": "2"})
    return judge(Scope(settings, now_ms=0, since_ms=0))


def running(server: FlinkServer, folder: Path, *, age: float = 4) -> StandInJob:
    job = StandInJob("a" * 32)
    job.made(folder / "chk-1", savepoint=False, ago_seconds=age)
    server.jobs.append(job)
    return job


def test_without_flink_there_is_no_check() -> None:
    assert lpa_health_checks(load({})) == ()
    assert [each.name for each in lpa_health_checks(load({"LPA_FLINK_ADDRESS": "http://flink:8092"}))] == ["flink_job"]


def test_a_job_that_makes_checkpoints_is_well_and_gives_its_figures(server: FlinkServer, tmp_path: Path) -> None:
    job = running(server, tmp_path)
    job.failed_checkpoints = 3
    job.operator_metrics = {"0.gate.waitingRecords": 7, "1.gate.waitingRecords": 1, "0.records.pendingRecords": 9}
    finding = found(server)
    assert (finding.state, finding.value) == (State.OK, 4.0)
    assert "8 records wait for a checkpoint" in finding.detail
    assert {figure.name: figure.value for figure in finding.figures} == {
        "restarts": 0,
        "checkpoints_failed": 3,
        "waiting_records": 8,
        "lag_records": 9,
    }


@pytest.mark.parametrize(("age", "state"), [(119, State.OK), (121, State.WARNING), (601, State.CRITICAL)])
def test_a_checkpoint_gets_old(server: FlinkServer, tmp_path: Path, age: float, state: State) -> None:
    running(server, tmp_path, age=age)
    assert found(server).state is state


def test_an_old_checkpoint_comes_with_the_reason_for_which_there_is_no_newer_one(
    server: FlinkServer, tmp_path: Path
) -> None:
    job = running(server, tmp_path, age=121)
    job.failure = "a.B: x\nCaused by: java.io.IOException: No space left on device"
    assert "; the last failed by: No space left on device" in found(server).detail
    job.failed_number = 0
    assert "failed by" not in found(server).detail, "one was made since"


def test_a_job_without_a_checkpoint_is_as_old_as_itself(server: FlinkServer) -> None:
    server.jobs.append(StandInJob("a" * 32, now=1_767_870_000_000 + 130_000))
    assert (found(server).state, found(server).value) == (State.WARNING, 130.0)


def test_restarts_of_late_are_a_warning_with_their_cause(server: FlinkServer, tmp_path: Path) -> None:
    job = running(server, tmp_path)
    job.metrics = {"numRestarts": 2, "uptime": 5_000}
    job.exception = "a.B: x\nCaused by: c.D: broker away"
    finding = found(server)
    assert finding.state is State.WARNING
    assert "it failed by: broker away" in finding.detail
    job.metrics["uptime"] = 601_000
    assert found(server).state is State.OK


@pytest.mark.parametrize("state", ["RESTARTING", "FAILING", "CANCELLING"])
def test_a_job_that_does_not_run_is_critical(server: FlinkServer, tmp_path: Path, state: str) -> None:
    job = running(server, tmp_path)
    job.state, job.exception = state, "a.B: broker away"
    finding = found(server)
    assert finding.state is State.CRITICAL
    assert state in finding.detail
    assert "broker away" in finding.detail


def test_a_job_that_ended_is_critical_and_says_why(server: FlinkServer) -> None:
    assert "no job livepeer-analytics runs" in found(server).detail
    server.jobs.append(StandInJob("a" * 32, state="FAILED", exception="a.B: disk full"))
    finding = found(server)
    assert finding.state is State.CRITICAL
    assert "is FAILED: disk full" in finding.detail
    assert "lpa flink restore" in finding.action


def test_a_cluster_that_is_not_there_is_critical(server: FlinkServer) -> None:
    finding = found(server, "http://127.0.0.1:1")
    assert finding.state is State.CRITICAL
    assert "http://127.0.0.1:1" in finding.detail


def test_a_cluster_that_answers_with_errors_is_critical(server: FlinkServer) -> None:
    server.refuses["GET /jobs/overview"] = (500, {"errors": ["a.B: no leader"]})
    finding = found(server)
    assert finding.state is State.CRITICAL
    assert "no leader" in finding.detail
