"""Where a topic and its consumer group stand, asked of Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, final

import attrs

from lpa_core.delivery.log import LogError, Partition
from lpa_core.health.check import NotApplicable, Scope
from lpa_core.kafka.admin import admin_client, explained
from lpa_core.kafka.configuration import admin_configuration
from lpa_core.settings import Settings
from lpa_ops.savepoint.offsets import committed

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

COUNTED: Final = 10_000
"""Records that are looked at of a gap: more of them are not more telling."""

_POLL_SECONDS: Final = 1.0


@final
@attrs.frozen
class Standing:
    """Offsets of a partition: the first there is, the one behind the last, and what the group goes on from."""

    low: int
    high: int
    committed: int

    @property
    def lag(self) -> int:
        return max(0, self.high - self.committed)


@final
class Offsets:
    """Of the input topic and the group of the settings. Raises NotApplicable, LogError, LogUnavailable."""

    def __init__(self, scope: Scope) -> None:
        if not scope.kafka:
            raise NotApplicable("no Kafka is configured: events come from files")
        self._settings: Settings = scope.settings
        self._seconds = float(scope.settings.health.timeout_seconds)
        self._admin: AdminClient = admin_client(scope.settings)

    def standings(self) -> Mapping[Partition, Standing]:
        """A partition without a commit stands at its beginning."""
        partitions = self._partitions()
        # First what is committed: what comes in meanwhile must not look like a lag below 0.
        commits = committed(self._admin, self._settings)
        lows = self._listed(partitions, _spec().earliest())
        highs = self._listed(partitions, _spec().latest())
        return {
            partition: Standing(
                lows[partition],
                highs[partition],
                max(lows[partition], commits[partition].offset) if partition in commits else lows[partition],
            )
            for partition in partitions
        }

    def ends_at(self, epoch_ms: int) -> Mapping[Partition, int]:
        """The offset behind the last record that was there at that time, by the records' timestamps."""
        partitions = self._partitions()
        found = self._listed(partitions, _spec().for_timestamp(epoch_ms))
        highs = self._listed(partitions, _spec().latest())
        return {partition: highs[partition] if offset < 0 else offset for partition, offset in found.items()}

    def count(self, partition: Partition, first: int, last: int, timestamps: range | None = None) -> int:
        """How many records the topic has with offsets from ``first`` to ``last``, both included.

        Looks at COUNTED at most. ``timestamps``: of records that count, epoch ms; None for any.
        """
        from confluent_kafka import Consumer, KafkaError, TopicPartition

        consumer = Consumer(
            {
                **admin_configuration(self._settings),
                "group.id": f"{self._settings.quality.group_id}-health",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            }
        )
        found = read = 0
        try:
            consumer.assign([TopicPartition(partition.topic, partition.number, first)])
            while read < COUNTED:
                message = consumer.poll(_POLL_SECONDS)
                if message is None:
                    continue  # the check's own timeout ends this
                error = message.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise LogError(f"{partition} cannot be read: {error.str()}")
                offset = int(message.offset() or 0)
                if error is not None or offset > last:
                    break
                read += 1
                found += offset >= first and (timestamps is None or message.timestamp()[1] in timestamps)
        finally:
            consumer.close()
        return found

    def _partitions(self) -> list[Partition]:
        topic = self._settings.quality.input_topic
        with explained(f"describe the topic {topic}", self._settings):
            found = self._admin.list_topics(topic, timeout=self._seconds).topics[topic]
        if not found.partitions:
            raise LogError(f"Kafka has no topic {topic}: `lpa topics apply` makes it")
        return [Partition(topic, number) for number in sorted(found.partitions)]

    def _listed(self, partitions: Iterable[Partition], what: Any) -> dict[Partition, int]:
        from confluent_kafka import TopicPartition

        asked = {TopicPartition(each.topic, each.number): what for each in partitions}
        with explained("list offsets", self._settings):
            listed = self._admin.list_offsets(asked, request_timeout=self._seconds)
            return {Partition(each.topic, each.partition): int(done.result().offset) for each, done in listed.items()}


def _spec() -> Any:
    from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # documented there

    return OffsetSpec
