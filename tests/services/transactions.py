"""A transactional producer that leaves in a topic what no reader of committed records is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final
from uuid import uuid4

from confluent_kafka import Producer


@final
class TransactionalProducer:
    """Sends records into partitions of one topic, each call in a transaction of its own."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "transactional.id": uuid4().hex, "linger.ms": 1, "log_level": 0}
        )
        self._producer.init_transactions(60)

    def commit(self, values: Sequence[bytes], partition: int = 0) -> None:
        """The records, and one offset more: that of the transaction's end."""
        self.leave_open(values, partition)
        self.end()

    def abort(self, values: Sequence[bytes], partition: int = 0) -> None:
        """As many offsets, and none of them readable."""
        self.leave_open(values, partition)
        self._producer.abort_transaction(60)

    def leave_open(self, values: Sequence[bytes], partition: int = 0) -> None:
        """The records are in the topic, and can be read only after :meth:`end`."""
        self._producer.begin_transaction()
        for value in values:
            self._producer.produce(self._topic, value, partition=partition)
            self._producer.poll(0)
        assert self._producer.flush(60) == 0

    def end(self) -> None:
        self._producer.commit_transaction(60)
