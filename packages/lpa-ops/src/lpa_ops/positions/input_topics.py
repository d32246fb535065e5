"""What the input topics still hold, as a consumer that reads committed records is given it."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, final

from lpa_core.delivery.consumer_group import BrokerUnavailable, Partition
from lpa_core.kafka.admin import SECONDS, admin_client, explained
from lpa_core.kafka.configuration import admin_configuration
from lpa_core.settings.quality import QualitySettings
from lpa_core.settings.settings import Settings
from lpa_core.tables.known_gaps import OffsetSpan
from lpa_core.uris import scheme
from lpa_sinks.clickhouse.client import SCHEMES
from lpa_sinks.clickhouse.database import endpoint_of

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message
    from confluent_kafka.admin import AdminClient

COUNTED: Final = 10_000
"""Up to this number, records are counted one by one: a larger number says nothing more."""
_AT_ONCE: Final = 1_000
_NEAR: Final = 5_000
"""Reading on over so many offsets costs less than beginning to read at another place."""
_POLL_SECONDS: Final = 0.5


def reads_kafka(settings: Settings, sink: str | None) -> bool:
    """Whether the events come from Kafka: into a server they do; into a folder where a broker is named."""
    named = settings.quality.kafka_bootstrap != QualitySettings().kafka_bootstrap
    if named or sink is None or scheme(sink) not in SCHEMES:
        return named
    return endpoint_of(sink, settings).path is None


@final
class InputTopics:
    """Asks Kafka, with the first question; belongs to no group. To be closed.

    Methods raise BrokerError, BrokerUnavailable.
    """

    def __init__(self, settings: Settings, seconds: float, without: Collection[str] = ()) -> None:
        """``seconds``: how long reading may take in all. ``without``: topics of which nothing is asked."""
        self.names = frozenset(settings.quality.topics).difference(without)
        self._settings, self._seconds = settings, seconds
        self._until = time.monotonic() + seconds
        self._opened_admin: AdminClient | None = None
        self._consumers: dict[str, Consumer] = {}
        self._spans: dict[Partition, OffsetSpan | None] = {}

    def span(self, partition: Partition) -> OffsetSpan | None:
        """The offsets that may hold records which can be read now; None if the topic has no such partition.

        It ends where the first transaction begins that is still open. Asked once.
        """
        if partition not in self._spans:
            self._spans[partition] = self._look(partition)
        return self._spans[partition]

    def holds_any(self, partition: Partition, span: OffsetSpan) -> bool:
        """Whether a record can be read at any of the offsets."""
        return next(self._read(partition, [span]), None) is not None

    def records(self, partition: Partition, spans: Sequence[OffsetSpan], times: range | None = None) -> list[int]:
        """The offsets of the spans, which ascend, at which records can be read: of COUNTED at most.

        ``times``: of the records that count, epoch ms; None for any.
        """
        found: list[int] = []
        for offset, time_ms in self._read(partition, spans):
            if times is None or time_ms in times:
                found.append(offset)
                if len(found) == COUNTED:
                    break
        return found

    def count(self, partition: Partition, span: OffsetSpan) -> int:
        """How many records can be read there; what cannot be looked at in time counts as records."""
        found, through = 0, span.first
        try:
            for offset, _ in self._read(partition, [span]):
                found, through = found + 1, offset + 1
                if time.monotonic() > self._until:
                    return found + max(0, span.behind - through)
        except BrokerUnavailable:
            return found + max(0, span.behind - through)
        return found

    def open_since(self, partition: Partition, offset: int) -> int | None:
        """When the record at the offset, or the next, was sent, whether or not it can be read yet: epoch ms."""
        messages = self._read_on(partition, OffsetSpan(offset, 1 << 62), isolation="read_uncommitted")
        message = next(messages, None)
        return None if message is None else message.timestamp()[1]

    def close(self) -> None:
        for consumer in self._consumers.values():
            consumer.close()
        self._consumers.clear()

    @property
    def _admin(self) -> AdminClient:
        if self._opened_admin is None:
            self._opened_admin = admin_client(self._settings)
        return self._opened_admin

    def _look(self, partition: Partition) -> OffsetSpan | None:
        name = partition.topic
        with explained(f"list the partitions of {name}", self._settings):
            topic = self._admin.list_topics(name, timeout=SECONDS).topics[name]
        if topic.error is not None or partition.number not in topic.partitions:
            return None
        low = list_offsets(self._admin, self._settings, [partition], "earliest")[partition]
        return OffsetSpan(low, list_offsets(self._admin, self._settings, [partition], "latest")[partition])

    def _read(self, partition: Partition, spans: Sequence[OffsetSpan]) -> Iterator[tuple[int, int]]:
        """Offset and time (epoch ms) of each record in the spans."""
        starts = [span.first for span in spans]
        for stretch in _stretches(spans):
            for message in self._read_on(partition, stretch):
                offset = int(message.offset() or 0)
                index = bisect_right(starts, offset) - 1
                if index >= 0 and offset < spans[index].behind:
                    yield offset, message.timestamp()[1]

    def _read_on(
        self, partition: Partition, stretch: OffsetSpan, isolation: str = "read_committed"
    ) -> Iterator[Message]:
        from confluent_kafka import KafkaError, KafkaException, TopicPartition

        consumer = self._opened(isolation)
        with explained(f"read {partition}", self._settings):
            consumer.assign([TopicPartition(*partition, stretch.first)])
        while True:
            with explained(f"read {partition}", self._settings):
                messages = consumer.consume(_AT_ONCE, _POLL_SECONDS)
            for message in messages:
                error = message.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    return
                if error is not None:
                    with explained(f"read {partition}", self._settings):
                        raise KafkaException(error)
                if int(message.offset() or 0) >= stretch.behind:
                    return
                yield message
            if time.monotonic() > self._until:
                raise BrokerUnavailable(
                    f"{partition}: offsets {stretch.first} to {stretch.behind - 1} could not be read within "
                    f"{self._seconds:.0f} s: look at the brokers, and run this again"
                )

    def _opened(self, isolation: str) -> Consumer:
        from confluent_kafka import Consumer

        if isolation not in self._consumers:
            with explained("set up a consumer", self._settings):
                self._consumers[isolation] = Consumer(
                    {
                        **admin_configuration(self._settings),
                        "group.id": f"{self._settings.quality.group_id}-gaps",  # nothing is committed under it
                        "enable.auto.commit": False,
                        "isolation.level": isolation,
                        "enable.partition.eof": True,
                        "auto.offset.reset": "earliest",
                    }
                )
        return self._consumers[isolation]


def list_offsets(
    admin: AdminClient, settings: Settings, partitions: Iterable[Partition], which: str
) -> dict[Partition, int]:
    """The ``earliest`` offset of each partition, or the ``latest``: the one after what can be read by now.

    Behind that only transactions are that are still open. Raises BrokerError, BrokerUnavailable.
    """
    from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # documented there

    return offsets_by(admin, settings, dict.fromkeys(partitions, getattr(OffsetSpec, which)()))


def offsets_by(
    admin: AdminClient,
    settings: Settings,
    asked: Mapping[Partition, Any],
    *,
    committed: bool = True,
    seconds: float = SECONDS,
) -> dict[Partition, int]:
    """The offset of each partition that an OffsetSpec names; without ``committed`` as if nobody had to wait."""
    from confluent_kafka import IsolationLevel, TopicPartition

    if not asked:
        return {}
    level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
    with explained("list offsets", settings):
        listed = admin.list_offsets(
            {TopicPartition(*partition): spec for partition, spec in asked.items()},
            isolation_level=level,
            request_timeout=seconds,
        )
        return {Partition(each.topic, each.partition): int(done.result().offset) for each, done in listed.items()}


def _stretches(spans: Sequence[OffsetSpan]) -> Iterator[OffsetSpan]:
    """The spans, those that are near to each other as one."""
    whole: OffsetSpan | None = None
    for span in spans:
        if whole is not None and span.first - whole.behind <= _NEAR:
            whole = OffsetSpan(whole.first, span.behind)
            continue
        if whole is not None:
            yield whole
        whole = span
    if whole is not None:
        yield whole
