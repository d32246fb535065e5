"""Settings that name librdkafka's properties, as Java's clients need them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs
import pytest

from lpa_core.settings.settings import Settings
from lpa_flink.java_clients import JavaClientError, consumer_properties, producer_properties

FLINK_JOBS: Final = Path(__file__).parents[3] / "flink-jobs/src/main/java/com/livepeer/analytics/flink"


def of(**properties: str) -> Mapping[str, str]:
    return consumer_properties(
        attrs.evolve(Settings(), kafka={name.replace("_", "."): value for name, value in properties.items()})
    )


def test_only_committed_records_are_read_and_rejects_outlast_an_outage() -> None:
    assert of() == {
        "bootstrap.servers": "kafka:9092",
        "isolation.level": "read_committed",
        "partition.discovery.interval.ms": "5000",
    }
    assert producer_properties(Settings())["transaction.timeout.ms"] == "600000"


@pytest.mark.parametrize(
    ("mechanism", "module"),
    [("PLAIN", "plain.PlainLoginModule"), ("SCRAM-SHA-512", "scram.ScramLoginModule")],
)
def test_a_login_is_left_to_the_environment_of_the_managers(
    mechanism: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LPA_KAFKA_SASL_USERNAME", "me")
    monkeypatch.setenv("LPA_KAFKA_SASL_PASSWORD", "secret")
    found = of(security_protocol="SASL_SSL", sasl_mechanism=mechanism, sasl_username="me", sasl_password="secret")
    assert found["security.protocol"] == "SASL_SSL"
    assert found["sasl.mechanism"] == mechanism
    assert found["sasl.jaas.config"] == f"org.apache.kafka.common.security.{module} required;"
    handler = found["sasl.client.callback.handler.class"].rpartition(".")[2]
    source = (FLINK_JOBS / f"{handler}.java").read_text("utf-8")
    assert '"LPA_KAFKA_SASL_USERNAME"' in source
    assert '"LPA_KAFKA_SASL_PASSWORD"' in source
    assert "secret" not in str(found)


def test_a_login_that_stands_in_a_file_is_refused() -> None:
    with pytest.raises(JavaClientError, match=r"kafka\.sasl\.username: .*: set LPA_KAFKA_SASL_USERNAME"):
        of(sasl_mechanism="PLAIN", sasl_username="me", sasl_password="secret")


def test_a_ca_becomes_a_trust_store() -> None:
    found = of(ssl_ca_location="/ca.pem", ssl_endpoint_identification_algorithm="none")
    assert (found["ssl.truststore.type"], found["ssl.truststore.location"]) == ("PEM", "/ca.pem")
    assert found["ssl.endpoint.identification.algorithm"] == ""


def test_properties_of_librdkafka_alone_are_left_out() -> None:
    assert of(queued_max_messages_kbytes="1") == of()


@pytest.mark.parametrize(
    ("name", "value"),
    [("ssl.key.location", "/key.pem"), ("sasl.mechanism", "GSSAPI"), ("sasl.oauthbearer.config", "x")],
)
def test_what_has_no_counterpart_is_refused_and_never_shown(name: str, value: str) -> None:
    with pytest.raises(JavaClientError, match=name):
        consumer_properties(attrs.evolve(Settings(), kafka={name: value, "sasl.password": "secret"}))
