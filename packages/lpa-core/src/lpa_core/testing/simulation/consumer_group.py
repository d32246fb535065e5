"""One session of a member of the simulated group: what it is handed, when it hears of what, and what it commits.

A member that was silent hears late of what it has lost, and may be handed records that were fetched before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import final

from lpa_core.delivery.consumer_group import (
    Assignment,
    BrokerUnavailable,
    Commit,
    FencedError,
    Membership,
    OutgoingRecord,
    Partition,
    ReadableOffsets,
)
from lpa_core.records import RecordBatch
from lpa_core.testing.simulation.broker import Broker, Member
from lpa_core.testing.simulation.scheduler import Host


@final
class SimulatedGroup:
    """One session of a member: the :class:`ConsumerGroup` of a worker."""

    def __init__(self, broker: Broker, host: Host, transactional_id: str, name: str) -> None:
        self._broker, self._scheduler, self._id = broker, broker.scheduler, transactional_id
        self._scheduler.pause()
        self._epoch = broker.begin_session(transactional_id)
        self._member = Member(name, host)
        self._sessions = 0
        self._host = host
        self._positions: dict[Partition, int] = {}
        self._paused: set[Partition] = set()
        self._goes_back: set[Partition] = set()
        self._proof = Membership(b"")
        self._told: set[Partition] = set()
        self._deaf_until = 0.0
        self._closed = False

    def join(self, topics: Sequence[str], assignment: Assignment) -> None:
        self._assignment = assignment
        self._scheduler.pause()
        self._broker.join(self._member)

    def poll(self, max_records: int, seconds: float) -> Sequence[RecordBatch]:
        self._scheduler.pause()
        self._broker.expire()
        if self._member.gone and not self._deaf_until:
            # The news stands in the queue behind records that were fetched before.
            self._deaf_until = self._scheduler.now + self._scheduler.random.choice((0.0, 0.0, 0.2))
        if not self._member.gone or self._scheduler.now >= self._deaf_until:
            self._serve()
        batches = [batch for batch in (self._fetch(p, max_records) for p in tuple(self._positions)) if batch]
        if not self._member.gone:
            self._proof = Membership(f"{self._member.name}:{self._broker.generation}".encode())
        if not batches:
            self._scheduler.pause(seconds)
        return batches

    def _serve(self) -> None:
        """What a poll calls back for."""
        if self._member.gone:
            lost, self._told = sorted(self._told), set()
            self._forget(lost)
            self._scheduler.say(f"hears that it has lost {[p.number for p in lost]}")
            self._assignment.lost(lost)
            self._sessions += 1
            self._deaf_until = 0.0
            self._member = Member(f"{self._member.name.split('/')[0]}/{self._sessions}", self._host)
            self._broker.join(self._member)
            return
        wanted = self._broker.wanted()
        revoked = [partition for partition in sorted(self._told) if wanted.get(partition) is not self._member]
        if revoked:
            self._proof = Membership(f"{self._member.name}:{self._broker.generation}".encode())
            self._scheduler.say(f"gives up {[p.number for p in revoked]}")
            self._assignment.revoked(revoked)
            self._told -= set(revoked)
            self._forget(revoked)
            self._member.owned -= set(revoked)
            self._broker.generation += 1
        if self._member not in self._broker.members:
            return
        new = [
            partition
            for partition, member in wanted.items()
            if member is self._member and partition not in self._told and self._broker.owner(partition) is None
        ]
        if new:
            self._member.owned |= set(new)
            self._told |= set(new)
            self._broker.generation += 1
            self._scheduler.say(f"is given {sorted(p.number for p in new)}")
            self._assignment.assigned(new)

    def _forget(self, partitions: Collection[Partition]) -> None:
        for partition in partitions:
            self._positions.pop(partition, None)
            self._paused.discard(partition)

    def _fetch(self, partition: Partition, most: int) -> RecordBatch | None:
        if partition in self._paused:
            return None
        if partition in self._goes_back and self._positions[partition] and self._scheduler.random.random() < 0.3:
            self._goes_back.remove(partition)
            self._scheduler.say(f"is handed [{partition.number}] from the start again")
            self._positions[partition] = 0  # clients do this where a lookup of a named offset is answered late
        position, values = self._positions[partition], self._broker.log[partition]
        end = min(len(values), position + self._scheduler.random.randint(1, most))
        if position >= end:
            return None
        self._positions[partition] = end
        found = [(offset, value) for offset, value in enumerate(values[position:end], position) if value is not None]
        if not found:
            return None
        offsets, records = zip(*found, strict=True)
        times = [1_767_900_000_000] * len(found)
        return RecordBatch(partition.topic, partition.number, offsets, records, times)

    def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, Commit | None]:
        self._scheduler.pause()
        self._broker.settle()
        if any(self._broker.undecided(partition) for partition in partitions):
            raise BrokerUnavailable("a transaction is not decided")
        return {partition: self._broker.offsets.get(partition) for partition in partitions}

    def span(self, partition: Partition) -> ReadableOffsets:
        return ReadableOffsets(0, len(self._broker.log[partition]))

    def end(self, partition: Partition) -> int | None:
        return len(self._broker.log[partition])

    def position(self, partition: Partition) -> int | None:
        end = len(self._broker.log[partition])
        return end if self._positions.get(partition) == end else None

    def start(self, partition: Partition, offset: int) -> None:
        self._positions[partition] = offset
        if self._broker.faults and self._scheduler.random.random() < 0.03:
            self._goes_back.add(partition)

    def pause(self, partitions: Collection[Partition]) -> None:
        self._paused |= set(partitions)

    def resume(self, partitions: Collection[Partition]) -> None:
        self._paused -= set(partitions)

    def membership(self) -> Membership:
        if not self._proof:
            raise FencedError("no member yet")
        return self._proof

    def commit(
        self, membership: Membership, commits: Mapping[Partition, Commit], records: Sequence[OutgoingRecord] = ()
    ) -> None:
        self._scheduler.pause()
        self._broker.expire()
        try:
            self._broker.commit(self._id, self._epoch, membership, commits, records)
        finally:
            self._scheduler.pause()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            if not self._member.gone:
                self._assignment.revoked(sorted(self._told))
            self._scheduler.pause()
            self._broker.leave(self._member)
