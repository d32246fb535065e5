"""Values and files that hold something nobody sees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from lpa_core.cli import run
from lpa_core.invisible import invisible_at_ends, text_of, trimmed
from lpa_core.settings.loading import SettingsError, load

ENDS = ["\n", "\r", "\r\n", " \n"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("end", [*ENDS, "\u200b", "\u00a0"])
@pytest.mark.parametrize(
    ("variable", "value", "option"),
    [
        ("QUALITY_GROUP_ID", "workers", "quality.group_id"),
        ("QUALITY_INPUT_TOPIC", "events", "quality.input_topic"),
        ("QUALITY_OFFSET_GAP_POLICY", "latest", "quality.offset_gap_policy"),
        ("QUALITY_KAFKA_BOOTSTRAP", "a:1", "quality.kafka_bootstrap"),
        ("CLICKHOUSE_URL", "http://h:1", "clickhouse.url"),
        ("CLICKHOUSE_USER", "me", "clickhouse.user"),
        ("CLICKHOUSE_DATABASE", "d", "clickhouse.database"),
        ("LPA_ADMIN_TOKEN", "0123456789abcdef", "lpa.admin_token"),
        ("LPA_ENVIRONMENT", "prod", "lpa.environment"),
        ("LPA_BACKUP_DIR", "s3://bucket/b", "lpa.backup_dir"),
        ("LPA_ADMIN_ADDRESS", "127.0.0.1:0", "lpa.admin_address"),
        ("LPA_STOP_SECONDS", "5", "lpa.stop_seconds"),
    ],
)
def test_failure_23_what_is_invisible_at_the_end_of_a_setting_is_left_out(
    variable: str, value: str, option: str, end: str
) -> None:
    group, name = option.split(".")
    assert str(getattr(getattr(load({variable: f"\ufeff{value}{end}"}), group), name)) == value


@pytest.mark.parametrize("variable", ["CLICKHOUSE_PASSWORD", "LPA_KAFKA_SASL_PASSWORD", "LPA_KAFKA_SSL_KEY_PASSWORD"])
@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("hunter2\n", "ends in a line break: leave it out"),
        ("hunter2\r\n", "ends in a line break: leave it out"),
        ("hunter2\r", "ends in a line break: leave it out"),
        ("\ufeffhunter2", "begins with a byte order mark: leave it out"),
        ("hunter2\u200b", "begins or ends with an invisible character: leave it out"),
    ],
)
def test_failure_23_a_secret_that_holds_something_invisible_is_refused(
    variable: str, value: str, why: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert run(["plugins"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"lpa: {variable}=***: ")
    assert said.endswith(f"{why}\n")
    assert "hunter2" not in said


def test_failure_23_a_secret_may_hold_spaces_and_a_certificate_line_breaks() -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    settings = load({"CLICKHOUSE_PASSWORD": " a b ", "LPA_KAFKA_SSL_KEY_PEM": pem, "LPA_KAFKA_SSL_CA_PEM": pem})
    assert settings.clickhouse.password == " a b "
    assert settings.kafka == {"ssl.key.pem": pem, "ssl.ca.pem": pem}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["security.protocol", "sasl.mechanism", "sasl.username", "client.id"])
def test_failure_23_a_property_of_kafka_is_taken_without_a_line_break(name: str, end: str) -> None:
    variable = "LPA_KAFKA_" + name.upper().replace(".", "_")
    assert load({variable: f"VALUE{end}"}).kafka == {name: "VALUE"}
    Path("lpa.toml").write_text(f'[kafka]\n"{name}" = "VALUE{repr(end)[1:-1]}"\n')
    assert load({}).kafka == {name: "VALUE"}


def test_failure_23_a_property_with_a_line_break_in_it_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"LPA_KAFKA_SASL_USERNAME='a\\nb': holds a control character"):
        load({"LPA_KAFKA_SASL_USERNAME": "a\nb"})


def test_failure_23_a_byte_order_mark_in_the_settings_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "lpa.toml").write_bytes('[quality]\r\ngroup_id = "mine"\r\n'.encode("utf-8-sig"))
    assert load({}).quality.group_id == "mine"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_failure_23_a_settings_file_in_utf_16_is_told_as_that(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "lpa.toml").write_bytes('[quality]\ngroup_id = "mine"\n'.encode(encoding))
    with pytest.raises(SettingsError, match=r"^lpa.toml cannot be read as TOML: it is UTF-16 text.*: save it as UTF-8"):
        load({})


def test_failure_23_a_settings_file_in_another_encoding_says_where() -> None:
    Path("lpa.toml").write_bytes('[quality]\ngroup_id = "für"\n'.encode("latin-1"))
    with pytest.raises(SettingsError, match=r"^lpa.toml cannot be read as TOML: it is not UTF-8 text \(byte 24\)"):
        load({})


def test_texts_are_trimmed_and_decoded() -> None:
    assert trimmed("\ufeff \u200b a b \u2060\r\n") == "a b"
    assert invisible_at_ends(" a ") == ""
    assert text_of("\ufeffa".encode()) == "a"
