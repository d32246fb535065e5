"""``lpa doctor`` on a fresh machine, and on its settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from doctor.answers import NOWHERE, Doctor, failed, text
from lpa_core.cli import run
from lpa_core.testing.ports import free_port


def test_failure_31_a_fresh_machine_is_told_what_the_defaults_do(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("LPA_ADMIN_ADDRESS", "LPA_LOG_LEVEL", "HEALTH_DISK_FREE_SHARE"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("LPA_ADMIN_ADDRESS", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("HEALTH_DISK_FREE_SHARE", "0,0")
    found = doctor(status=0)
    assert "would read the topic streaming_events of kafka:9092" in text(found, "source")
    assert "a start makes it" in text(found, "data_folder")
    assert f"a start makes {Path('lpa-data/clickhouse').absolute()} and its tables" in text(found, "embedded_database")
    assert found["kafka_login"]["state"] == "not applicable"
    assert run(["doctor"]) == 0
    assert capsys.readouterr().out.endswith(
        "doctor: a job can start; no source was looked at: "
        "for a file `lpa doctor FILE`, for Kafka set QUALITY_KAFKA_BOOTSTRAP\n"
    )
    assert [*Path().iterdir()] == []


def test_a_sink_alone_is_told_how_to_ask_about_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sink = ["--sink", f"clickhouse://{NOWHERE}/x"]
    for name in ("LPA_LOG_LEVEL", "HEALTH_DISK_FREE_SHARE"):
        monkeypatch.delenv(name)
    assert run(["doctor", *sink]) == 1
    told = capsys.readouterr().out
    assert "1 is set, the others have their default" in " ".join(told.split())
    assert told.endswith(" checks failed; for a file: `lpa doctor FILE`\n")
    Path("events.ndjson").touch()
    assert run(["doctor", "events.ndjson", *sink]) == 1
    assert "lpa doctor FILE" not in capsys.readouterr().out
    monkeypatch.setenv("QUALITY_KAFKA_BOOTSTRAP", NOWHERE)
    assert run(["doctor", *sink]) == 1
    assert "lpa doctor FILE" not in capsys.readouterr().out


def test_failure_31_settings_that_a_start_refuses_hide_no_other_check(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("lpa.toml").write_text("[quality]\ndedup_tl = 5\n")
    monkeypatch.setenv("LPA_STOP_SECONDS", "never")
    monkeypatch.setenv("LPA_PLUGINS_REQUIRED", "absent")
    monkeypatch.setenv("QUALITY_KAFKA_BOOTSTRAP", NOWHERE)
    found = doctor()
    assert failed(found) == ["settings", "kafka_address"]
    for part in ("lpa.toml:2: quality.dedup_tl", "LPA_STOP_SECONDS='never'", "there is no plugin absent"):
        assert part in text(found, "settings")
    assert "`lpa config`" in found["settings"]["action"]


def test_a_misspelt_variable_is_a_warning(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LPA_DATADIR", "x")
    found = doctor(status=0)
    assert found["settings"]["state"] == "warning"
    assert "did you mean LPA_DATA_DIR" in text(found, "settings")
