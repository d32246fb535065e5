"""The settings of the brokers on which the delivery depends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from lpa_core.delivery.commit_metadata import MAX_BYTES, MAX_SPAN, room, widest
from lpa_core.delivery.consumer_group import BrokerError
from lpa_core.kafka.admin import SECONDS
from lpa_core.settings.settings import Settings

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

_METADATA: Final = "offset.metadata.max.bytes"

_log = structlog.get_logger("lpa.kafka")


def metadata_bytes(admin: AdminClient, settings: Settings) -> int:
    """How many bytes of metadata a commit may have, MAX_BYTES at most; so many too where this login may not ask.

    Raises BrokerError if that is too little for ranges of the size that is set.
    """
    limit = _smallest(admin)
    if limit is None:
        return MAX_BYTES
    span = min(settings.clickhouse.sink_max_batch_size, MAX_SPAN)
    if room(span) > limit:
        lower = f", or CLICKHOUSE_SINK_MAX_BATCH_SIZE to {widest(limit)} or less" if widest(limit) else ""
        raise BrokerError(
            f"Kafka at {settings.quality.kafka_bootstrap}: {_METADATA} of the brokers is {limit}, but ranges of "
            f"{span} records may need {room(span)}: set it to {MAX_BYTES} on the brokers{lower}"
        )
    return min(limit, MAX_BYTES)


def _smallest(admin: AdminClient) -> int | None:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import ConfigResource  # type: ignore[attr-defined]  # documented there

    try:
        names = admin.list_topics(timeout=SECONDS).brokers
        brokers = [ConfigResource(ConfigResource.Type.BROKER, str(each)) for each in names]
        described = [each.result() for each in admin.describe_configs(brokers, request_timeout=SECONDS).values()]
    except KafkaException as error:
        _log.info("the settings of the brokers cannot be read", setting=_METADATA, reason=error.args[0].str())
        return None
    return min((int(each[_METADATA].value) for each in described if _METADATA in each), default=None)
