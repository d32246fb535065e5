"""A model of the parts of Kafka that the delivery needs: a group, its offsets, transactions, and fencing.

It behaves as Kafka does:

- The broker checks a commit against the producer's epoch and the group's generation and members. It does not check
  who owns the partition.
- A request may arrive long after its sender stopped waiting for it.
- Nobody can read the offsets of an open transaction.
- A new session of a transactional id ends the open transaction of the session before, and refuses its late requests.
- A partition moves after its owner returned it, or was silent for the session timeout.

The end of a transaction names its producer's epoch and nothing else. If it is delayed and the same session has started
another transaction, it ends that one, no matter how much of it has arrived (KIP-890;
https://jepsen.io/analyses/bufstream-0.1.0, "torn transactions").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import final

import attrs

from lpa_core.delivery.commit_metadata import decode
from lpa_core.delivery.consumer_group import (
    BrokerUnavailable,
    Commit,
    CommitUncertainError,
    FencedError,
    Membership,
    OutgoingRecord,
    Partition,
)
from lpa_core.testing.simulation.scheduler import Host, Scheduler

SESSION_SECONDS = 3.0
TRANSACTION_SECONDS = 6.0
"""After so long an open transaction is aborted."""


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
    """What has arrived of it is written, and it is not decided."""

    transactional_id: str
    epoch: int
    decided_at: float
    """When the coordinator decides it without being told to."""
    committed: bool = False
    """What it decides then."""
    commits: Mapping[Partition, Commit] = attrs.field(factory=dict)
    records: Sequence[OutgoingRecord] = ()


@final
class Broker:
    def __init__(self, scheduler: Scheduler, topic: str, partitions: int, *, faults: bool) -> None:
        self.scheduler, self.faults = scheduler, faults
        self.log: dict[Partition, list[bytes | None]] = {Partition(topic, number): [] for number in range(partitions)}
        self.offsets: dict[Partition, Commit] = {}
        self.published: list[OutgoingRecord] = []
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
        for transaction in self._open_of(transactional_id):
            self._decide(transaction)
        return epoch

    def commit(
        self,
        transactional_id: str,
        epoch: int,
        membership: Membership,
        commits: Mapping[Partition, Commit],
        records: Sequence[OutgoingRecord],
    ) -> None:
        draw = self.scheduler.random
        fate = draw.random() if self.faults else 1.0
        if fate < 0.03:
            raise BrokerUnavailable("the request was lost")
        if fate < 0.05:
            self.scheduler.say(f"a request to commit {_shown(commits)} is held up")
            self.scheduler.spawn(None, lambda: self._arrive_late(transactional_id, epoch, membership, commits, records))
            raise CommitUncertainError("no answer")
        transaction = self._begin(transactional_id, epoch, membership, commits, records)
        if fate < 0.10:
            transaction.decided_at = self.scheduler.now + draw.uniform(0.05, 4)
            transaction.committed = draw.random() < 0.5
            self.scheduler.say(f"a commit of {_shown(commits)} hangs")
            raise CommitUncertainError("no answer")
        if fate < 0.13:
            self.scheduler.say(f"the end of the transaction of {_shown(commits)} is delayed")
            self.scheduler.spawn(None, lambda: self._end_late(transactional_id, epoch))
            raise CommitUncertainError("no answer")
        self._end(transactional_id, epoch)
        if fate < 0.19:
            self.scheduler.say("the answer is lost")
            raise CommitUncertainError("the answer was lost")

    def _begin(
        self,
        transactional_id: str,
        epoch: int,
        membership: Membership,
        commits: Mapping[Partition, Commit],
        records: Sequence[OutgoingRecord],
    ) -> _Transaction:
        """Write the records, then the offsets, of a transaction that is decided by another request."""
        self._check(transactional_id, epoch, membership)
        for left in self._open_of(transactional_id):  # of a session that went on without knowing how its last one ended
            self._open.remove(left)
        transaction = _Transaction(transactional_id, epoch, self.scheduler.now + TRANSACTION_SECONDS)
        transaction.records = records
        self._open.append(transaction)
        self.scheduler.pause()
        try:
            self._check(transactional_id, epoch, membership)
        except FencedError:
            self._open.remove(transaction)  # its client aborts it
            raise
        if transaction not in self._open:
            raise CommitUncertainError("the transaction was ended by somebody else")
        transaction.commits = commits
        self.scheduler.pause()
        return transaction

    def _end(self, transactional_id: str, epoch: int) -> None:
        """Commit whatever the session has open."""
        self.settle()
        found = self._open_of(transactional_id)
        if self._epochs[transactional_id] != epoch or not found:
            raise CommitUncertainError("a newer session has the transactional id, or nothing is open")
        for transaction in found:
            transaction.committed = True
            self._decide(transaction)

    def _end_late(self, transactional_id: str, epoch: int) -> None:
        self.scheduler.pause(self.scheduler.random.uniform(0.05, 4))
        with suppress(CommitUncertainError):
            self._end(transactional_id, epoch)

    def _open_of(self, transactional_id: str) -> list[_Transaction]:
        return [transaction for transaction in self._open if transaction.transactional_id == transactional_id]

    def _check(self, transactional_id: str, epoch: int, membership: Membership) -> None:
        self.settle()
        if self._epochs[transactional_id] != epoch:
            raise CommitUncertainError("a newer session has the transactional id")
        name, generation = membership.decode().split(":")
        if int(generation) != self.generation or all(member.name != name for member in self.members):
            raise FencedError("an older generation")

    def _arrive_late(
        self,
        transactional_id: str,
        epoch: int,
        membership: Membership,
        commits: Mapping[Partition, Commit],
        records: Sequence[OutgoingRecord],
    ) -> None:
        """A request that its sender waits for no longer is judged like any other when it arrives."""
        self.scheduler.pause(self.scheduler.random.uniform(0.05, 4))
        with suppress(CommitUncertainError, FencedError):
            self._begin(transactional_id, epoch, membership, commits, records)
            self._end(transactional_id, epoch)

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

    def _apply(self, commits: Mapping[Partition, Commit], records: Sequence[OutgoingRecord]) -> None:
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


def _shown(commits: Mapping[Partition, Commit]) -> str:
    shown = []
    for partition, commit in sorted(commits.items()):
        prepared = decode(partition, commit.metadata)
        names = f" ({prepared.range.start}-{prepared.range.end})" if prepared else ""
        shown.append(f"[{partition.number}]@{commit.offset}{names}")
    return ", ".join(shown)
