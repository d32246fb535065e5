"""Configuration of Java's Kafka clients, from settings that name librdkafka's properties."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from lpa_core.errors import ConfigurationError
from lpa_core.kafka.configuration import envelope_max_bytes
from lpa_core.settings.kafka import PREFIX
from lpa_core.settings.settings import Settings

TRANSACTION_TIMEOUT_MS: Final = 600_000
"""How long the brokers keep a transaction that its checkpoint has not ended: brokers allow 15 minutes at most."""
_LOGIN: Final = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}
_FROM_ENVIRONMENT: Final = "com.livepeer.analytics.flink.LoginFromEnvironment"
"""Of flink-jobs: what stands in properties travels with the job's graph, and a login must not."""
_SAME: Final = ("security.protocol", "client.id", "ssl.endpoint.identification.algorithm")
_TRANSLATED: Final = {
    "ssl.ca.location": "ssl.truststore.location",
    "ssl.ca.pem": "ssl.truststore.certificates",
}
_READ: Final = {*_SAME, *_TRANSLATED, "sasl.mechanism", "sasl.mechanisms", "sasl.username", "sasl.password"}
_SECURING: Final = ("ssl.", "sasl.", "security.")


class JavaClientError(ConfigurationError):
    """A property of librdkafka has no counterpart that the job knows. One line, with the remedy."""


def consumer_properties(settings: Settings, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """For the job's source. Raises JavaClientError."""
    return {
        **_connection(settings, environment),
        "isolation.level": "read_committed",
        "partition.discovery.interval.ms": "5000",
    }


def producer_properties(settings: Settings, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """For what the job publishes. Raises JavaClientError."""
    return {
        **_connection(settings, environment),
        "transaction.timeout.ms": str(TRANSACTION_TIMEOUT_MS),
        "compression.type": "zstd",
        "max.request.size": str(envelope_max_bytes(settings)),
    }


def _connection(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """How to reach the brokers. What librdkafka alone has, such as sizes of its buffers, is left out."""
    given = {name: str(value) for name, value in settings.kafka.items()}
    strange = [name for name in given if name.startswith(_SECURING) and name not in _READ]
    if strange:
        raise JavaClientError(
            f"kafka.{strange[0]}: the job on Flink does not know it: reach the brokers by a CA and a login of "
            f"{', '.join(_LOGIN)}, or run `lpa ingest`"
        )
    found = {"bootstrap.servers": settings.quality.kafka_bootstrap}
    found |= {name: given[name] for name in _SAME if name in given}
    found |= {java: given[name] for name, java in _TRANSLATED.items() if name in given}
    if any(name in given for name in _TRANSLATED):
        found["ssl.truststore.type"] = "PEM"
    if found.get("ssl.endpoint.identification.algorithm") == "none":
        found["ssl.endpoint.identification.algorithm"] = ""
    mechanism = given.get("sasl.mechanism", given.get("sasl.mechanisms", ""))
    if mechanism:
        if mechanism not in _LOGIN:
            raise JavaClientError(
                f"kafka.sasl.mechanism = {mechanism}: the job on Flink knows {', '.join(_LOGIN)}: take one of them"
            )
        for name in ("username", "password"):
            _require_in_environment(f"sasl.{name}", given.get(f"sasl.{name}", ""), environment)
        found["sasl.mechanism"] = mechanism
        found["sasl.jaas.config"] = f"{_LOGIN[mechanism]} required;"
        found["sasl.client.callback.handler.class"] = _FROM_ENVIRONMENT
    return found


def _require_in_environment(name: str, value: str, environment: Mapping[str, str]) -> None:
    variable = PREFIX + name.upper().replace(".", "_")
    if not value or environment.get(variable) != value:
        raise JavaClientError(
            f"kafka.{name}: the job on Flink takes a login from the environment alone: set {variable} for the job "
            "manager, the task managers and the commands, without a line break at its end"
        )
