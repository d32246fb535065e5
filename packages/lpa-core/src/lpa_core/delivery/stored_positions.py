"""Asks sinks, beside a worker's loop, which positions of partitions they hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import final

import attrs

from lpa_core.delivery.background_tasks import Background
from lpa_core.delivery.consumer_group import Partition
from lpa_core.sinks.sink import Sink, StoredOffsets, SupportsNewestTime, SupportsStoredOffsets


@final
@attrs.frozen(slots=True)
class Holding:
    """A sink, and what it holds of a partition."""

    sink: str
    offsets: StoredOffsets


@final
class StoredPositions:
    """One question to all sinks that can answer, about some partitions at once."""

    def __init__(self, sinks: Sequence[Sink], first: Mapping[Partition, int], background: Background) -> None:
        """Begin to ask for what is stored at or beyond these offsets."""
        self._sinks = [sink for sink in sinks if isinstance(sink, SupportsStoredOffsets)]
        self._dating = [sink for sink in sinks if isinstance(sink, SupportsNewestTime)]
        self.newest = 0
        """The latest batch time that any sink holds, epoch ms."""
        self.from_all = len(self._sinks) == len(sinks)
        """Whether every sink can answer: what none of them holds is stored nowhere."""
        self._all_date = 0 < len(self._dating) == len(sinks)
        self._first = first
        self._found: dict[Partition, list[Holding]] = defaultdict(list)
        self._task = background.start(self._ask, "locate")

    def answered(self) -> bool:
        """Whether every sink has answered. Raises SinkUnavailable, SinkMisconfigured."""
        if not self._task.wait(0):
            return False
        self._task.check()
        return True

    @property
    def nothing(self) -> bool:
        """Whether every sink says that it holds no record at all, of any partition."""
        return self._all_date and self.newest == 0

    def of(self, partition: Partition) -> Sequence[Holding]:
        """What sinks hold of the partition: of each at most one, in no order."""
        return self._found.get(partition, [])

    def _ask(self) -> None:
        self.newest = max((sink.newest_batch_time() for sink in self._dating), default=0)
        by_topic: dict[str, dict[int, int]] = defaultdict(dict)
        for partition, offset in self._first.items():
            by_topic[partition.topic][partition.number] = offset
        for sink in self._sinks:
            for topic, first in by_topic.items():
                for number, offsets in sink.stored_from(topic, first).items():
                    self._found[Partition(topic, number)].append(Holding(str(sink), offsets))
