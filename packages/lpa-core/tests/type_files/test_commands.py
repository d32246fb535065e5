"""``lpa types``, and files of event types that a start names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lpa_core.cli import run
from lpa_core.plugins.fingerprint import fingerprint
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import load
from lpa_core.type_files.faults import EventTypesError

GOOD = """
[types.reading.envelope]
has = ["sensor"]
timestamp = "at"
time = "iso8601"

[types.reading.tables.sensor_readings.columns]
sensor = "label"
value = { kind = "float64", on_mismatch = "reject" }

[ignore.bench]
event_types = ["reading"]
where = { sensor = "bench" }
"""
BAD = GOOD.replace("float64", "float")
SAMPLES = [
    {"sensor": "a", "at": "2026-01-08T12:00:00Z", "value": 1},
    {"sensor": "bench", "at": "2026-01-08T12:00:00Z", "value": 1},
    {"sensor": "a", "at": "2026-01-08T12:00:00Z", "value": "x"},
]

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.toml").write_text(GOOD)
    Path("bad.toml").write_text(BAD)
    Path("samples.ndjson").write_text("".join(f"{json.dumps(each)}\n" for each in SAMPLES))


def test_a_good_file_is_checked(capsys: Capture) -> None:
    assert run(["types", "check", "good.toml"]) == 0
    told = capsys.readouterr().out
    assert "sensor_readings (2 columns)" in told
    assert told.endswith("1 event type, 1 ignore rule: all is well\n")


def test_faults_have_file_and_line(capsys: Capture) -> None:
    assert run(["types", "check", "bad.toml", "missing.toml"]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "bad.toml:9: column value: kind is 'float', which is none; did you mean float64" in told
    assert "missing.toml: cannot be read: No such file or directory: check the path" in told
    assert run(["types", "check", "--json", "bad.toml"]) == 1
    (fault,) = json.loads(capsys.readouterr().out)["faults"]
    assert (fault["file"], fault["line"]) == ("bad.toml", 9)


def test_names_of_lpa_and_of_other_files_are_taken(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("taken.toml").write_text('[types.stream_trace.tables.job_auth_events.columns]\nx = "text"\n')
    assert run(["types", "check", "taken.toml"]) == 1
    assert "event type 'stream_trace' is declared twice" in capsys.readouterr().out
    monkeypatch.setenv("LPA_EVENT_TYPES", "good.toml")
    Path("again.toml").write_text('[types.x.tables.sensor_readings.columns]\nx = "text"\n')
    assert run(["types", "check", "again.toml"]) == 1
    assert "table 'sensor_readings' is declared by" in capsys.readouterr().out
    assert run(["types", "check", "good.toml"]) == 0
    assert run(["types", "check"]) == 0


def test_nothing_to_check_is_wrong_usage(capsys: Capture) -> None:
    assert run(["types", "check"]) == 2
    assert capsys.readouterr().err == "lpa: no file to check: name one, or set LPA_EVENT_TYPES\n"


def test_samples_become_rows(capsys: Capture) -> None:
    assert run(["types", "try", "good.toml", "samples.ndjson"]) == 1
    told = capsys.readouterr().out
    assert "1       2026-01-08T12:00:00.000  a       1.0" in told
    assert "value_mismatch  data.value is 'x'" in told
    assert told.endswith("3 samples: 1 accepted, 1 ignored, 1 rejected\n")
    assert run(["types", "try", "good.toml", "samples.ndjson", "--json"]) == 1
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["tables"]["sensor_readings"] == [
        {"sample": 1, "event_timestamp": 1_767_873_600_000, "sensor": "a", "value": 1.0}
    ]
    assert found["ignored"] == {"2": "bench"}
    assert [*found["rejected"]] == ["3"]


def test_a_file_with_faults_is_not_tried(capsys: Capture) -> None:
    assert run(["types", "try", "bad.toml", "samples.ndjson"]) == 2
    assert capsys.readouterr().err.startswith("lpa: bad.toml:9: column value")


def test_a_proposal_takes_its_samples(capsys: Capture) -> None:
    assert run(["types", "infer", "samples.ndjson"]) == 0
    Path("proposed.toml").write_text(capsys.readouterr().out)
    assert run(["types", "check", "proposed.toml"]) == 0
    assert run(["types", "try", "proposed.toml", "samples.ndjson"]) == 0
    Path("odd.ndjson").write_text("[1]\n")
    assert run(["types", "infer", "odd.ndjson"]) == 1
    Path("odd.ndjson").write_text("{\n")
    assert run(["types", "infer", "odd.ndjson"]) == 2
    Path("odd.ndjson").write_text("\n")
    assert run(["types", "infer", "odd.ndjson"]) == 2


def test_a_start_takes_the_types_of_the_files(tmp_path: Path) -> None:
    plugins = PluginManager(load({"LPA_EVENT_TYPES": "good.toml"}))
    assert [each.name for plugin, each in plugins.types_of_plugins() if plugin.name == "types"] == ["reading"]
    assert [rule.reason for rule in plugins.ignore_rules()][-1] == "bench"


def test_a_start_with_faults_ends_with_a_line_for_each(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("lpa.toml").write_text('[lpa]\nevent_types = ["bad.toml", "missing.toml"]\n')
    with pytest.raises(EventTypesError):
        PluginManager(load())
    assert run(["plugins"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("lpa: bad.toml:9: column value: kind is 'float'")
    assert second.startswith("missing.toml: cannot be read")


def test_diagnoses_run_with_faults_and_tell_them(capsys: Capture) -> None:
    Path("lpa.toml").write_text('[lpa]\nevent_types = ["bad.toml"]\n')
    assert run(["config"]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "lpa.toml:2: lpa.event_types = bad.toml: EventTypesError: bad.toml:9: column value" in told
    assert run(["types", "check"]) == 1


def test_a_table_of_another_plugin_is_told(capsys: Capture) -> None:
    Path("lpa.toml").write_text('[lpa]\nevent_types = ["taken.toml"]\n')
    Path("taken.toml").write_text('[types.x.tables.job_auth_events.columns]\nx = "text"\n')
    assert run(["plugins"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("lpa: taken.toml: table 'job_auth_events' of 'x' is that of 'job_auth' of the plugin jobs")
    assert told.count("\n") == 1


def test_the_fingerprint_is_of_what_the_files_hold() -> None:
    settings = load({"LPA_EVENT_TYPES": "good.toml"})
    plugins = PluginManager(settings).plugins
    before = fingerprint(settings, plugins)
    Path("other.toml").write_text(GOOD)
    moved = load({"LPA_EVENT_TYPES": "other.toml"})
    assert fingerprint(moved, plugins) == before
    Path("good.toml").write_text(f"{GOOD}\n[types.b.tables.b.columns]\nx = 'text'\n")
    assert fingerprint(settings, plugins) != before
