"""Why brokers turn a client away, told with the setting that mends it: on a broker with logins and TLS."""

from __future__ import annotations

import pytest
from services.security import PASSWORD, USER, SecuredKafka

from lpa_core.cli import run

LOGIN = {
    "security_protocol": "SASL_PLAINTEXT",
    "sasl_mechanism": "PLAIN",
    "sasl_username": USER,
    "sasl_password": PASSWORD,
}
REASONS = [
    ("LOGIN", {**LOGIN, "sasl_password": "wrong"}, "the login was refused", "check sasl.username and sasl.password"),
    ("LOGIN", {**LOGIN, "sasl_username": "nobody"}, "the login was refused", "check sasl.username and sasl.password"),
    ("LOGIN", {**LOGIN, "sasl_mechanism": "SCRAM-SHA-512"}, "does not take sasl.mechanism SCRAM-SHA-512", "PLAIN"),
    ("LOGIN", {}, "asks for a login (PLAIN)", "set security.protocol to SASL_PLAINTEXT"),
    ("LOGIN", {"security_protocol": "SSL"}, "speaks no TLS", "set security.protocol to SASL_PLAINTEXT"),
    ("PLAINTEXT", LOGIN, "takes no login", "set security.protocol to PLAINTEXT"),
    ("PLAINTEXT", {"security_protocol": "SSL"}, "speaks no TLS", "set security.protocol to PLAINTEXT"),
    ("TLS", {}, "speaks TLS", "set security.protocol to SSL"),
    ("TLS", LOGIN, "speaks TLS", "SASL_SSL"),
    ("TLS", {"security_protocol": "SSL"}, "certificate verify failed", "set ssl.ca.location"),
    ("EXPIRED", {"security_protocol": "SSL", "ssl_ca_location": "CA"}, "certificate has expired", "renew it"),
    ("ELSEWHERE", {"security_protocol": "SSL", "ssl_ca_location": "CA"}, "IP address mismatch", "as its certificate"),
    ("MUTUAL", {"security_protocol": "SSL", "ssl_ca_location": "CA"}, "asks for a certificate", "ssl.key.location"),
]


@pytest.mark.parametrize(("listener", "properties", "reason", "remedy"), REASONS)
def test_failure_15_the_reason_and_the_setting_are_told(
    secured_kafka: SecuredKafka,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    listener: str,
    properties: dict[str, str],
    reason: str,
    remedy: str,
) -> None:
    monkeypatch.setenv("QUALITY_KAFKA_BOOTSTRAP", secured_kafka.addresses[listener])
    monkeypatch.setenv("LPA_KAFKA_SOCKET_CONNECTION_SETUP_TIMEOUT_MS", "2000")
    monkeypatch.setattr("lpa_core.kafka.topics.SECONDS", 2.0)
    for name, value in properties.items():
        where = str(secured_kafka.authority) if value == "CA" else value
        monkeypatch.setenv(f"LPA_KAFKA_{name.upper()}", where)
    assert run(["topics", "show"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
    assert reason in line
    assert remedy in line
    assert PASSWORD not in line
