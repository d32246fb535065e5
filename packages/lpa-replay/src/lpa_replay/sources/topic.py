"""The topic of dead letters."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, final

from lpa_core.delivery.consumer_group import BrokerUnavailable
from lpa_core.kafka.admin import SECONDS, explained
from lpa_core.kafka.configuration import admin_configuration
from lpa_core.records import Position
from lpa_core.replays import ReplayRefused
from lpa_core.settings.settings import Settings
from lpa_replay.sources.envelopes import read_envelope
from lpa_replay.sources.record import Found, Selection, possible_time
from lpa_replay.sources.source import RECORDS_AT_ONCE
from lpa_replay.sources.window import Clock

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

_CLOCKS_MAY_DIFFER_MS: Final = 3_600_000
"""An event's clock may be ahead of the broker's: reading begins so much before the window."""
_SILENCE_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.2
_BOUND: Final = re.compile(r"(.+)\[(\d+)\]")


@final
class TopicSource:
    """Read without a group from the window's start, found by record time, to where each partition ends at opening."""

    name = "dlq"
    clock = Clock.EVENT

    def __init__(self, settings: Settings, bounds: Mapping[str, str] | None = None) -> None:
        """``settings`` are those of the replay's clients. Raises BrokerError, BrokerUnavailable, ReplayRefused."""
        from confluent_kafka import Consumer, TopicPartition

        self._settings, self._topic = settings, settings.quality.dlq_topic
        self._partition = TopicPartition
        with explained("set up a consumer", settings):
            self._consumer: Consumer = Consumer(
                {
                    **admin_configuration(settings),
                    "group.id": settings.replay.group_id,  # nothing is committed under it
                    "isolation.level": "read_committed",
                    "enable.auto.commit": False,
                    "enable.partition.eof": True,
                    "auto.offset.reset": "earliest",
                }
            )
        self._ends = self._ends_now() if bounds is None else self._ends_of(bounds)
        self.bounds = {f"{self._topic}[{number}]": str(end) for number, end in self._ends.items()}

    def _ends_now(self) -> dict[int, int]:
        with explained(f"look at the topic {self._topic}", self._settings):
            topic = self._consumer.list_topics(self._topic, SECONDS).topics[self._topic]
            if topic.error is not None or not topic.partitions:
                where = self._settings.quality.kafka_bootstrap
                raise ReplayRefused(
                    f"Kafka at {where} has no topic {self._topic}: check REPLAY_DLQ_TOPIC, or name another source with "
                    "--from"
                )
            return {
                number: self._consumer.get_watermark_offsets(self._partition(self._topic, number), SECONDS)[1]
                for number in sorted(topic.partitions)
            }

    def _ends_of(self, bounds: Mapping[str, str]) -> dict[int, int]:
        ends = {}
        for name, end in bounds.items():
            match = _BOUND.fullmatch(name)
            if match is None or match[1] != self._topic:
                raise ReplayRefused(f"planned for {name}, but REPLAY_DLQ_TOPIC is {self._topic}: set it as it was")
            ends[int(match[2])] = int(end)
        return ends

    def read(self, selection: Selection) -> Iterator[Sequence[Found]]:
        # One after the other, so that the order is always the same.
        for number, end in self._ends.items():
            yield from self._read(number, end, selection.window.start)

    def _read(self, number: int, end: int, start_ms: int | None) -> Iterator[Sequence[Found]]:
        from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException

        start = self._partition(self._topic, number, OFFSET_BEGINNING)
        with explained(f"read {self._topic}[{number}]", self._settings):
            if start_ms is not None:
                asked = self._partition(self._topic, number, max(0, start_ms - _CLOCKS_MAY_DIFFER_MS))
                (found,) = self._consumer.offsets_for_times([asked], SECONDS)
                if found.offset < 0:  # every record is older
                    return
                start = self._partition(self._topic, number, found.offset)
            self._consumer.assign([start])
        position, heard = 0, time.monotonic()
        while position < end:
            messages = self._consumer.consume(RECORDS_AT_ONCE, _POLL_SECONDS)
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > _SILENCE_SECONDS:
                raise BrokerUnavailable(f"{self._topic}[{number}] hands over nothing: check that the brokers run")
            some = []
            for message in messages:
                error = message.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    position = end  # what comes after is not a record, or belongs to a transaction that is still open
                elif error is not None:
                    with explained(f"read {self._topic}[{number}]", self._settings):
                        raise KafkaException(error)
                else:
                    position = (message.offset() or 0) + 1
                    if position <= end:
                        some.append(self._found(message, number))
            if some:
                yield some

    def _found(self, message: Message, number: int) -> Found:
        place = Position(self._topic, number, int(message.offset() or 0))
        value = message.value()
        return read_envelope(value if isinstance(value, bytes) else None, place, possible_time(message.timestamp()[1]))

    def missed(self, selection: Selection) -> int:
        return 0

    def close(self) -> None:
        self._consumer.close()
