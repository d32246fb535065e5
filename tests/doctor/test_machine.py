"""``lpa doctor`` on the machine: clock, time zone, limits, ports, proxies."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from doctor.answers import NOWHERE, Doctor, failed, serving, text

LPA: Final = Path(sys.executable).with_name("lpa")


def test_failure_31_a_clock_before_the_release_is_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lpa_core.start_checks.machine.time.time_ns", lambda: 1_000_000_000)
    assert "correct the clock of this machine" in text(doctor(), "clock")


def test_failure_31_a_time_zone_that_is_none_is_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Nowhere")
    found = doctor(status=0)
    assert found["time_zone"]["state"] == "warning"
    assert "TZ=Europe/Nowhere names no time zone" in text(found, "time_zone")


def test_failure_31_few_open_files_are_told() -> None:
    limited = subprocess.run(
        ["bash", "-c", f'ulimit -n 300; "{LPA}" doctor --json'], capture_output=True, text=True, check=False, timeout=60
    )
    found = {each["name"]: each for each in json.loads(limited.stdout)["checks"]}
    assert limited.returncode == 1
    assert "may have 300 files" in found["file_limits"]["detail"]
    assert "`ulimit -n`" in found["file_limits"]["action"]


@pytest.mark.slow
def test_failure_31_a_port_that_another_program_has_is_told_and_one_of_a_running_job_is_not_a_failure(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUALITY_KAFKA_BOOTSTRAP", NOWHERE)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        monkeypatch.setenv("LPA_ADMIN_ADDRESS", f"127.0.0.1:{taken.getsockname()[1]}")
        found = doctor()
        assert {*failed(found)} == {"admin_address", "kafka_address"}
        assert "in use by another program | set it to a free port" in text(found, "admin_address")
    with serving(b"", server="lpa") as address:
        monkeypatch.setenv("LPA_ADMIN_ADDRESS", address)
        found = doctor()
        assert failed(found) == ["kafka_address"]
        assert "a running job of lpa has it" in text(found, "admin_address")


def test_proxies_of_the_environment_are_told_without_their_login(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter@proxy:3128")
    found = doctor(status=0)
    assert "HTTPS_PROXY=http://***@proxy:3128" in text(found, "proxies")
    assert "hunter" not in str(found)
