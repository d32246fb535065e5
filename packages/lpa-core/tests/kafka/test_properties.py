"""librdkafka properties in the settings: where they come from, what is refused, and what is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpa_core.settings.kafka import RESERVED
from lpa_core.settings.loading import SettingsError, load


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refusal(table: str, environment: dict[str, str]) -> list[str]:
    Path("lpa.toml").write_text(table)
    with pytest.raises(SettingsError) as refused:
        load(environment)
    return str(refused.value).splitlines()


def test_a_property_is_taken_from_the_file_and_one_in_the_environment_wins() -> None:
    Path("lpa.toml").write_text(
        """
        [kafka]
        "sasl.username" = "from file"
        sasl.mechanism = "PLAIN"
        "socket.keepalive.enable" = true
        "session.timeout.ms" = 10000
        """
    )
    environment = {
        "LPA_KAFKA_SASL_USERNAME": " me",
        "LPA_KAFKA_SASL_MECHANISM": " ",
        "KAFKA_PORT": "tcp://10.0.0.1:9092",
    }
    assert load(environment).kafka == {
        "sasl.username": " me",
        "sasl.mechanism": "PLAIN",
        "socket.keepalive.enable": "true",
        "session.timeout.ms": "10000",
    }


@pytest.mark.parametrize("name", RESERVED)
def test_a_property_that_the_delivery_sets_is_refused_wherever_it_stands(name: str) -> None:
    variable = "LPA_KAFKA_" + name.upper().replace(".", "_")
    assert refusal("", {variable: "x"}) == [f"{variable}='x': {RESERVED[name]}"]
    assert refusal(f'[kafka]\n"{name}" = "x"', {}) == [f"lpa.toml: kafka.\"{name}\" = 'x': {RESERVED[name]}"]


def test_every_wrong_property_is_named_and_none_that_may_be_secret_is_shown() -> None:
    table = '[kafka]\n"a-b" = 1\n"ssl.key.pem" = ["hunter2"]\n"sasl.password".x = ["hunter2"]\n"group.id" = "g"'
    assert refusal(table, {"LPA_KAFKA_ISOLATION_LEVEL": "read_uncommitted"}) == [
        'lpa.toml: kafka."a-b" = 1: expected the name of a librdkafka property, such as security.protocol',
        "lpa.toml: kafka.\"ssl.key.pem\" = '***': expected text, a number, true or false",
        "lpa.toml: kafka.\"sasl.password.x\" = '***': expected text, a number, true or false",
        "lpa.toml: kafka.\"group.id\" = 'g': QUALITY_GROUP_ID names the group",
        "LPA_KAFKA_ISOLATION_LEVEL='read_uncommitted': the delivery depends on it, it cannot be changed",
    ]


def test_a_kafka_that_is_no_table_is_named() -> None:
    assert refusal("kafka = 3", {}) == ["lpa.toml: kafka = 3: expected a table of librdkafka properties"]


def test_the_settings_in_force_show_no_secret() -> None:
    names = ("SASL_PASSWORD", "SASL_OAUTHBEARER_CLIENT_SECRET", "SSL_KEY_PEM", "SASL_OAUTHBEARER_TOKEN")
    settings = load({f"LPA_KAFKA_{name}": "hunter2" for name in names} | {"LPA_KAFKA_SASL_USERNAME": "me"})
    assert settings.kafka["sasl.password"] == "hunter2"
    assert "hunter2" not in repr(settings)
    assert "'sasl.username': 'me'" in repr(settings)
