"""Whether the group's committed offsets fit what the topic holds and what is stored.

Where they do not, a worker stops with the partition, and other figures about it mean nothing: a lag is counted from
an offset that is no longer one, and positions are compared up to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, final

import attrs

from lpa_core.counted import counted
from lpa_core.delivery.commit_metadata import DamagedMetadataError, decode
from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.health.check import Finding, NotApplicable, Scope
from lpa_core.settings.thresholds import State, Thresholds
from lpa_core.tables.known_gaps import OffsetSpan
from lpa_ops.health.database import opened
from lpa_ops.health.kafka_offsets import KafkaOffsets, Standing
from lpa_ops.health.remedy import command
from lpa_ops.positions.missing import Positions

_NONE: Final = Thresholds(0, 0)
_SHOWN: Final = 3


@final
@attrs.frozen
class OffsetTrouble:
    """What is wrong with a partition, and what repairs it."""

    what: str
    action: str


def judge_offsets(scope: Scope) -> Finding:
    offsets = KafkaOffsets(scope)
    # What is committed and stored is asked first: what comes in meanwhile must not look like offsets beyond the end.
    commits = offsets.commits()
    stored = _stored(scope, "stored_up_to.sql", until=scope.now_ms)
    standings = _without_gaps(scope, offsets.standings(), commits)
    if standings.keys() - commits.keys():  # seldom, so it may cost more
        stored = {**_stored(scope, "stored_of_topic.sql"), **stored}
    troubles = {str(partition): trouble for partition, trouble in _troubles(scope, standings, commits, stored)}
    for partition, why in scope.given_up.items():
        known = troubles.get(partition)
        troubles[partition] = OffsetTrouble(f"{partition} needs a person: {why}", known.action if known else _LEFT)
    if troubles:
        more = f" (and {len(troubles) - _SHOWN} more)" if len(troubles) > _SHOWN else ""
        shown = [trouble.what for _, trouble in sorted(troubles.items())][:_SHOWN]
        action = next(iter(troubles.values())).action
        return Finding(State.CRITICAL, f"{'; '.join(shown)}{more}", len(troubles), _NONE, action)
    group, topics = scope.settings.quality.group_id, ", ".join(scope.settings.quality.topics)
    if not any(partition in commits for partition in standings):
        waiting = sum(standing.lag for standing in standings.values())
        if not waiting:
            raise NotApplicable(f"the group {group} has read nothing, and {topics} holds nothing")
        return Finding(
            State.WARNING,
            f"the group {group} has never committed an offset of {topics}, though "
            f"{counted(waiting, 'record waits', 'records wait')} there",
            None,
            _NONE,
            "start `lpa ingest`; if it runs, give it and this command the same QUALITY_GROUP_ID and topic",
        )
    return Finding(
        State.OK, f"committed offsets of {counted(len(standings), 'partition')} fit the topic and the tables", 0, _NONE
    )


_LEFT: Final = "/readyz of the worker has the reason and the remedy; then start the worker again"


def _troubles(
    scope: Scope,
    standings: Mapping[Partition, Standing],
    commits: Mapping[Partition, Commit],
    stored: Mapping[Partition, int],
) -> Iterator[tuple[Partition, OffsetTrouble]]:
    for partition, standing in standings.items():
        trouble = _trouble(scope, partition, standing, commits.get(partition), stored.get(partition, 0))
        if trouble is not None:
            yield partition, trouble


def _trouble(
    scope: Scope, partition: Partition, standing: Standing, commit: Commit | None, stored: int
) -> OffsetTrouble | None:
    right = f"stop the workers; {command(scope, 'recover offset-loss')} shows the right offsets, --execute sets them"
    anew = (
        f"use another topic name (QUALITY_INPUT_TOPIC or QUALITY_INPUT_TOPICS): the tables hold positions of the old "
        f"{partition.topic}; "
        f"{command(scope, 'recover offset-loss')} shows which"
    )
    if stored > standing.high:
        what = f"{partition} holds {standing.low:,} to {standing.high - 1:,}, though {stored - 1:,} is stored"
        return OffsetTrouble(f"{what}: it was deleted and made again, or truncated", anew)
    if commit is None:
        if not stored:
            return None
        group = scope.settings.quality.group_id
        return OffsetTrouble(
            f"{partition}: the group {group} has no committed offset, though records up to {stored - 1:,} are stored",
            f"{right}; where another group reads the topic, set QUALITY_GROUP_ID as its workers have it",
        )
    if commit.offset > standing.high:
        what = f"{partition}: {commit.offset:,} is committed, though it holds {standing.low:,} to {standing.high - 1:,}"
        return OffsetTrouble(f"{what}: it was deleted and made again, or truncated", anew)
    try:
        decode(partition, commit.metadata)
    except DamagedMetadataError as damage:
        return OffsetTrouble(str(damage), f"if a restore is not finished, run it again; else {right}")
    if commit.offset < standing.low:
        gone = standing.low - commit.offset
        return OffsetTrouble(
            f"{partition}: {gone:,} records from {commit.offset:,} on were deleted before they were read",
            f"if there is an archive, {command(scope, 'replay run --from archive')} brings them; "
            "QUALITY_OFFSET_GAP_POLICY=earliest lets the worker continue with what is there",
        )
    return None


def _without_gaps(
    scope: Scope, standings: Mapping[Partition, Standing], commits: Mapping[Partition, Commit]
) -> Mapping[Partition, Standing]:
    """What was deleted behind a committed offset counts only where it may have been a record."""
    deleted = {
        partition: OffsetSpan(commits[partition].offset, standing.low)
        for partition, standing in standings.items()
        if partition in commits and commits[partition].offset < standing.low
    }
    if not deleted:
        return standings
    try:
        with opened(scope) as database:
            known = Positions(database.rows, database.name, None)
            gaps = {partition: span for partition, span in deleted.items() if known.holds_nothing(partition, span)}
    except NotApplicable:
        return standings
    return {
        partition: attrs.evolve(standing, low=gaps[partition].first) if partition in gaps else standing
        for partition, standing in standings.items()
    }


def _stored(scope: Scope, question: str, **parameters: int) -> Mapping[Partition, int]:
    """For each partition the offset after the last that is stored; nothing if there is no database."""
    try:
        with opened(scope) as database:
            database.require("streaming_events", "streaming_events_dlq", "streaming_events_quarantine")
            rows = database.ask(question, topics=list(scope.settings.quality.topics), **parameters)
    except NotApplicable:
        return {}
    return {Partition(row["source_topic"], row["source_partition"]): row["stored"] for row in rows}


def where_offsets_fit(judge_it: Callable[[Scope], Finding]) -> Callable[[Scope], Finding]:
    """A check that goes by committed offsets, and is as red as they are where they mean nothing."""

    def judged(scope: Scope) -> Finding:
        if scope.kafka:
            try:
                offsets = judge_offsets(scope)
            except NotApplicable:
                return judge_it(scope)
            if offsets.state is State.CRITICAL:
                return attrs.evolve(offsets, value=None, thresholds=None)
        return judge_it(scope)

    return judged
