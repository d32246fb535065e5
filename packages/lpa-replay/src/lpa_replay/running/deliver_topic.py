"""Sends a run into the input topics: some thousand records a transaction, which also moves the run's own offset."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final, final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from lpa_core.delivery.consumer_group import BrokerError, CommitUncertainError, OutgoingRecord, TakenOverError
from lpa_core.kafka.admin import SECONDS, admin_client, explained
from lpa_core.kafka.configuration import admin_configuration, producer_configuration
from lpa_core.kafka.permissions import require
from lpa_core.kafka.topics import partitions
from lpa_core.kafka.transactions import Transactions
from lpa_core.replays import ReplayError
from lpa_core.settings.settings import Settings
from lpa_replay.planning.plan import Plan
from lpa_replay.running.pace import SendingPace
from lpa_replay.spool.outcomes import Outgoing
from lpa_replay.spool.spool_file import SpoolReader
from lpa_replay.staging.destination import Destination

RECORDS_A_TRANSACTION: Final = 5_000
_BYTES_A_TRANSACTION: Final = 8 << 20

SentListener = Callable[[int], None]
"""Receives how many records are sent, of all."""


@final
class TopicDelivery:
    """The one producer of a run.

    How far the run is stands in its own consumer group, as the offset of the first output topic's first partition, and
    beside it which spool that counts in: moved in the same transaction that publishes the records, so that both happen
    or neither. A second process of the run fences the first.
    """

    def __init__(self, plan: Plan, spool: str, settings: Settings, destination: Destination) -> None:
        """Connect, and decide what an earlier process left open.

        Args:
            spool: names the content of what is to be sent.
            settings: those of the replay's clients.
            destination: into which topic each record goes.

        Raises ReplayError if the run was started with another spool, BrokerError, BrokerUnavailable.
        """
        self._plan, self._spool, self._settings = plan, spool, settings
        self._destination = destination
        self._partitions = self._look_at_topics()
        self._place = TopicPartition(destination.topics[0], 0)
        own = f"{settings.replay.group_id}-{plan.id}"
        with explained("set up a consumer", settings):
            self._consumer = Consumer(
                {
                    **admin_configuration(settings),
                    "group.id": own,
                    "enable.auto.commit": False,
                    "isolation.level": "read_committed",
                }
            )
        # Looked at before and after: one that is not to go on must not end another either.
        self._require_own_spool()
        self._transactions = Transactions(producer_configuration(settings, own))
        self._require_own_spool()

    def _require_own_spool(self) -> None:
        """Raise ReplayError if the run's offset counts records of another spool."""
        offset, spool = self._committed()
        if offset > 0 and spool != self._spool:
            raise ReplayError(
                f"replay {self._plan.id} was started from another data folder, where {offset} of its records were "
                "sent: continue there, or plan a new replay, which leaves out what is stored"
            )

    def _look_at_topics(self) -> dict[str, int]:
        """How many partitions each topic has. Raises BrokerError if a topic is missing."""
        quality = self._settings.quality
        admin, names = admin_client(self._settings), (*self._destination.topics, quality.quarantine_topic)
        require("lpa replay", admin, self._settings)
        found = partitions(admin, names, self._settings)
        missing = [name for name in names if name not in found]
        if missing:
            raise BrokerError(
                f"Kafka at {quality.kafka_bootstrap} has no topic {', '.join(missing)}: check REPLAY_OUTPUT_TOPIC; "
                "`lpa topics apply` makes what is missing"
            )
        return found

    @property
    def sent(self) -> int:
        """How many records are in the topics, of this run's, in their order. Raises BrokerUnavailable."""
        return self._committed()[0]

    def _committed(self) -> tuple[int, str]:
        with explained("read how far the replay is", self._settings):
            (found,) = self._consumer.committed([self._place], SECONDS)
            if found.error is not None:
                raise KafkaException(found.error)
        return max(0, int(found.offset)), found.metadata or ""

    def deliver(
        self,
        outgoing: SpoolReader[Outgoing],
        left_out: Collection[int],
        exhausted: SpoolReader[Outgoing],
        pace: SendingPace,
        progress: SentListener,
        stopped: Callable[[], bool],
        until: int | None = None,
    ) -> bool:
        """Send what is not sent yet: first events, then what goes to quarantine; False if it was stopped before.

        ``until``: only so many of the events.

        Records with the numbers in ``left_out`` are passed over.

        Raises ReplayError if another process took the run over; BrokerError, BrokerUnavailable,
        CommitUncertainError: started again it goes on.
        """
        first, events = self.sent, outgoing.count
        frames = chain(outgoing.lines(min(first, events)), exhausted.lines(max(0, first - events)))
        lines: Iterator[Outgoing] = chain.from_iterable(frames)
        if until is not None:
            lines = islice(lines, max(0, until - first))
        for chunk in _chunks(lines, pace.at_once(RECORDS_A_TRANSACTION)):
            if stopped():
                return False
            pace.wait(len(chunk))
            first += len(chunk)
            self._send([each for each in chunk if each.number not in left_out], first)
            progress(first)
        return True

    def _send(self, chunk: Sequence[Outgoing], behind: int) -> None:
        place = TopicPartition(self._place.topic, 0, behind, metadata=self._spool)
        try:
            self._transactions.commit(
                [place], self._consumer.consumer_group_metadata(), [self._record(each) for each in chunk]
            )
        except TakenOverError:
            raise ReplayError(f"another process took replay {self._plan.id} over: leave it to that one") from None
        except CommitUncertainError as error:
            raise CommitUncertainError(f"{error}: run the same again: it continues where it stopped") from None

    def _record(self, each: Outgoing) -> OutgoingRecord:
        headers = [(name, text.encode()) for name, text in each.headers]
        key, value = each.key.encode(), each.value
        if each.quarantined:
            return OutgoingRecord(self._settings.quality.quarantine_topic, key, value, headers)
        # Where it came from, the worker has the partition's claims: it sees a duplicate of what it has taken.
        topic = self._destination.topic(each.origin)
        if topic is None:
            raise ReplayError(
                f"replay {self._plan.id} was planned when {each.origin.topic} was an input topic: set "
                "QUALITY_INPUT_TOPICS as it was, or plan a new replay"
            )
        back = each.origin.topic == topic and each.origin.partition < self._partitions[topic]
        return OutgoingRecord(topic, key, value, headers, each.origin.partition if back else None)

    def close(self) -> None:
        self._consumer.close()


def _chunks(lines: Iterable[Outgoing], most: int) -> Iterator[list[Outgoing]]:
    chunk: list[Outgoing] = []
    size = 0
    for each in lines:
        chunk.append(each)
        size += len(each.value)
        if len(chunk) >= most or size >= _BYTES_A_TRANSACTION:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
