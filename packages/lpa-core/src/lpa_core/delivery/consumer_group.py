"""What the delivery asks of a consumer group, whose members share the partitions of a topic among themselves.

Kafka is one; a model in memory is another. Whatever a worker knows beyond its own memory it knows from here and from
the sinks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, NewType, Protocol, final

import attrs

from lpa_core.errors import ConfigurationError, JobFailed, Unavailable
from lpa_core.records import RecordBatch


class Partition(NamedTuple):
    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.number}]"


Membership = NewType("Membership", bytes)
"""Proof of being a member of the consumer group, good until the group shares its partitions out again."""


@final
@attrs.frozen(slots=True)
class Commit:
    """What a group has written down for a partition: the next offset, and a text beside it."""

    offset: int
    metadata: str = ""


@final
@attrs.frozen(slots=True)
class ReadableOffsets:
    """The offsets of a partition that can be read: the first, and the one after the last."""

    low: int
    high: int


@final
@attrs.frozen(slots=True)
class OutgoingRecord:
    """A record to be published in a topic; ``partition`` None: where its key leads."""

    topic: str
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int | None = None


class BrokerError(ConfigurationError):
    """The broker cannot be used as configured: a login refused, a topic missing. One line, with the remedy."""


class ForbiddenError(BrokerError):
    """The broker turns this login away. Permissions and logins are changed while workers run: it may pass."""


class BrokerUnavailable(Unavailable):
    """The broker does not answer now; nothing is known to have happened, the same call may succeed later."""


class FencedError(JobFailed):
    """The group goes by a newer membership: nothing of the commit was done."""


class CommitUncertainError(JobFailed):
    """Nobody knows whether the commit was done. Only a new session, and reading what is committed, tells."""


class TakenOverError(CommitUncertainError):
    """Another session of the same name has begun: this one can commit nothing any more."""


class OffsetsGoneError(JobFailed):
    """A partition no longer holds the offset that is to be read next."""

    def __init__(self, partition: Partition) -> None:
        super().__init__(str(partition))
        self.partition = partition


class Assignment(Protocol):
    """Receives, within :meth:`ConsumerGroup.poll`, the partitions that the worker gets and loses."""

    def assigned(self, partitions: Collection[Partition]) -> None:
        """These are added. They are read from where ``start`` says, not before it is called."""
        ...

    def revoked(self, partitions: Collection[Partition]) -> None:
        """The worker loses these; another worker gets them as soon as this returns."""
        ...

    def lost(self, partitions: Collection[Partition]) -> None:
        """These belong to another worker already."""
        ...


class ConsumerGroup(Protocol):
    """One session of one member of a consumer group.

    ``commit`` may be called by another thread than the rest.
    """

    def join(self, topics: Sequence[str], assignment: Assignment) -> None:
        """Ask to be given partitions of the topics. Raises BrokerError, BrokerUnavailable."""
        ...

    def poll(self, max_records: int, seconds: float) -> Sequence[RecordBatch]:
        """Records of started partitions, in order within each, waiting up to ``seconds`` for the first.

        Keeps the membership alive: has to be called again and again, also while nothing is wanted.
        Raises BrokerError, OffsetsGoneError.
        """
        ...

    def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, Commit | None]:
        """What the group has written down, None if nothing yet; never what a running commit may still undo.

        Raises BrokerUnavailable while a commit is still undecided.
        """
        ...

    def span(self, partition: Partition) -> ReadableOffsets:
        """The offsets that the partition holds now. Raises BrokerUnavailable."""
        ...

    def end(self, partition: Partition) -> int | None:
        """The offset after the partition's last readable record, if it is known without a request."""
        ...

    def position(self, partition: Partition) -> int | None:
        """The offset up to which ``poll`` has handed over all there was, when it last found no more of the partition.

        It lies after the last record where the offsets between hold none. None while there is more to hand over.
        """
        ...

    def start(self, partition: Partition, offset: int) -> None:
        """Hand over the partition's records from ``offset`` on; also to go back."""
        ...

    def pause(self, partitions: Collection[Partition]) -> None:
        """Hand over nothing of these until :meth:`resume`."""
        ...

    def resume(self, partitions: Collection[Partition]) -> None: ...

    def membership(self) -> Membership:
        """Proof of the present membership. Raises FencedError if there is none."""
        ...

    def commit(
        self, membership: Membership, commits: Mapping[Partition, Commit], records: Sequence[OutgoingRecord] = ()
    ) -> None:
        """Write down the commits and publish the records, all of it or nothing.

        Raises FencedError if the membership is outdated, BrokerUnavailable if nothing was done, and
        CommitUncertainError, BrokerError.
        """
        ...

    def close(self) -> None:
        """Leave the group. Closing twice is allowed."""
        ...
