"""What recoveries and backups do with the committed offsets of a consumer group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import attrs

from lpa_core.delivery.commit_metadata import MARK
from lpa_core.delivery.consumer_group import BrokerError, Commit, Partition
from lpa_core.kafka.admin import SECONDS, explained
from lpa_core.kafka.committed_offsets import commit, committed_in_the_end
from lpa_core.settings.settings import Settings
from lpa_ops.positions.input_topics import list_offsets

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient


def bar(admin: AdminClient, settings: Settings, commits: Mapping[Partition, Commit], why: str) -> None:
    """Have workers leave these partitions alone until :func:`commit`: what is committed for them cannot be read.

    Raises what :func:`commit` raises.
    """
    commit(admin, settings, {each: Commit(now.offset, f"{MARK}{why}") for each, now in commits.items()})


def earliest(admin: AdminClient, settings: Settings, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """The first offset that each of the partitions holds. Raises BrokerError, BrokerUnavailable."""
    return list_offsets(admin, settings, partitions, "earliest")


def latest(admin: AdminClient, settings: Settings, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """The offset after what can be read of each of the partitions by now. Raises BrokerError, BrokerUnavailable."""
    return list_offsets(admin, settings, partitions, "latest")


def of_derivation(settings: Settings) -> Settings:
    """The settings under which these functions speak of `lpa materialize`: its group, its topic."""
    quality = settings.quality
    touched = attrs.evolve(quality, group_id=settings.lpa.materialize_group_id, input_topics=(quality.touched_topic,))
    return attrs.evolve(settings, quality=touched)


def put_back(admin: AdminClient, settings: Settings, commits: Mapping[Partition, Commit]) -> dict[Partition, Commit]:
    """What to commit, so that the group goes on where it stood: what it began since is read from its beginning.

    Raises BrokerError, BrokerUnavailable.
    """
    topics = settings.quality.topics
    begun = [each for each in committed_in_the_end(admin, settings) if each.topic in topics and each not in commits]
    return {**commits, **{each: Commit(offset) for each, offset in earliest(admin, settings, begun).items()}}


def partitions_of(admin: AdminClient, settings: Settings) -> list[Partition]:
    """Of all input topics. Raises BrokerError, also if there is no such topic, and BrokerUnavailable."""
    return [each for topic in settings.quality.topics for each in _partitions_of(topic, admin, settings)]


def _partitions_of(topic: str, admin: AdminClient, settings: Settings) -> list[Partition]:
    with explained("list topics", settings):
        found = admin.list_topics(topic, timeout=SECONDS).topics[topic]
    if found.error is not None:
        where = settings.quality.kafka_bootstrap
        raise BrokerError(f"Kafka at {where} has no topic {topic}: `lpa topics apply` makes what is missing")
    return [Partition(topic, number) for number in sorted(found.partitions)]
