"""Settings that name librdkafka's properties, as Java's clients need them."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import pytest

from lpa_core.settings.settings import Settings
from lpa_flink.java_clients import JavaClientError, consumer_properties, producer_properties


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
def test_a_login_is_said_as_java_wants_it(mechanism: str, module: str) -> None:
    found = of(security_protocol="SASL_SSL", sasl_mechanism=mechanism, sasl_username="me", sasl_password='a"b\\')
    assert found["security.protocol"] == "SASL_SSL"
    assert found["sasl.mechanism"] == mechanism
    assert found["sasl.jaas.config"] == (
        f'org.apache.kafka.common.security.{module} required username="me" password="a\\"b\\\\";'
    )


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
