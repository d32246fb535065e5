"""Configuration of Kafka's clients (confluent-kafka), from settings.

The names are librdkafka's. What a user sets under ``[kafka]`` wins over defaults chosen here, and never over what the
delivery depends on: lpa_core.settings.kafka refuses that.
"""

from __future__ import annotations

from typing import Any, Final

from lpa_core.kafka.client_log import ClientLog
from lpa_core.settings.settings import Settings

CLIENT_ID: Final = "lpa"
QUEUED_KBYTES: Final = 65_536
"""Of records that a consumer holds in advance, over all its partitions."""
TRANSACTION_TIMEOUT_MS: Final = 15_000
"""After this time the broker aborts the transaction of a dead worker; the next worker waits for that."""
NEW_PARTITIONS_MS: Final = 5_000
"""How often a consumer looks for partitions that were added."""
_ROOM_BYTES: Final = 65_536
"""For an envelope's key, headers and names, beside what its row holds too."""


def consumer_configuration(settings: Settings) -> dict[str, Any]:
    """For a member of the consumer group. Offsets are committed by the delivery alone, in its transactions."""
    quality = settings.quality
    return {
        "session.timeout.ms": 45_000,
        "fetch.wait.max.ms": 100,
        "fetch.max.bytes": 52_428_800,
        "max.partition.fetch.bytes": 4_194_304,
        "queued.max.messages.kbytes": QUEUED_KBYTES,
        "topic.metadata.refresh.interval.ms": NEW_PARTITIONS_MS,
        **_connection(settings),
        "group.id": quality.group_id,
        **({"group.instance.id": quality.group_instance_id} if quality.group_instance_id else {}),
        "partition.assignment.strategy": "cooperative-sticky",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
    }


def producer_configuration(settings: Settings, transactional_id: str) -> dict[str, Any]:
    """For a producer of transactions. ``transactional_id`` belongs to one producer at a time: a newer one fences it."""
    return {
        "compression.type": "zstd",
        "linger.ms": 5,
        # A transaction that follows at once on another is turned away until the brokers have written that one down.
        "retry.backoff.ms": 10,
        # What wakes a transaction that waits for a group coordinator which has moved (librdkafka issue 5511).
        "topic.metadata.refresh.interval.ms": 1_000,
        # A topic that was deleted is told of before the transaction times out.
        "topic.metadata.propagation.max.ms": 5_000,
        "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
        **_connection(settings),
        "message.max.bytes": envelope_max_bytes(settings),
        "transactional.id": transactional_id,
    }


def sender_configuration(settings: Settings) -> dict[str, Any]:
    """For a producer without transactions. A record that no broker takes for ``message.timeout.ms`` has failed."""
    return {
        "compression.type": "zstd",
        "linger.ms": 20,
        "message.timeout.ms": 20_000,
        **_connection(settings),
        "enable.idempotence": True,
    }


def admin_configuration(settings: Settings) -> dict[str, Any]:
    """For an admin client."""
    return _connection(settings)


def envelope_max_bytes(settings: Settings) -> int:
    """The largest record of a reject topic, uncompressed: envelopes are cut so that their row fits its limit."""
    return settings.clickhouse.sink_max_record_bytes + _ROOM_BYTES


def _connection(settings: Settings) -> dict[str, Any]:
    log = ClientLog()
    return {
        "client.id": CLIENT_ID,
        "statistics.interval.ms": 0,
        **settings.kafka,
        "bootstrap.servers": settings.quality.kafka_bootstrap,
        "logger": log,
        "error_cb": log.error,
    }
