"""Transactions of a Kafka producer: records and consumer offsets, all of it or nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, final

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from lpa_core.delivery.log import CommitUncertain, Fenced, LogError, LogRecord, LogUnavailable, TakenOver

_SECONDS: Final = 20.0
"""Longer than the transaction's own timeout: after it, the outcome is decided."""
_BY_KEY: Final = -1
"""A partition's number that stands for the one that the key leads to."""

_FENCED: Final = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError._FENCED,
    }
)
_TAKEN_OVER: Final = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH})
FINAL_ERRORS: Final = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)
"""Errors that somebody has to do something about."""


@final
class Transactions:
    """A transactional session.

    Beginning one decides whatever the session before it under the same transactional id left open, and fences it.
    """

    def __init__(self, producer: Mapping[str, Any]) -> None:
        """``producer`` is a configuration, see :mod:`lpa_core.kafka.configuration`. Raises LogError, LogUnavailable."""
        with explained("set up Kafka's clients"):
            self._producer = Producer(dict(producer))
        with explained("begin a transactional session"):
            self._producer.init_transactions(_SECONDS)

    def commit(self, offsets: Sequence[TopicPartition], proof: object, records: Sequence[LogRecord]) -> None:
        """Publish the records and commit the offsets, all of it or nothing.

        Args:
            proof: metadata of the consumer group, as a consumer of it gives it.

        Raises Fenced, LogUnavailable where nothing was done, CommitUncertain, TakenOver, LogError.
        """
        failed: list[KafkaError] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                failed.append(error)

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
            _raise_if_taken_over(problem)
            raise CommitUncertain(f"Kafka does not say whether a transaction was committed: {problem.str()}") from None

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
            raise CommitUncertain("Kafka's client does not come back from sending offsets")
        if failed:
            raise failed[0]

    def _produce(self, record: LogRecord, delivered: Callable[[KafkaError | None, Message], None]) -> None:
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
        if problem.code() in FINAL_ERRORS:
            raise LogError(f"Kafka refuses a transaction: {problem.str()}: allow it to this login") from None
        if problem.fatal():
            _raise_if_taken_over(problem)
            raise CommitUncertain(f"Kafka's producer gave up: {problem.str()}") from None
        try:
            _persistently(lambda: self._producer.abort_transaction(_SECONDS))
        except KafkaException as error:
            raise CommitUncertain(f"a transaction could not be undone: {error.args[0].str()}") from None
        if problem.code() in _FENCED:
            raise Fenced(problem.str()) from None
        raise LogUnavailable(f"Kafka did not take a transaction: {problem.str()}") from None


def _raise_if_taken_over(problem: KafkaError) -> None:
    if problem.code() in _TAKEN_OVER:
        raise TakenOver(f"another session has the same transactional id: {problem.str()}") from None


def _persistently(action: Callable[[], object]) -> None:
    """Ask again as long as Kafka says that the same call may succeed: its own timeout bounds each."""
    for attempt in range(4):
        try:
            action()
            return
        except KafkaException as error:
            if not error.args[0].retriable() or attempt == 3:
                raise


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn errors of the client into LogError, CommitUncertain and LogUnavailable; ``what`` was being done."""
    try:
        yield
    except KafkaException as error:
        problem = error.args[0]
        if problem.code() in FINAL_ERRORS:
            raise LogError(
                f"Kafka refuses to {what}: {problem.str()}: check [kafka] in lpa.toml and the ACLs"
            ) from None
        if problem.code() == KafkaError._INVALID_ARG:
            raise LogError(f"cannot {what}: {problem.str()}: see [kafka] in lpa.toml") from None
        if problem.fatal():
            raise CommitUncertain(f"cannot {what}: {problem.str()}") from None
        raise LogUnavailable(f"cannot {what}: {problem.str()}") from None
