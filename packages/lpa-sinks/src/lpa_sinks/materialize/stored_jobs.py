"""Jobs and where their rows lie: those that rows touch, those that have facts, and the rows themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, final

import attrs

from lpa_core.job_facts.job_rows import (
    BatchRow,
    GatewayRow,
    JobKey,
    JobRow,
    JobRows,
    JobType,
    LlmRow,
    OrchestratorRow,
    PaymentRow,
)
from lpa_core.tables.table import Column, Kind
from lpa_sinks.clickhouse.inline_rows import carried
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.row_filter import Extent, RowFilter, TimeSpan
from lpa_sinks.materialize.statements import SQL


@final
@attrs.define(slots=True)
class StoredJob:
    """All rows of a job. Times are epoch ms."""

    rows: JobRows = attrs.field(factory=JobRows)
    ingested: int = 0
    """The latest batch time among the rows."""
    _earliest: int = 1 << 62
    _latest: int = -(1 << 62)
    _events: set[tuple[str, str]] = attrs.field(factory=set[tuple[str, str]])

    def add(self, name: str, row: JobRow, ingested: int) -> None:
        """``name`` is that of the rows in :class:`~lpa_core.job_facts.job_rows.JobRows`."""
        getattr(self.rows, name).append(row)
        self.ingested = max(self.ingested, ingested)
        self._earliest = min(self._earliest, row.event_timestamp)
        self._latest = max(self._latest, row.event_timestamp)
        self._events.add((name, row.source_event_uid))

    @property
    def extent(self) -> Extent:
        """Each event counts once, also if it was stored again."""
        return Extent(len(self._events), TimeSpan(self._earliest, self._latest))


def touched_jobs(database: FactDatabase, rows: RowFilter) -> Mapping[JobKey, Extent]:
    """The jobs that these rows are of, earliest first, and how many rows of each and when.

    Raises the client's errors.
    """
    columns = database.query("jobs_of.sql", 5, rows.parameters, rows=rows.condition, **job_ids())
    return {
        JobKey(org, name): Extent(count, TimeSpan(earliest, latest))
        for org, name, earliest, latest, count in zip(*columns, strict=True)
    }


def jobs_of_workers(database: FactDatabase, rows: RowFilter) -> set[JobKey]:
    """The jobs whose worker may be one that registered by these rows. Raises the client's errors."""
    columns = database.query("jobs_of_workers.sql", 2, rows.parameters, rows=rows.condition, **job_ids())
    return {JobKey(*key) for key in zip(*columns, strict=True)}


def known_jobs(database: FactDatabase, keys: Collection[JobKey]) -> Mapping[JobKey, Extent]:
    """Those of the jobs that have facts, and the typed rows that these were made of. Raises the client's errors."""
    columns = database.query("known_jobs.sql", 5, jobs=carried_jobs(keys))
    return {
        JobKey(org, name): Extent(count, TimeSpan(earliest, latest))
        for org, name, earliest, latest, count in zip(*columns, strict=True)
    }


def read_jobs(database: FactDatabase, rows: RowFilter, keys: Collection[JobKey]) -> Mapping[JobKey, StoredJob]:
    """The rows of these jobs, at least one job, among ``rows``. Raises the client's errors."""
    found: dict[JobKey, StoredJob] = {}
    jobs = carried_jobs(keys)
    for job_type, file, width, name, make in _TABLES:
        job_id = job_id_of(job_type)
        condition = rows.condition + SQL.fill("of_jobs.sql", job_id=job_id, jobs=jobs)
        orgs, names, ingested, *columns = database.query(file, width, rows.parameters, rows=condition, job_id=job_id)
        for org, job, batch_time, row in zip(orgs, names, ingested, map(make, *columns), strict=True):
            found.setdefault(JobKey(org, job), StoredJob()).add(name, row, batch_time)
    return found


def carried_jobs(keys: Iterable[JobKey]) -> str:
    """Jobs as a table for a statement."""
    return carried(_KEYS, sorted(keys))


def job_id_of(job_type: JobType) -> str:
    """The expression that says of a row what :func:`~lpa_core.job_facts.job_rows.job_id` says of an event."""
    return SQL.fill("job_id.sql", job_type=job_type).strip()


def job_ids() -> Mapping[str, str]:
    """The parts of a statement that name jobs of both types."""
    return {"batch_job": job_id_of(JobType.AI_BATCH), "byoc_job": job_id_of(JobType.BYOC)}


_KEYS: Final = (Column("org", Kind.TEXT), Column("job_id", Kind.TEXT))
_TABLES: Final[Sequence[tuple[JobType, str, int, str, Callable[..., JobRow]]]] = (
    (JobType.AI_BATCH, "batch_rows.sql", 20, "batch", BatchRow),
    (JobType.AI_BATCH, "llm_rows.sql", 20, "llm", LlmRow),
    (JobType.BYOC, "gateway_rows.sql", 20, "gateway", GatewayRow),
    (JobType.BYOC, "orchestrator_rows.sql", 21, "orchestrator", OrchestratorRow),
    (JobType.BYOC, "charge_rows.sql", 18, "payments", PaymentRow),
)
"""Type, SQL file, the number of its columns, and what its rows are in :class:`~lpa_core.job_facts.job_rows.JobRows`."""
