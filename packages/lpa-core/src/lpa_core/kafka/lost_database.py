"""A database that holds nothing, although the group has committed what was stored in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lpa_core.delivery.checkpoint import CheckpointError
from lpa_core.delivery.startup import GapPolicy
from lpa_core.kafka.admin import SECONDS, admin_client, explained
from lpa_core.settings import Settings
from lpa_core.sinks import Sink, Storing


def require_not_lost(sinks: Iterable[Sink], settings: Settings) -> None:
    """Raise CheckpointError where no sink holds anything, and the topic still has records before what is committed.

    They would never be read. Where the gap policy is to go on, nothing is asked. Raises SinkUnavailable, LogError,
    LogUnavailable.
    """
    storing = [sink for sink in sinks if isinstance(sink, Storing)]
    if GapPolicy(settings.quality.offset_gap_policy) is not GapPolicy.FAIL or not storing:
        return
    if not all(sink.is_empty() for sink in storing):
        return
    passed = _passed(settings)
    if passed:
        raise CheckpointError(
            f"{storing[0]} holds nothing, though the group {settings.quality.group_id} has committed {passed:,} "
            f"records of {settings.quality.input_topic} as stored: bring them back with `lpa recover total-loss`; "
            "without any backup, `lpa recover offset-loss` has read again what the topic still holds; to leave "
            "them out, set QUALITY_OFFSET_GAP_POLICY=latest"
        )


def _passed(settings: Settings) -> int:
    """How many offsets that the topic still holds lie before those that the group has committed."""
    from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
    from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # documented there

    admin, quality = admin_client(settings), settings.quality
    with explained("read committed offsets", settings):
        (group,) = admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(quality.group_id)], request_timeout=SECONDS
        ).values()
        found = group.result().topic_partitions or []
        committed = {
            each.partition: each.offset for each in found if each.topic == quality.input_topic and each.offset > 0
        }
        if not committed:
            return 0
        earliest: Any = OffsetSpec.earliest
        asked = {TopicPartition(quality.input_topic, number): earliest() for number in committed}
        low = {each.partition: at.result().offset for each, at in admin.list_offsets(asked).items()}
    return sum(max(0, offset - low[number]) for number, offset in committed.items())
