"""Where topics and their consumer group stand, asked of Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, final

import attrs

from lpa_core.delivery.consumer_group import BrokerError, Commit, Partition
from lpa_core.health.check import NotApplicable, Scope
from lpa_core.kafka.admin import admin_client, explained
from lpa_core.kafka.committed_offsets import committed
from lpa_core.kafka.permissions import require
from lpa_core.settings.settings import Settings
from lpa_ops.positions.input_topics import offsets_by

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient


@final
@attrs.frozen
class Standing:
    """Offsets of a partition.

    Attributes:
        low: the first there is.
        high: the one after what can be read by now: transactions that are open come later.
        committed: what the group goes on from.
        end: the one after all there is, read or not.
    """

    low: int
    high: int
    committed: int
    end: int

    @property
    def lag(self) -> int:
        return max(0, self.high - self.committed)


@final
class KafkaOffsets:
    """Of the input topics and the group of the settings. Raises NotApplicable, BrokerError, BrokerUnavailable."""

    def __init__(self, scope: Scope) -> None:
        if not scope.kafka:
            raise NotApplicable("no Kafka is configured: events come from files")
        self._settings: Settings = scope.settings
        self._seconds = float(scope.settings.health.timeout_seconds)
        self._admin: AdminClient = admin_client(scope.settings)

    def commits(self) -> Mapping[Partition, Commit]:
        """What the group has committed, with the text beside it."""
        return committed(self._admin, self._settings)

    def standings(self) -> Mapping[Partition, Standing]:
        """A partition without a commit stands at its beginning."""
        partitions = self._partitions()
        # First what is committed: what comes in meanwhile must not look like a lag below 0.
        commits = committed(self._admin, self._settings)
        lows = self._listed(partitions, _spec().earliest())
        highs = self._listed(partitions, _spec().latest())
        ends = self._listed(partitions, _spec().latest(), committed=False)
        return {
            partition: Standing(
                lows[partition],
                highs[partition],
                max(lows[partition], commits[partition].offset) if partition in commits else lows[partition],
                ends[partition],
            )
            for partition in partitions
        }

    def ends_at(self, epoch_ms: int) -> Mapping[Partition, int]:
        """The offset after the last record that was there at that time, by the records' timestamps."""
        partitions = self._partitions()
        found = self._listed(partitions, _spec().for_timestamp(epoch_ms))
        highs = self._listed(partitions, _spec().latest())
        return {partition: highs[partition] if offset < 0 else offset for partition, offset in found.items()}

    def _partitions(self) -> list[Partition]:
        require("lpa health", self._admin, self._settings)
        return [each for topic in self._settings.quality.topics for each in self._partitions_of(topic)]

    def _partitions_of(self, topic: str) -> list[Partition]:
        with explained(f"describe the topic {topic}", self._settings):
            found = self._admin.list_topics(topic, timeout=self._seconds).topics[topic]
        if not found.partitions:
            raise BrokerError(f"Kafka has no topic {topic}: `lpa topics apply` makes it")
        return [Partition(topic, number) for number in sorted(found.partitions)]

    def _listed(self, partitions: Iterable[Partition], what: Any, *, committed: bool = True) -> dict[Partition, int]:
        asked = dict.fromkeys(partitions, what)
        return offsets_by(self._admin, self._settings, asked, committed=committed, seconds=self._seconds)


def _spec() -> Any:
    from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # documented there

    return OffsetSpec
