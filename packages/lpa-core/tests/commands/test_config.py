"""``lpa config``: what is in force, where it comes from, and everything that is wrong with it at once."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import structlog

from lpa_core.cli import run
from lpa_core.settings.loading import described, load
from lpa_core.settings.settings_file import SettingsFile


@pytest.fixture(autouse=True)
def _nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    prefixes = ("LPA_", *{f"{setting.variable.partition('_')[0]}_" for setting in described()})
    for name in [name for name in os.environ if name.startswith((*prefixes, "PLUGINS_"))]:
        monkeypatch.delenv(name)
    yield
    structlog.reset_defaults()


def shown(capsys: pytest.CaptureFixture[str], status: int = 0) -> dict[str, Any]:
    assert run(["config", "--json"]) == status
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def by_name(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in [*found["settings"], *found["kafka"]]}


def test_each_setting_has_its_value_and_where_it_comes_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("lpa.toml").write_text(
        '# own\n[quality]\nsupported_versions = [\n  "1",\n]\ngroup_id = "g"\ndlq_topic = "d"\n'
    )
    monkeypatch.setenv("QUALITY_GROUP_ID", "mine")
    monkeypatch.setenv("QUALITY_INPUT_TOPIC", "  ")
    settings = by_name(shown(capsys))
    assert set(settings) == {setting.variable for setting in described()}
    place = {name: (each["value"], each["from"]) for name, each in settings.items()}
    assert place["QUALITY_SUPPORTED_VERSIONS"] == ("1", "lpa.toml:3")
    assert place["QUALITY_DLQ_TOPIC"] == ("d", "lpa.toml:7")
    assert place["QUALITY_GROUP_ID"] == ("mine", "environment")
    assert place["QUALITY_INPUT_TOPIC"] == ("streaming_events", "default")
    assert place["REPLAY_DLQ_TOPIC"] == ("d", "QUALITY_DLQ_TOPIC")
    assert place["LPA_BACKUP_DIR"] == (str(Path("lpa-data/backups").absolute()), "LPA_DATA_DIR")
    ttl = settings["QUALITY_DEDUP_TTL_MINUTES"]
    assert (ttl["type"], ttl["unit"], ttl["accepted"]) == (
        "whole number",
        "minutes",
        "a whole number of at least 1, at most 5256000",
    )


def test_what_is_shown_is_what_a_start_has(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The values that are shown are given to a start: it has the same settings then."""
    monkeypatch.setenv("HEALTH_DISK_FREE_SHARE", "0.3,0.2")
    monkeypatch.setenv("LPA_PLUGINS_DISABLED", "ops, replay")
    found = shown(capsys)
    given = {each["name"]: each["value"] for each in found["settings"] if each["from"] in ("default", "environment")}
    assert load(given) == load()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('quality.group_id = "a"\n\nlpa.data_dir = "b"', {"quality.group_id": 1, "lpa.data_dir": 3}),
        ('lpa = { data_dir = "x", log_level = "info" }', {"lpa.data_dir": 1, "lpa.log_level": 1}),
        (
            '[lpa]\r\n# one\r\ndata_dir = """\r\n[quality]\r\n"""\r\nlog_level = "info"',
            {"lpa.data_dir": 3, "lpa.log_level": 6},
        ),
        ('[kafka]\n"sasl.username" = "a"\nsasl.mechanism = "b"', {"kafka.sasl.username": 2, "kafka.sasl.mechanism": 3}),
    ],
)
def test_the_line_is_found_however_it_is_written(text: str, lines: dict[str, int]) -> None:
    Path("lpa.toml").write_bytes(text.encode())
    found = SettingsFile.read(Path("lpa.toml"))
    assert {name: found.lines[name] for name in lines} == lines


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("lpa.toml").write_text('[kafka]\n"sasl.password" = "hunter-1"\n')
    for name, value in {
        "CLICKHOUSE_PASSWORD": "hunter-2",
        "LPA_ADMIN_TOKEN": "hunter-3",
        "CLICKHOUSE_URL": "http://me:hunter-4@host:1",
        "LPA_KAFKA_SSL_KEY_PASSWORD": "hunter-5",
        "LPA_PASWORD": "hunter-6",
    }.items():
        monkeypatch.setenv(name, value)
    for arguments in (["config"], ["config", "--json"]):
        assert run(arguments) == 1
        printed = capsys.readouterr()
        assert "hunter" not in printed.out + printed.err
        assert "***" in printed.out


def test_failure_31_options_of_plugins_are_shown_without_values_and_those_of_no_plugin_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("lpa.toml").write_text('[plugins.sinks]\nurl = "hunter-1"\n[plugins.sniks]\nurl = "hunter-2"\n')
    monkeypatch.setenv("PLUGINS_SINKS_TOKEN", "hunter-3")
    monkeypatch.setenv("PLUGINS_SNKS_TOKEN", "hunter-4")
    found = shown(capsys, status=1)
    assert [(each["name"], each["value"], each["from"]) for each in found["plugins"]] == [
        ("plugins.sinks.url", "***", "lpa.toml:2"),
        ("PLUGINS_SINKS_TOKEN", "***", "environment"),
    ]
    assert found["unknown"] == [
        {"name": "plugins.sniks", "nearest": "plugins.sinks"},
        {"name": "PLUGINS_SNKS_TOKEN", "nearest": "PLUGINS_SINKS_..."},
    ]
    assert "hunter" not in str(found)
    assert run(["config"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "plugins.sniks in lpa.toml:4 is of no plugin that is installed, and has no effect; did you mean" in said


def test_failure_31_everything_that_is_wrong_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("lpa.toml").write_text(
        "[quality]\ndedup_tl = 5\ninput_topic = 'a/b'\n[nothing]\nx = 1\n"
        "[kafka]\n'sasl.usrname' = 'me'\n'group.id' = 'g'\n"
    )
    monkeypatch.setenv("LPA_LOG_LEVEL", "loud")
    monkeypatch.setenv("LPA_KAFKA_SECURITY_PROTOCOL", "tls")
    monkeypatch.setenv("LPA_PLUGINS_REQUIRED", "sniks")
    monkeypatch.setenv("LPA_PLUGINS_DISABLED", "cor")
    monkeypatch.setenv("HEALTH_CHECKS_DISABLED", "disc")
    found = shown(capsys, status=1)
    for part in (
        "LPA_LOG_LEVEL='loud': expected debug, info, warning or error",
        "lpa.toml:2: quality.dedup_tl is not a setting; did you mean quality.dedup_ttl_minutes",
        "lpa.toml:3: quality.input_topic = 'a/b': expected a topic name",
        "lpa.toml:5: nothing is not a setting; there are [quality]",
        "lpa.toml:8: kafka.\"group.id\" = 'g': QUALITY_GROUP_ID names the group",
        'lpa.toml:7: kafka.sasl.usrname = ***: No such configuration property: "sasl.usrname"; did you mean sasl.user',
        'LPA_KAFKA_SECURITY_PROTOCOL=tls: Invalid value "tls"',
        "LPA_PLUGINS_REQUIRED=sniks: there is no plugin sniks; did you mean sinks",
        "LPA_PLUGINS_DISABLED=cor: there is no plugin cor; did you mean core",
        "HEALTH_CHECKS_DISABLED=disc: there is no health check disc; did you mean disk",
    ):
        assert any(line.startswith(part) for line in found["refused"]), f"{part} is not in {found['refused']}"
    assert len(found["refused"]) == 10
    assert by_name(found)["LPA_LOG_LEVEL"]["problem"]
    assert run(["config"]) == 1
    assert "refused: 10" in capsys.readouterr().out


def test_failure_31_a_start_tells_unknown_names_and_wrong_values_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    Path("lpa.toml").write_text("[quality]\ndedup_tl = 5\ninput_topic = 'a/b'\n")
    assert run(["plugins"]) == 2
    said = capsys.readouterr().err
    assert "quality.dedup_tl is not a setting" in said
    assert "quality.input_topic = 'a/b': expected" in said


@pytest.mark.parametrize("text", ["[health]\nfreshness_minutes = 5\n", "quality = 5\n", "kafka = 5\n", "lpa = []\n"])
def test_failure_31_a_value_of_another_type_is_refused_like_any_other(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("lpa.toml").write_text(text)
    assert len(shown(capsys, status=1)["refused"]) == 1
    assert run(["plugins"]) == 2
    said = capsys.readouterr().err
    assert "expected" in said
    assert "unexpected" not in said


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("LPA_DATADIR", "LPA_DATA_DIR"),
        ("QUALTY_INPUT_TOPIC", "QUALITY_INPUT_TOPIC"),
        ("lpa_data_dir", "LPA_DATA_DIR"),
        ("CLICKHOUSE_PASWORD", "CLICKHOUSE_PASSWORD"),
        ("LPA_KAFK_SASL_USERNAME", "LPA_KAFKA_SASL_USERNAME"),
        ("HEALTH_ZZZZZZZZZZZZ", None),
    ],
)
def test_failure_31_a_misspelt_variable_is_told_with_the_nearest(
    name: str, nearest: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, "x")
    assert shown(capsys, status=1)["unknown"] == [{"name": name, "nearest": nearest}]
    assert run(["config"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert f"{name} in the environment is not a setting" in said
    assert nearest is None or f"did you mean {nearest}" in said


def test_what_others_set_is_not_taken_for_a_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "CLICKHOUSE_PORT": "tcp://10.0.0.1:8123",
        "CLICKHOUSE_SERVICE_HOST": "10.0.0.1",
        "CLICKHOUSE_SERVICE_PORT": "8123",
        "CLICKHOUSE_SERVICE_PORT_HTTP": "8123",
        "CLICKHOUSE_PORT_8123_TCP_ADDR": "10.0.0.1",
        "KAFKA_PORT": "tcp://10.0.0.2:9092",
        "AWS_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    assert shown(capsys)["unknown"] == []


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"LPA_KAFKA_MAX_POLL_INTERVAL_MS": "5"}, "must be >="),
        ({"LPA_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "SASL mechanism"),
        ({"LPA_KAFKA_SECURITY_PROTOCOL": "SSL", "LPA_KAFKA_SSL_CA_LOCATION": "/none"}, "ssl.ca.location failed"),
        ({"LPA_KAFKA_SESSION_TIMEOUT_MS": "-5"}, "outside allowed range"),
    ],
)
def test_failure_31_what_librdkafka_does_not_take_is_told_before_a_start(
    environment: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (line,) = shown(capsys, status=1)["refused"]
    assert said in line


@pytest.mark.parametrize("content", [b"[quality", b"\xff", b"a = 1\na = 2"])
def test_failure_31_a_file_that_cannot_be_read_is_told_with_all_that_can(
    content: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("lpa.toml").write_bytes(content)
    monkeypatch.setenv("LPA_LOG_LEVEL", "error")
    found = shown(capsys, status=1)
    assert [line.startswith("lpa.toml cannot be read as TOML") for line in found["refused"]] == [True]
    assert by_name(found)["LPA_LOG_LEVEL"]["value"] == "error"


def test_nothing_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    shown(capsys)
    assert [*Path().iterdir()] == []
