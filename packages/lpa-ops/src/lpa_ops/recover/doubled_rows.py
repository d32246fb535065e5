"""Rows stand there twice: a partition was read again of which the tables had the rows already."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import final

from clickhouse_connect.driver.client import Client

from lpa_core.counted import counted
from lpa_core.delivery.consumer_group import Partition
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.committed_offsets import require_stopped
from lpa_core.sinks.sink import StoredRange
from lpa_ops.positions.checkpoints import checkpoints, from_kafka, sink_name
from lpa_ops.positions.committed import of_derivation
from lpa_ops.positions.doubled import Kept, Misplaced, doubled
from lpa_ops.recover.offset_loss import OffsetLoss
from lpa_ops.recover.row_removal import remove
from lpa_ops.recover.scenario import Context, Findings, RecoveryStep
from lpa_ops.recover.touched_facts import TouchedSession, as_touched, derive_again
from lpa_sinks.clickhouse.database import opened
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.known_sessions import touched_sessions
from lpa_sinks.materialize.row_filter import of_ranges


class DoubledPositions(Findings, frozen=True, kw_only=True):
    kept: list[Kept]
    misplaced: list[Misplaced]
    sessions: list[TouchedSession]
    partitions: list[tuple[str, int]]
    """Of the group's topic."""


@final
class DoubledRows:
    """Takes out what a later batch brought of positions that were stored already, and what was derived from it."""

    name = "doubled-rows"
    findings = DoubledPositions

    def assess(self, context: Context) -> DoubledPositions:
        with opened(context.sink, context.settings) as (client, name):
            found = doubled(client, name)
            sessions = _sessions(client, name, found.removed)
        return DoubledPositions(
            damage=[
                f"{each}: {counted(count, 'record is', 'records are')} stored more than once"
                for each, count in found.positions.items()
            ],
            lost=[],
            seconds=1 + sum(found.positions.values()) // 10_000,
            kept=found.kept,
            misplaced=found.misplaced,
            sessions=sessions,
            partitions=[(each.topic, each.number) for each in found.positions if _of_topic(each, context)],
        )

    def look_again(
        self, found: DoubledPositions, begun: Collection[str], started_ms: int, context: Context
    ) -> DoubledPositions:
        return found  # part of what was doubled may be gone, and its sessions are still to be rebuilt

    def steps(self, found: DoubledPositions, context: Context) -> Sequence[RecoveryStep]:
        return [
            RecoveryStep("stopped", "make sure that no worker is running", lambda: self._stopped(found, context)),
            RecoveryStep(
                "rows",
                "take out of all tables what came of these positions in a later batch",
                lambda: self._remove(found, context),
                once=True,
            ),
            RecoveryStep(
                "offsets",
                "commit the offset before which all is stored, where another one is committed",
                lambda: self._go_on(found, context),
                once=True,
            ),
            RecoveryStep(
                "derived",
                f"derive facts and rollups of {len(found.sessions):,} sessions again",
                lambda: self._derive(found, context),
                once=True,
            ),
        ]

    def then(self, found: DoubledPositions) -> Sequence[str]:
        topics = ["what the topics of rejects have twice stays there: a replay recognises it by its position"]
        return [*(topics if found.partitions else []), "start the workers"]

    def _stopped(self, found: DoubledPositions, context: Context) -> str:
        if not found.partitions:
            return "no consumer group is concerned"
        admin = admin_client(context.settings)
        require_stopped(admin, context.settings)
        require_stopped(admin, of_derivation(context.settings))
        return "the groups have no members"

    def _remove(self, found: DoubledPositions, context: Context) -> str:
        with opened(context.sink, context.settings) as (client, name):
            return counted(remove(client, name, found.kept, found.misplaced), "row")

    def _go_on(self, found: DoubledPositions, context: Context) -> str:
        """Also where a range is prepared: repeated, it would bring back what was taken out."""
        if not found.partitions:
            return "no consumer group is concerned"
        offsets = OffsetLoss(not_to_repeat={Partition(*each) for each in found.partitions})
        right = offsets.assess(context)
        for step in offsets.steps(right, context) if right.damage else ():
            step.do()
        return counted(len(right.offsets), "partition")

    def _derive(self, found: DoubledPositions, context: Context) -> str:
        return counted(derive_again(found.sessions, (), context), "session")


def _of_topic(partition: Partition, context: Context) -> bool:
    files = checkpoints(context.settings, sink_name(context.sink, context.settings)).values()
    return from_kafka([partition], files, context.settings)


def _sessions(client: Client, name: str, removed: Collection[tuple[Partition, int]]) -> list[TouchedSession]:
    """The sessions of which these batches (epoch ms) brought signals."""
    if not removed:
        return []
    ranges = [StoredRange(*partition, batch_time) for partition, batch_time in sorted(removed)]
    return as_touched(touched_sessions(FactDatabase(client, name), of_ranges(ranges)))
