"""``lpa doctor`` on brokers."""

from __future__ import annotations

import pytest

from doctor.answers import NOWHERE, Doctor, failed, serving, text


@pytest.mark.parametrize(
    ("environment", "check", "said"),
    [
        (
            {},
            "kafka_address",
            "nobody listens (connection refused) | check QUALITY_KAFKA_BOOTSTRAP and that the brokers",
        ),
        ({"QUALITY_KAFKA_BOOTSTRAP": "no.such.host.invalid:9092"}, "kafka_address", "cannot be resolved"),
        ({"LPA_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "kafka_client", "SASL mechanism"),
        ({"LPA_KAFKA_SSL_CIPHER": "x"}, "kafka_client", 'No such configuration property: "ssl.cipher"'),
        ({"QUALITY_DLQ_TOPIC": "streaming_events"}, "kafka_client", "must name four topics"),
    ],
)
def test_failure_31_brokers_that_cannot_be_reached_are_told(
    environment: dict[str, str], check: str, said: str, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"QUALITY_KAFKA_BOOTSTRAP": NOWHERE, **environment}.items():
        monkeypatch.setenv(name, value)
    found = doctor()
    assert check in failed(found)
    assert said in text(found, check)
    assert found["kafka_topics"]["state"] == "not tried"


def test_failure_31_one_of_two_brokers_that_is_away_is_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(b"<html>") as address:
        monkeypatch.setenv("QUALITY_KAFKA_BOOTSTRAP", f"{NOWHERE},{address}")
        said = text(doctor(), "kafka_address")
    assert "nobody listens" in said
    assert f"{address} is an HTTP server, no Kafka broker" in said
