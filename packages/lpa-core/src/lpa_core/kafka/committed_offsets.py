"""The committed offsets of a consumer group, with the text beside each, and whether it has members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import tenacity

from lpa_core.delivery.consumer_group import BrokerUnavailable, Commit, Partition
from lpa_core.kafka.admin import SECONDS, explained
from lpa_core.savepoints import SavepointError
from lpa_core.settings.settings import Settings

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

_PATIENCE_SECONDS: Final = 60.0
"""Longer than the transactions of workers last."""


def require_stopped(admin: AdminClient, settings: Settings) -> None:
    """Raise SavepointError while the group has members: what they commit would overtake what is read or written."""
    from confluent_kafka import KafkaError, KafkaException

    group = settings.quality.group_id
    with explained(f"describe the group {group}", settings):
        (described,) = admin.describe_consumer_groups([group], request_timeout=SECONDS).values()
        try:
            members = described.result().members
        except KafkaException as error:
            if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:
                raise
            return
    if members:
        who = ", ".join(sorted({f"{member.client_id} at {member.host.lstrip('/')}" for member in members}))
        raise SavepointError(
            f"the group {group} has live members ({len(members)}: {who}): stop the workers first; one that was killed "
            "counts until its session times out, after 45 s"
        )


def committed(admin: AdminClient, settings: Settings) -> dict[Partition, Commit]:
    """What the group has committed, for every partition that it has committed anything for.

    Raises BrokerUnavailable also where a transaction that commits offsets is still open, BrokerError.
    """
    with explained("read committed offsets", settings):
        listed = admin.list_consumer_group_offsets(
            [_group_offsets(settings)], require_stable=True, request_timeout=SECONDS
        )
        found = _only(listed).topic_partitions
        _raise_errors(found)
    return {
        Partition(each.topic, each.partition): Commit(each.offset, each.metadata or "")
        for each in found
        if each.offset >= 0
    }


def committed_in_the_end(admin: AdminClient, settings: Settings) -> dict[Partition, Commit]:
    """What :func:`committed` answers, once it does: a transaction that is open, such as a killed worker's, hides it.

    Raises what :func:`committed` raises, after a minute.
    """
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(BrokerUnavailable),
        stop=tenacity.stop_after_delay(_PATIENCE_SECONDS),
        wait=tenacity.wait_random(0.05, 0.3),
        reraise=True,
    )(committed, admin, settings)


def commit(admin: AdminClient, settings: Settings, commits: Mapping[Partition, Commit]) -> None:
    """Make these what the group has committed; other partitions stay as they are.

    Raises SavepointError while the group has members, BrokerError, BrokerUnavailable.
    """
    from confluent_kafka import TopicPartition

    require_stopped(admin, settings)
    if not commits:
        return
    offsets = [
        TopicPartition(partition.topic, partition.number, each.offset, metadata=each.metadata)
        for partition, each in commits.items()
    ]
    with explained("write committed offsets", settings):
        altered = admin.alter_consumer_group_offsets([_group_offsets(settings, offsets)], request_timeout=SECONDS)
        _raise_errors(_only(altered).topic_partitions)


def _group_offsets(settings: Settings, offsets: Any = None) -> Any:
    from confluent_kafka import ConsumerGroupTopicPartitions

    return ConsumerGroupTopicPartitions(settings.quality.group_id, offsets)


def _only(futures: Mapping[str, Any]) -> Any:
    (future,) = futures.values()
    return future.result()


def _raise_errors(partitions: Any) -> None:
    from confluent_kafka import KafkaException

    for partition in partitions:
        if partition.error is not None:
            raise KafkaException(partition.error)
