"""The group's offsets are gone, or were moved: what is committed and what is stored no longer agree."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import final

from lpa_core.delivery.commit_metadata import DamagedMetadata, decode
from lpa_core.delivery.log import Commit, Partition
from lpa_core.kafka.admin import admin_client
from lpa_ops.backup.tables import cut, positions, stored_tables
from lpa_ops.recover.estimate import seconds_to_read
from lpa_ops.recover.scenario import Context, Findings, Position, Step, as_positions, offsets
from lpa_ops.recover.stored_positions import stored_through
from lpa_ops.savepoint.offsets import commit, committed_in_the_end, earliest, latest, partitions_of, require_stopped
from lpa_sinks.databases import opened


class OffsetLoss(Findings, frozen=True, kw_only=True):
    offsets: list[Position]
    """What is to be committed."""


@final
class Offsets:
    """Commits, for each partition, the offset behind the last record before which all are stored."""

    name = "offset-loss"
    findings = OffsetLoss

    def assess(self, context: Context) -> OffsetLoss:
        settings, admin = context.settings, admin_client(context.settings)
        partitions = partitions_of(admin, settings)
        low, high = earliest(admin, settings, partitions), latest(admin, settings, partitions)
        now = committed_in_the_end(admin, settings)
        damage, lost, right = [], [], {}
        with opened(context.sink, settings) as (client, name):
            stored = positions(client, stored_tables(client, name))
            for partition in partitions:
                behind = stored.get(partition, 0)
                if behind > high[partition]:
                    lost.append(
                        f"{partition} holds {high[partition]} records, but {behind} are stored: the topic was made "
                        "anew; it is left alone: use another topic name"
                    )
                    continue
                through = low[partition]
                if behind > through:
                    through = stored_through(client, name, partition, low[partition], behind)
                problem = _problem(partition, now.get(partition), through, low[partition], behind)
                if problem:
                    damage.append(problem)
                    right[partition] = through
        again = sum(high[partition] - offset for partition, offset in right.items())
        return OffsetLoss(
            damage=damage, lost=lost, seconds=1 + seconds_to_read(again), offsets=as_positions(right), again=again
        )

    def look_again(self, found: OffsetLoss, begun: Collection[str], started_ms: int, context: Context) -> OffsetLoss:
        return self.assess(context)  # the live state tells all there is to know

    def steps(self, found: OffsetLoss, context: Context) -> Sequence[Step]:
        right = ", ".join(f"{Partition(each.topic, each.partition)} at {each.offset}" for each in found.offsets)
        return [
            Step("stopped", "make sure that no worker is running", lambda: self._stopped(context)),
            Step(
                "cut",
                "take out of all tables what a range that was not finished has left behind these offsets",
                lambda: self._cut(found, context),
            ),
            Step("offsets", f"commit {right}", lambda: self._commit(found, context)),
        ]

    def then(self, found: OffsetLoss) -> Sequence[str]:
        return [f"start the workers: they read {found.again:,} records"]

    def _stopped(self, context: Context) -> str:
        require_stopped(admin_client(context.settings), context.settings)
        return "the group has no members"

    def _cut(self, found: OffsetLoss, context: Context) -> str:
        with opened(context.sink, context.settings) as (client, name):
            tables = stored_tables(client, name)
            kept = {**positions(client, tables), **offsets(found.offsets)}
            return f"{sum(cut(client, table, kept) for table in tables):,} rows"

    def _commit(self, found: OffsetLoss, context: Context) -> str:
        right = {partition: Commit(offset) for partition, offset in offsets(found.offsets).items()}
        commit(admin_client(context.settings), context.settings, right)
        return f"{len(right)} partitions"


def _problem(partition: Partition, now: Commit | None, through: int, low: int, behind: int) -> str:
    """What is wrong with what is committed; empty where it is right."""
    if now is None:
        return f"{partition}: no offset is committed, {through} is right" if behind > low else ""
    try:
        prepared = decode(partition, now.metadata)
    except DamagedMetadata as damage:
        return f"{damage}; {through} is right"
    end = prepared.range.end if prepared is not None else now.offset
    if now.offset <= through and behind <= end:
        return "" if prepared is not None or now.offset == through else _moved(partition, now.offset, through)
    return _moved(partition, now.offset, through)


def _moved(partition: Partition, now: int, through: int) -> str:
    what = "would be stored twice" if now < through else "would never be read"
    return f"{partition}: {now} is committed, {through} is right: {abs(now - through):,} records {what}"
