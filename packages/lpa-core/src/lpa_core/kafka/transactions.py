"""Transactions of a Kafka producer: records and consumer offsets, all of it or nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, final

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from lpa_core.delivery.consumer_group import BrokerError, CommitUncertainError, OutgoingRecord
from lpa_core.kafka.errors import fault
from lpa_core.kafka.explained_errors import explained

_SECONDS: Final = 20.0
"""Longer than the transaction's own timeout: after it, the outcome is decided."""
_BY_KEY: Final = -1
"""A partition's number that stands for the one that the key leads to."""


@final
class Transactions:
    """A transactional session.

    Beginning one decides whatever the session before it under the same transactional id left open, and fences it.
    """

    def __init__(self, producer: Mapping[str, Any]) -> None:
        """``producer`` is a configuration, see :mod:`lpa_core.kafka.configuration`.

        Raises BrokerError, BrokerUnavailable.
        """
        with explained("set up a client", producer):
            self._producer = Producer(dict(producer))
        with explained("begin a transactional session", producer):
            self._producer.init_transactions(_SECONDS)

    def commit(self, offsets: Sequence[TopicPartition], proof: object, records: Sequence[OutgoingRecord]) -> None:
        """Publish the records and commit the offsets, all of it or nothing.

        Args:
            proof: metadata of the consumer group, as a consumer of it gives it.

        Raises FencedError, BrokerUnavailable if nothing was done, CommitUncertainError, TakenOverError,
        ForbiddenError, BrokerError.
        """
        failed: list[KafkaError] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                failed.append(KafkaError(error.code(), f"{message.topic()}: {error.str()}", error.fatal()))

        def inside() -> None:
            self._producer.begin_transaction()
            for record in records:
                self._produce(record, delivered)
            self._send_offsets(offsets, proof)
            if records:
                self._producer.flush(_SECONDS)
            if failed:
                raise KafkaException(failed[0])

        try:
            inside()
        except KafkaException as error:
            self._abort(error.args[0])
        try:
            _persistently(lambda: self._producer.commit_transaction(_SECONDS))
        except KafkaException as error:
            problem = error.args[0]
            if problem.txn_requires_abort():
                self._abort(problem)
            found = fault(problem, "Kafka does not say whether a transaction was committed")
            raise (
                found if isinstance(found, (BrokerError, CommitUncertainError)) else CommitUncertainError(str(found))
            ) from None

    def _send_offsets(self, offsets: Sequence[TopicPartition], proof: object) -> None:
        """Beside this thread: the client may wait for a coordinator for ever, whatever its timeout.

        That is librdkafka's issue 5456. The producer that still waits is left behind; the next session's fences it.
        """
        failed: list[BaseException] = []

        def send() -> None:
            try:
                _persistently(lambda: self._producer.send_offsets_to_transaction(list(offsets), proof, _SECONDS))
            except BaseException as error:
                failed.append(error)

        sending = threading.Thread(target=send, name="send offsets", daemon=True)
        sending.start()
        sending.join(_SECONDS + 5)
        if sending.is_alive():
            raise CommitUncertainError("Kafka's client does not come back from sending offsets")
        if failed:
            raise failed[0]

    def _produce(self, record: OutgoingRecord, delivered: Callable[[KafkaError | None, Message], None]) -> None:
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    key=record.key,
                    value=record.value,
                    headers=list(record.headers),
                    on_delivery=delivered,
                    partition=_BY_KEY if record.partition is None else record.partition,
                )
            except BufferError:
                self._producer.poll(1)
            else:
                self._producer.poll(0)
                return

    def _abort(self, problem: KafkaError) -> None:
        """Undo the transaction and raise what the problem means."""
        found = fault(problem, "Kafka does not take a transaction")
        try:
            if not problem.fatal():
                _persistently(lambda: self._producer.abort_transaction(_SECONDS))
        except KafkaException as error:
            if not isinstance(found, BrokerError):
                raise CommitUncertainError(
                    f"{found}; the transaction could not be undone: {error.args[0].str()}"
                ) from None
        raise found from None


def _persistently(action: Callable[[], object]) -> None:
    """Ask again as long as Kafka says that the same call may succeed: its own timeout bounds each."""
    for attempt in range(4):
        try:
            action()
            return
        except KafkaException as error:
            if not error.args[0].retriable() or attempt == 3:
                raise
