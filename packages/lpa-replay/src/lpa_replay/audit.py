"""The audit of runs: ``replay_runs`` and ``replay_outcomes`` (lpa_sinks/schema/sql/05-replay.sql)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any, Final, final

import attrs

from lpa_core.replays import ReplayRefused
from lpa_core.tables.table import Column, Kind, Table
from lpa_replay.database import ReplayDatabase
from lpa_replay.planning.plan import Plan
from lpa_replay.spool.outcomes import ReplayDecision
from lpa_replay.spool.run_folder import StagedManifest

CLOCKS_MAY_DIFFER_MS: Final = 3_600_000
"""A worker's clock may be behind that of the machine that the run began on."""

RUNS: Final = Table(
    "replay_runs",
    (
        Column("replay_id", Kind.TEXT),
        Column("state", Kind.LABEL),
        Column("started_at", Kind.TIMESTAMP),
        Column("updated_at", Kind.TIMESTAMP),
        Column("started_by", Kind.TEXT),
        Column("version", Kind.TEXT),
        Column("source", Kind.TEXT),
        Column("target", Kind.TEXT),
        Column("clock", Kind.LABEL),
        Column("window_start", Kind.TIMESTAMP, nullable=True),
        Column("window_end", Kind.TIMESTAMP, nullable=True),
        Column("filters", Kind.TEXT),
        Column("bounds", Kind.TEXT),
        Column("fix_sha256", Kind.TEXT),
        Column("transforms", Kind.TEXT),
        Column("max_attempts", Kind.UINT16),
        Column("forced", Kind.UINT8),
        Column("records_read", Kind.UINT64),
        Column("records_selected", Kind.UINT64),
        Column("records_published", Kind.UINT64),
        Column("records_skipped", Kind.UINT64),
        Column("records_unrecoverable", Kind.UINT64),
        Column("records_exhausted", Kind.UINT64),
        Column("first_position", Kind.TEXT),
        Column("last_position", Kind.TEXT),
        Column("verification", Kind.TEXT),
    ),
)
OUTCOMES: Final = Table(
    "replay_outcomes",
    (
        Column("replay_id", Kind.TEXT),
        Column("number", Kind.UINT64),
        Column("source_topic", Kind.LABEL),
        Column("source_partition", Kind.UINT32),
        Column("source_offset", Kind.UINT64),
        Column("source_record_timestamp", Kind.TIMESTAMP),
        Column("event_timestamp", Kind.TIMESTAMP, nullable=True),
        Column("event_type", Kind.LABEL),
        Column("failure_class", Kind.LABEL),
        Column("failure_reason", Kind.LABEL),
        Column("outcome", Kind.LABEL),
        Column("why", Kind.TEXT),
        Column("forecast", Kind.LABEL),
        Column("dedup_key", Kind.TEXT),
        Column("attempt", Kind.UINT16),
        Column("typed_rows", Kind.UINT32),
        Column("result", Kind.LABEL),
        Column("result_reason", Kind.TEXT),
        Column("recorded_at", Kind.TIMESTAMP),
    ),
)


@final
@attrs.frozen
class RunRecord:
    """A row of ``replay_runs``. Times are epoch ms; ``verification`` are the figures of the last one, if any."""

    replay_id: str
    state: str
    started_ms: int
    started_by: str
    version: str
    source: str
    target: str
    clock: str
    start_ms: int | None
    end_ms: int | None
    filters: str
    bounds: str
    fix_sha256: str
    transforms: str
    max_attempts: int
    forced: int
    records_read: int
    records_selected: int
    records_published: int
    records_skipped: int
    records_unrecoverable: int
    records_exhausted: int
    first_position: str
    last_position: str
    verification: str = ""


def run_record(plan: Plan, manifest: StagedManifest, state: str, source: str) -> RunRecord:
    """``source`` describes it, for people."""
    asked, figures, window = plan.asked, manifest.figures, plan.window
    target = asked.target if not asked.topics else f"{asked.target} {asked.topics[1]}"
    return RunRecord(
        replay_id=plan.id,
        state=state,
        started_ms=plan.created_ms,
        started_by=plan.by,
        version=version("lpa-replay"),
        source=source,
        target=target,
        clock=asked.clock.value,
        start_ms=window.start,
        end_ms=window.end,
        filters=json.dumps(asked.filters.as_json()),
        bounds=json.dumps(manifest.bounds),
        fix_sha256=asked.fix_sha256,
        transforms=json.dumps(plan.transforms),
        max_attempts=asked.max_attempts,
        forced=int(asked.force),
        records_read=figures["read"],
        records_selected=figures["selected"],
        records_published=figures["published"],
        records_skipped=figures["skipped"],
        records_unrecoverable=figures["unrecoverable"],
        records_exhausted=figures["exhausted"],
        first_position=figures["first_position"],
        last_position=figures["last_position"],
    )


def record_run(database: ReplayDatabase, run: RunRecord, updated_ms: int) -> None:
    """Write a run down, in the place of what was written of it before."""
    row = [
        run.replay_id,
        run.state,
        run.started_ms,
        updated_ms,
        *(getattr(run, field.name) for field in attrs.fields(RunRecord)[3:]),
    ]
    token = f"replay:{run.replay_id}:run:{run.state}:{updated_ms}"
    database.insert(RUNS, [[value] for value in row], token)


def record_outcomes(
    database: ReplayDatabase, plan: Plan, outcomes: Iterable[Sequence[ReplayDecision]], recorded_ms: int
) -> None:
    """Write the outcomes down, in the place of what was recorded earlier; done again it changes nothing."""
    for lines in outcomes:
        columns = [list(column) for column in zip(*(_row(plan, line, recorded_ms) for line in lines), strict=True)]
        database.insert(OUTCOMES, columns, f"replay:{plan.id}:outcomes:{recorded_ms}:{lines[0].number}")


def recorded_runs(database: ReplayDatabase, replay_id: str = "") -> Sequence[RunRecord]:
    """All runs, the oldest first, or the one of that id."""
    database.require(RUNS.name, OUTCOMES.name)
    return [RunRecord(*row) for row in database.rows("read the replays", database.sql("runs.sql"), replay_id=replay_id)]


def recorded_run(database: ReplayDatabase, replay_id: str) -> RunRecord:
    """The run of an id. Raises ReplayRefused if there is none."""
    found = recorded_runs(database, replay_id) if replay_id else []
    if not found:
        raise ReplayRefused(
            f"there is no replay {replay_id!r} in {database.name}: `lpa replay list` shows those there are"
        )
    return found[0]


def results(database: ReplayDatabase, replay_id: str) -> list[tuple[str, str, int]]:
    """Records of a run by what became of them and why, at most 100 kinds."""
    found = database.rows("read outcomes", database.sql("results.sql"), replay_id=replay_id)
    return [(str(result), str(reason), int(records)) for result, reason, records in found]


def results_of_run(database: ReplayDatabase, which: str) -> str:
    """A query of what became of each record of a run that the condition names, over the audit's columns."""
    return database.sql("run_results.sql", which=which)


def _row(plan: Plan, line: ReplayDecision, recorded_ms: int) -> tuple[Any, ...]:
    return (
        plan.id,
        line.number,
        line.origin.topic,
        line.origin.partition,
        line.origin.offset,
        plan.created_ms if line.record_ms is None else line.record_ms,
        line.event_ms,
        line.event_type,
        line.failure_class,
        line.failure_reason,
        line.decision.value,
        line.why,
        line.forecast,
        line.dedup_key,
        line.attempt,
        line.typed_rows,
        "",
        "",
        recorded_ms,
    )
