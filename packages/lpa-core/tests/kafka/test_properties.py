"""librdkafka properties in the settings: where they come from, what is refused, and what is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpa_core.settings.kafka import RESERVED
from lpa_core.settings.loading import SettingsError, load
from lpa_core.settings.shown_values import shown


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
        'lpa.toml: kafka."a-b" = ***: expected the name of a librdkafka property, such as security.protocol',
        'lpa.toml: kafka."ssl.key.pem" = ***: expected text, a number, true or false',
        'lpa.toml: kafka."sasl.password.x" = ***: expected text, a number, true or false',
        "lpa.toml: kafka.\"group.id\" = 'g': QUALITY_GROUP_ID names the group",
        "LPA_KAFKA_ISOLATION_LEVEL='read_uncommitted': the delivery depends on it, it cannot be changed",
    ]


def test_a_kafka_that_is_no_table_is_named() -> None:
    assert refusal("kafka = 3", {}) == ["lpa.toml: kafka = 3: expected a table of librdkafka properties"]
    assert refusal("kafka = 'sasl.password=hunter2'", {}) == [
        "lpa.toml: kafka = ***: expected a table of librdkafka properties"
    ]


def test_the_settings_in_force_show_no_secret() -> None:
    names = ("SASL_PASSWORD", "SASL_OAUTHBEARER_CLIENT_SECRET", "SSL_KEY_PEM", "SASL_OAUTHBEARER_TOKEN")
    settings = load({f"LPA_KAFKA_{name}": "hunter2" for name in names} | {"LPA_KAFKA_SASL_USERNAME": "me"})
    assert settings.kafka["sasl.password"] == "hunter2"
    assert "hunter2" not in repr(settings)
    assert "'sasl.username'" in repr(settings)


JAAS = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="hunter2";'


@pytest.mark.parametrize(
    ("name", "value", "instead"),
    [
        ("sasl.jaas.config", JAAS, "sasl.username and sasl.password"),
        ("listener.name.internal.sasl.jaas.config", JAAS, "sasl.username and sasl.password"),
        ("java.security.auth.login.config", "/etc/hunter2.jaas", "sasl.username and sasl.password"),
        ("sasl.client.callback.handler.class", "io.hunter2", "sasl.username and sasl.password"),
        ("sasl.username", JAAS, "sasl.username and sasl.password"),
        ("ssl.truststore.location", "/etc/hunter2.jks", "ssl.ca.location"),
        ("ssl.truststore.password", "hunter2", "ssl.ca.location"),
        ("ssl.keystore.type", "hunter2", "ssl.certificate.location and ssl.key.location"),
        ("ssl.keystore.certificate.chain", "hunter2", "ssl.certificate.location and ssl.key.location"),
        ("opts", "-Djavax.net.ssl.trustStorePassword=hunter2", "leave it out"),
        ("key.deserializer", "org.hunter2.StringDeserializer", "leave it out"),
        ("interceptor.classes", "io.hunter2", "leave it out"),
    ],
)
def test_failure_23_a_property_of_java_is_refused_with_what_to_set_instead(name: str, value: str, instead: str) -> None:
    variable = "LPA_KAFKA_" + name.upper().replace(".", "_")
    for lines in (refusal("", {variable: value}), refusal(f"[kafka]\n'{name}' = '{value}'", {})):
        (line,) = lines
        assert "that is for Java" in line
        assert instead in line
        assert "hunter2" not in line


def test_failure_23_a_keystore_of_java_is_refused_and_one_of_pkcs_12_is_not() -> None:
    (line,) = refusal("", {"LPA_KAFKA_SSL_KEYSTORE_LOCATION": "/etc/client.jks"})
    assert line.startswith("LPA_KAFKA_SSL_KEYSTORE_LOCATION='/etc/client.jks': that is for Java: ")
    assert load({"LPA_KAFKA_SSL_KEYSTORE_LOCATION": "/etc/client.p12"}).kafka == {
        "ssl.keystore.location": "/etc/client.p12"
    }


@pytest.mark.parametrize("name", ["no.such.property", "sasl.oauthbearer.config", "sasl.kerberos.kinit.cmd", "Sasl-x"])
def test_failure_23_what_is_not_on_the_list_is_never_shown(name: str) -> None:
    assert shown(name, "hunter2") == "***"
    (line,) = refusal(f"[kafka]\n'{name}' = ['hunter2']", {})
    assert "hunter2" not in line


def test_failure_23_what_is_on_the_list_is_shown_without_a_login() -> None:
    assert shown("security.protocol", "SASL_SSL") == "SASL_SSL"
    assert shown("CLICKHOUSE_URL", "http://me:hunter2@host") == "http://***@host"
    assert shown("QUALITY_SUPPORTED_VERSIONS", ("1", "v1")) == "1,v1"
    assert shown("AWS_REGION", "eu-west-1") == "eu-west-1"
    assert shown("CLICKHOUSE_PASSWORD", "hunter2") == shown("AWS_SECRET_ACCESS_KEY", "hunter2") == "***"
    assert shown("client.id", "x; password=hunter2") == "***"
