"""The group's offsets are gone, or were moved: what is committed and what is stored no longer agree."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import final

from lpa_core.counted import counted
from lpa_core.delivery.commit_metadata import MAX_SPAN, DamagedMetadataError, decode
from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.committed_offsets import commit, committed_in_the_end, require_stopped
from lpa_core.kafka.permissions import require
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE, OffsetSpan
from lpa_ops.positions.committed import earliest, latest, partitions_of
from lpa_ops.positions.missing import Positions, positions_of
from lpa_ops.positions.stored_tables import cut, positions, stored_tables
from lpa_ops.recover.estimate import seconds_to_read
from lpa_ops.recover.scenario import Context, Findings, FoundOffset, RecoveryStep, as_positions, offsets
from lpa_sinks.clickhouse.database import opened


class OffsetLossFindings(Findings, frozen=True, kw_only=True):
    offsets: list[FoundOffset]
    """What is to be committed."""


@final
class OffsetLoss:
    """Commits, for each partition, the offset after the last record before which all are stored.

    Args:
        not_to_repeat: partitions of which no prepared range may be repeated: it holds what is stored already.
    """

    name = "offset-loss"
    findings = OffsetLossFindings

    def __init__(self, not_to_repeat: Collection[Partition] = ()) -> None:
        self._not_to_repeat = frozenset(not_to_repeat)

    def assess(self, context: Context) -> OffsetLossFindings:
        settings, admin = context.settings, admin_client(context.settings)
        require("lpa recover offset-loss", admin, settings)
        partitions = partitions_of(admin, settings)
        low, high = earliest(admin, settings, partitions), latest(admin, settings, partitions)
        now = committed_in_the_end(admin, settings)
        damage, lost, right = [], [], {}
        with (
            opened(context.sink, settings) as (client, name),
            positions_of(client, name, context.sink, settings) as known,
        ):
            tables = stored_tables(client, name)
            stored = positions(client, [each for each in tables if each.name != KNOWN_GAPS_TABLE.name])
            for partition in partitions:
                behind = stored.get(partition, 0)
                if behind > high[partition]:
                    lost.append(
                        f"{partition} holds {counted(high[partition], 'record')}, but {behind} are stored: the topic "
                        "was made again; lpa does not touch it: use another topic name"
                    )
                    continue
                # At most one range is unfinished, so nothing is missing further back than a range reaches.
                first = max(low[partition], behind - MAX_SPAN)
                through = known.stored_through(partition, OffsetSpan(first, behind)) if behind > first else first
                problem = _problem(known, partition, now.get(partition), through, behind)
                gone = _gone(known, partition, now.get(partition))
                if gone:
                    lost.append(f"{gone}: replay what is gone from the archive")
                    problem = problem or f"{gone}; {through} is right"
                if not problem and partition in self._not_to_repeat and now[partition].metadata:
                    problem = f"{partition}: a range is prepared that holds what is stored already"
                if problem:
                    damage.append(problem)
                    right[partition] = through
        again = sum(high[partition] - offset for partition, offset in right.items())
        return OffsetLossFindings(
            damage=damage, lost=lost, seconds=1 + seconds_to_read(again), offsets=as_positions(right), again=again
        )

    def look_again(
        self, found: OffsetLossFindings, begun: Collection[str], started_ms: int, context: Context
    ) -> OffsetLossFindings:
        return self.assess(context)  # the live state tells all there is to know

    def steps(self, found: OffsetLossFindings, context: Context) -> Sequence[RecoveryStep]:
        right = ", ".join(f"{Partition(each.topic, each.partition)} at {each.offset}" for each in found.offsets)
        return [
            RecoveryStep("stopped", "make sure that no worker is running", lambda: self._stopped(context)),
            RecoveryStep(
                "cut",
                "delete from all tables the rows after these offsets, which an unfinished range left",
                lambda: self._cut(found, context),
            ),
            RecoveryStep("offsets", f"commit {right}", lambda: self._commit(found, context)),
        ]

    def then(self, found: OffsetLossFindings) -> Sequence[str]:
        return [f"start the workers: they read {counted(found.again, 'record')}"]

    def _stopped(self, context: Context) -> str:
        require_stopped(admin_client(context.settings), context.settings)
        return "the group has no members"

    def _cut(self, found: OffsetLossFindings, context: Context) -> str:
        with opened(context.sink, context.settings) as (client, name):
            tables = stored_tables(client, name)
            kept = {**positions(client, tables), **offsets(found.offsets)}
            return counted(sum(cut(client, table, kept) for table in tables), "row")

    def _commit(self, found: OffsetLossFindings, context: Context) -> str:
        right = {partition: Commit(offset) for partition, offset in offsets(found.offsets).items()}
        commit(admin_client(context.settings), context.settings, right)
        return counted(len(right), "partition")


def _gone(known: Positions, partition: Partition, now: Commit | None) -> str:
    """What the topic no longer has of the range that is prepared, so that it cannot be repeated; empty if all."""
    try:
        prepared = decode(partition, now.metadata) if now is not None else None
    except DamagedMetadataError:
        return ""
    if prepared is None:
        return ""
    range_ = prepared.range
    held = known.held(partition, OffsetSpan(range_.start, range_.end))
    if held is None or held == range_.count:
        return ""
    return (
        f"{partition}: {range_.count:,} records {range_.start} to {range_.end - 1} were being written, and the topic "
        f"holds {held:,} at these offsets now"
    )


def _problem(known: Positions, partition: Partition, now: Commit | None, through: int, behind: int) -> str:
    """What is wrong with what is committed; empty if it is right."""
    if now is None:
        return f"{partition}: no offset is committed, {through} is right" if behind else ""
    try:
        prepared = decode(partition, now.metadata)
    except DamagedMetadataError as damage:
        return f"{damage}; {through} is right"
    wrong = f"{partition}: {now.offset} is committed, {through} is right"
    never_read = sum(each.records for each in known.missing(partition, OffsetSpan(through, now.offset)))
    if never_read:
        return f"{wrong}: {counted(never_read, 'record')} would never be read"
    if behind <= (prepared.range.end if prepared is not None else now.offset):
        return ""  # offsets apart from what is right lie in gaps
    twice = known.stored(partition, OffsetSpan(now.offset, through))
    return f"{wrong}: {counted(twice, 'record')} would be stored twice" if twice else f"{wrong}: rows are left after it"
