"""Kafka behind the delivery's contract: a consumer that reads, and a transactional producer that commits."""

from __future__ import annotations

import struct
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any, Final, final

import structlog
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from lpa_core.delivery.consumer_group import (
    Assignment,
    BrokerError,
    BrokerUnavailable,
    Commit,
    CommitUncertainError,
    FencedError,
    ForbiddenError,
    Membership,
    OffsetsGoneError,
    OutgoingRecord,
    Partition,
    ReadableOffsets,
)
from lpa_core.kafka.errors import KafkaErrorKind, fault, meaning
from lpa_core.kafka.explained_errors import explained
from lpa_core.kafka.raw_headers import headers_of
from lpa_core.kafka.transactions import Transactions
from lpa_core.records import RecordBatch

_SECONDS: Final = 10.0
"""How long a request may take before it counts as unanswered."""
_MOST_AT_ONCE: Final = 1000
"""Records that the client hands over at once: more cost more for each."""

_log = structlog.get_logger("lpa.kafka")


@final
class KafkaConsumerGroup:
    """One session of a member of a consumer group.

    Both steps that move offsets, preparing and finishing, are transactions: an offset commit of a consumer alone is
    not refused when the group happens to be empty, a transaction with the proof of a former membership is. The
    transactional id stays the same over the sessions of a process: beginning a session decides whatever the one before
    left open.
    """

    def __init__(
        self,
        consumer: Mapping[str, Any],
        producer: Mapping[str, Any],
        *,
        with_keys: bool = False,
    ) -> None:
        """Connect.

        Args:
            consumer, producer: configurations, see :mod:`lpa_core.kafka.configuration`.
            with_keys: hand over the records' keys and headers too, for an archive, or for ``traceparent``.

        Raises BrokerError, BrokerUnavailable.
        """
        self._connection, self._with_keys = consumer, with_keys
        self._gone: list[Partition] = []
        self._unstarted: set[Partition] = set()
        self._ended: dict[Partition, int] = {}
        """Partitions of which everything that can be read was handed over, and up to where that was."""
        self._closed = threading.Event()
        # Asked for by the polling thread alone: another one would wait for a pause between its polls, without end.
        self._proof = b""
        with explained("set up a client", consumer):
            self._consumer = Consumer({**consumer, "enable.partition.eof": True})
        try:
            self._transactions = Transactions(producer)
        except BaseException:
            self._consumer.close()
            raise

    def join(self, topics: Sequence[str], assignment: Assignment) -> None:
        def on_assign(consumer: Consumer, found: list[TopicPartition]) -> None:
            partitions = _partitions(found)
            self._unstarted |= partitions
            self._forget_ends(partitions)
            # Read nothing before the delivery says from where. A number and no name such as OFFSET_BEGINNING: what that
            # stands for is looked up, and an answer that comes after `start` would win over it.
            consumer.incremental_assign([TopicPartition(p.topic, p.number, 0) for p in partitions])
            consumer.pause([TopicPartition(p.topic, p.number) for p in partitions])
            assignment.assigned(partitions)

        def on_revoke(consumer: Consumer, found: list[TopicPartition]) -> None:
            partitions = _partitions(found)
            self._unstarted -= partitions
            # The group may have a new generation already, in which what is in work can still be finished.
            self._proof = consumer.consumer_group_metadata()
            assignment.revoked(partitions)

        def on_lost(consumer: Consumer, found: list[TopicPartition]) -> None:
            partitions = _partitions(found)
            self._unstarted -= partitions
            assignment.lost(partitions)

        with self._explained("subscribe"):
            self._consumer.subscribe(list(topics), on_assign=on_assign, on_revoke=on_revoke, on_lost=on_lost)

    def _forget_ends(self, partitions: Collection[Partition]) -> None:
        for partition in partitions:
            self._ended.pop(partition, None)

    def poll(self, max_records: int, seconds: float) -> Sequence[RecordBatch]:
        if self._gone:
            raise OffsetsGoneError(self._gone.pop())
        with self._explained("read"):
            messages = self._consumer.consume(min(max_records, _MOST_AT_ONCE), seconds)
            self._proof = self._consumer.consumer_group_metadata()
        batches = []
        for (topic, number, failed), some in groupby(messages, key=_origin):
            if failed:
                for message in some:
                    self._problem(message)
            else:
                self._ended.pop(Partition(topic, number), None)
                batches.append(self._batch(topic, number, list(some)))
        return batches

    def _batch(self, topic: str, partition: int, messages: list[Message]) -> RecordBatch:
        keys: list[Any] | None = [message.key() for message in messages] if self._with_keys else None
        headers = [headers_of(message) for message in messages] if self._with_keys else None
        return RecordBatch(
            topic,
            partition,
            [message.offset() for message in messages],  # type: ignore[misc]  # a record that came has one
            [message.value() for message in messages],
            [message.timestamp()[1] for message in messages],
            keys,
            headers,
        )

    def _problem(self, message: Message) -> None:
        error = message.error()
        assert error is not None
        partition = Partition(str(message.topic()), int(message.partition() or 0))
        if error.code() == KafkaError._PARTITION_EOF:
            self._ended[partition] = int(message.offset() or 0)
            return
        if meaning(error).kind is KafkaErrorKind.OFFSETS_GONE:
            self._gone.append(partition)
            return
        found = fault(error, f"Kafka hands over nothing of {message.topic() or 'the topic'}")
        of_all = message.topic() is None
        if isinstance(found, (CommitUncertainError, ForbiddenError)) or (isinstance(found, BrokerError) and of_all):
            raise found
        _log.warning("Kafka reports a problem", problem=str(found), partition=message.partition())

    def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, Commit | None]:
        with self._explained("read the group's offsets"):
            found = self._consumer.committed([TopicPartition(p.topic, p.number) for p in partitions], _SECONDS)
            for entry in found:
                if entry.error is not None:
                    raise KafkaException(entry.error)
        return {
            Partition(entry.topic, entry.partition): Commit(entry.offset, entry.metadata or "")
            if entry.offset >= 0
            else None
            for entry in found
        }

    def span(self, partition: Partition) -> ReadableOffsets:
        with self._explained(f"look at {partition}"):
            low, high = self._consumer.get_watermark_offsets(TopicPartition(*partition), _SECONDS)
        return ReadableOffsets(low, high)

    def end(self, partition: Partition) -> int | None:
        if partition in self._ended:
            return self._ended[partition]  # the high watermark counts what open transactions have sent, too
        with self._explained(f"look at {partition}"):
            _, high = self._consumer.get_watermark_offsets(TopicPartition(*partition), cached=True)
        return high if high >= 0 else None

    def position(self, partition: Partition) -> int | None:
        return self._ended.get(partition)

    def start(self, partition: Partition, offset: int) -> None:
        self._ended.pop(partition, None)
        where = TopicPartition(partition.topic, partition.number, offset)
        with self._explained(f"read {partition} from {offset}"):
            try:
                self._consumer.seek(where)
            except KafkaException as error:
                if error.args[0].code() != KafkaError._STATE:
                    raise
                # The client stopped fetching: what it was to read before is gone. It begins only with an assignment.
                self._consumer.incremental_unassign([where])
                self._consumer.incremental_assign([where])
            self._consumer.resume([where])
        self._unstarted.discard(partition)

    def pause(self, partitions: Collection[Partition]) -> None:
        with self._explained("pause reading"):
            self._consumer.pause([TopicPartition(*partition) for partition in partitions])

    def resume(self, partitions: Collection[Partition]) -> None:
        started = [TopicPartition(*p) for p in partitions if p not in self._unstarted]
        with self._explained("go on reading"):
            self._consumer.resume(started)

    def membership(self) -> Membership:
        proof = self._proof
        if not _is_member(proof):
            raise FencedError("no member of the consumer group now")
        return Membership(proof)

    def commit(
        self, membership: Membership, commits: Mapping[Partition, Commit], records: Sequence[OutgoingRecord] = ()
    ) -> None:
        offsets = [
            TopicPartition(partition.topic, partition.number, commit.offset, commit.metadata)
            for partition, commit in commits.items()
        ]
        self._transactions.commit(offsets, membership, records)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            with explained(what, self._connection):
                yield
        except FencedError as error:  # of a group that is sharing out its partitions
            raise BrokerUnavailable(str(error)) from None

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        # Leaving calls on_revoke, and waits for the brokers to hear of it.
        self._consumer.close()


def _partitions(found: list[TopicPartition]) -> set[Partition]:
    return {Partition(entry.topic, entry.partition) for entry in found}


def _origin(message: Message) -> tuple[str, int, bool]:
    return message.topic(), message.partition(), message.error() is not None  # type: ignore[return-value]  # a record has them


def _is_member(proof: bytes) -> bool:
    """Whether the proof names a generation of the group.

    One that does not would be let through by the brokers, which take it for a client from before there were proofs.
    The layout is librdkafka's (rd_kafka_consumer_group_metadata_write).
    """
    if not proof:
        return False
    mark = b"CGMDv2:"
    if not proof.startswith(mark):
        raise BrokerError(
            "this version of Kafka's client writes group memberships in an unknown way: install confluent-kafka 2.x"
        )
    (generation,) = struct.unpack_from("<i", proof, len(mark))
    return bool(generation >= 0)
