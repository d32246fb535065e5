"""Sends records outside transactions, as the producers of the network do."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, final

from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.configuration import sender_configuration
from lpa_core.kafka.explained_errors import explained, explanation
from lpa_core.kafka.permissions import require
from lpa_core.kafka.topics import require_topics, wanted_topics
from lpa_core.settings.settings import Settings

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

_SECONDS: Final = 30.0
"""Longer than a record may wait for a broker: after it, each is sent or has failed."""


@final
class RecordSender:
    """Sends to the input topics. Each record goes to a partition by chance, as the network's event ids lead it."""

    def __init__(self, settings: Settings, command: str) -> None:
        """Connect and look for the topics.

        Args:
            command: whose permissions are checked, such as ``lpa generate``.

        Raises BrokerError if a topic is missing or the client is not installed, ForbiddenError, BrokerUnavailable.
        """
        admin, names = admin_client(settings), set(settings.quality.topics)
        require(command, admin, settings)
        require_topics(admin, [topic for topic in wanted_topics(settings) if topic.name in names], settings)
        from confluent_kafka import Producer

        self._configuration = sender_configuration(settings)
        with explained("set up a client", self._configuration):
            self._producer = Producer(dict(self._configuration))
        self._failed: list[tuple[str, KafkaError]] = []
        self.sent = Counter[str]()
        """Topic -> records that a broker has confirmed."""

    def send(self, topic: str, value: bytes) -> None:
        """Hand a record over; waits if too many are under way. Raises what an earlier one failed for."""
        while True:
            try:
                self._producer.produce(topic, value, on_delivery=self._delivered)
            except BufferError:
                self._producer.poll(1)
                self._raise_failure()
            else:
                self._producer.poll(0)
                self._raise_failure()
                return

    def flush(self) -> None:
        """Return once a broker has every record. Raises BrokerUnavailable, ForbiddenError, BrokerError."""
        self._producer.flush(_SECONDS)
        self._raise_failure()

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        topic = message.topic() or ""
        if error is None:
            self.sent[topic] += 1
        else:
            self._failed.append((topic, error))

    def _raise_failure(self) -> None:
        if self._failed:
            topic, error = self._failed[0]
            raise explanation(error, f"send to the topic {topic}", self._configuration)
