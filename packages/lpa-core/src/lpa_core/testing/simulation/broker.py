"""A model of Kafka as far as the delivery leans on it: a group, its offsets, transactions, and who is turned away.

What it takes over from Kafka: a commit is checked against the producer's epoch and the group's generation and members,
not against who owns the partition; offsets of a transaction that is not decided cannot be read; a new session of a
transactional id decides what the one before left open; a partition moves once its owner has given it up or has been
silent for the session timeout; a member that was silent hears of it late, and may be handed records fetched before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import final

import attrs

from lpa_core.delivery.commit_metadata import decode
from lpa_core.delivery.log import (
    Assignment,
    Commit,
    CommitUncertain,
    Fenced,
    LogRecord,
    LogUnavailable,
    Membership,
    Partition,
    Span,
)
from lpa_core.records import RecordBatch
from lpa_core.testing.simulation.scheduler import Host, Scheduler

SESSION_SECONDS = 3.0


@final
@attrs.define(eq=False)
class Member:
    name: str
    host: Host
    owned: set[Partition] = attrs.field(factory=set)
    gone: bool = False
    """The group has gone on without it."""


@final
@attrs.define(eq=False)
class _Transaction:
    """Its offsets are written, and it is not decided."""

    transactional_id: str
    epoch: int
    commits: Mapping[Partition, Commit]
    records: Sequence[LogRecord]
    decided_at: float
    committed: bool


@final
class Broker:
    def __init__(self, scheduler: Scheduler, topic: str, partitions: int, *, faults: bool) -> None:
        self.scheduler, self.faults = scheduler, faults
        self.log: dict[Partition, list[bytes]] = {Partition(topic, number): [] for number in range(partitions)}
        self.offsets: dict[Partition, Commit] = {}
        self.published: list[LogRecord] = []
        self.prepared: set[tuple[Partition, int, int]] = set()
        """Every range that was ever named by committed metadata."""
        self.violations: list[str] = []
        self.generation = 0
        self.members: list[Member] = []
        self._epochs: dict[str, int] = {}
        self._open: list[_Transaction] = []

    # The group.

    def join(self, member: Member) -> None:
        self.members.append(member)
        self.generation += 1

    def leave(self, member: Member) -> None:
        if member in self.members:
            self.members.remove(member)
            self.generation += 1
        member.gone = True

    def expire(self) -> None:
        """Go on without members that are dead, or frozen for longer than the session timeout."""
        now = self.scheduler.now
        for member in tuple(self.members):
            if member.host.dead or member.host.frozen_until - now > SESSION_SECONDS:
                self.leave(member)

    def wanted(self) -> dict[Partition, Member]:
        """Who is to own each partition: shared out evenly, owners keep theirs where that is fair."""
        fair = -(-len(self.log) // max(1, len(self.members)))
        shares: dict[Partition, Member] = {}
        counts = {member.name: 0 for member in self.members}
        for member in self.members:
            for partition in sorted(member.owned)[:fair]:
                shares[partition] = member
                counts[member.name] += 1
        for partition in self.log:
            if partition not in shares and self.members:
                least = min(self.members, key=lambda member: counts[member.name])
                shares[partition] = least
                counts[least.name] += 1
        return shares

    def owner(self, partition: Partition) -> Member | None:
        return next((member for member in self.members if partition in member.owned), None)

    # Transactions.

    def begin_session(self, transactional_id: str) -> int:
        self._epochs[transactional_id] = epoch = self._epochs.get(transactional_id, 0) + 1
        for transaction in tuple(self._open):
            if transaction.transactional_id == transactional_id:
                self._decide(transaction)
        return epoch

    def commit(
        self,
        transactional_id: str,
        epoch: int,
        membership: Membership,
        commits: Mapping[Partition, Commit],
        records: Sequence[LogRecord],
    ) -> None:
        draw = self.scheduler.random
        fate = draw.random() if self.faults else 1.0
        if fate < 0.04:
            raise LogUnavailable("the request was lost")
        self.settle()
        if self._epochs[transactional_id] != epoch:
            raise CommitUncertain("a newer session has the transactional id")
        for transaction in tuple(self._open):
            if transaction.transactional_id == transactional_id:
                self._decide(transaction)
        name, generation = membership.decode().split(":")
        if int(generation) != self.generation or all(member.name != name for member in self.members):
            raise Fenced("an older generation")
        if fate < 0.10:
            decided = self.scheduler.now + draw.uniform(0.05, 4)
            self._open.append(
                _Transaction(transactional_id, epoch, commits, records, decided, committed=draw.random() < 0.5)
            )
            self.scheduler.say(f"a commit of {_shown(commits)} hangs")
            raise CommitUncertain("no answer")
        self._apply(commits, records)
        if fate < 0.16:
            self.scheduler.say("the answer is lost")
            raise CommitUncertain("the answer was lost")

    def settle(self) -> None:
        """Decide the transactions whose time has come."""
        for transaction in tuple(self._open):
            if transaction.decided_at <= self.scheduler.now:
                self._decide(transaction)

    def _decide(self, transaction: _Transaction) -> None:
        self._open.remove(transaction)
        if transaction.committed:
            self._apply(transaction.commits, transaction.records)

    def undecided(self, partition: Partition) -> bool:
        return any(partition in transaction.commits for transaction in self._open)

    def _apply(self, commits: Mapping[Partition, Commit], records: Sequence[LogRecord]) -> None:
        self.scheduler.say(f"committed {_shown(commits)}, {len(records)} rejects")
        for partition, commit in commits.items():
            before = self.offsets.get(partition)
            if before is not None and commit.offset < before.offset:
                self.violations.append(f"the offset of {partition} moved back from {before.offset} to {commit.offset}")
            self.offsets[partition] = commit
            prepared = decode(partition, commit.metadata)
            if prepared is not None:
                self.prepared.add((partition, prepared.range.start, prepared.range.end))
        self.published += records


@final
class SimulatedLog:
    """One session of a member: the ``Log`` of a worker."""

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
            lost, self._told = self._told, set()
            self._forget(lost)
            self._scheduler.say(f"hears that it has lost {sorted(p.number for p in lost)}")
            self._assignment.lost(lost)
            self._sessions += 1
            self._deaf_until = 0.0
            self._member = Member(f"{self._member.name.split('/')[0]}/{self._sessions}", self._host)
            self._broker.join(self._member)
            return
        wanted = self._broker.wanted()
        revoked = {partition for partition in self._told if wanted.get(partition) is not self._member}
        if revoked:
            self._proof = Membership(f"{self._member.name}:{self._broker.generation}".encode())
            self._scheduler.say(f"gives up {sorted(p.number for p in revoked)}")
            self._assignment.revoked(revoked)
            self._told -= revoked
            self._forget(revoked)
            self._member.owned -= revoked
            self._broker.generation += 1
        if self._member not in self._broker.members:
            return
        new = {
            partition
            for partition, member in wanted.items()
            if member is self._member and partition not in self._told and self._broker.owner(partition) is None
        }
        if new:
            self._member.owned |= new
            self._told |= new
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
        times = [1_767_900_000_000] * (end - position)
        return RecordBatch(partition.topic, partition.number, range(position, end), values[position:end], times)

    def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, Commit | None]:
        self._scheduler.pause()
        self._broker.settle()
        if any(self._broker.undecided(partition) for partition in partitions):
            raise LogUnavailable("a transaction is not decided")
        return {partition: self._broker.offsets.get(partition) for partition in partitions}

    def span(self, partition: Partition) -> Span:
        return Span(0, len(self._broker.log[partition]))

    def end(self, partition: Partition) -> int | None:
        return len(self._broker.log[partition])

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
            raise Fenced("no member yet")
        return self._proof

    def commit(
        self, membership: Membership, commits: Mapping[Partition, Commit], records: Sequence[LogRecord] = ()
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
                self._assignment.revoked(self._told)
            self._scheduler.pause()
            self._broker.leave(self._member)


def _shown(commits: Mapping[Partition, Commit]) -> str:
    shown = []
    for partition, commit in sorted(commits.items()):
        prepared = decode(partition, commit.metadata)
        names = f" ({prepared.range.start}-{prepared.range.end})" if prepared else ""
        shown.append(f"[{partition.number}]@{commit.offset}{names}")
    return ", ".join(shown)
