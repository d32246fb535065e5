"""Folds the jobs that rows touch, each from all its rows, and writes their facts.

A job has few events: nothing of it is kept in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, final

import structlog
from msgspec.structs import replace

from lpa_core.job_facts.fold import fold_job
from lpa_core.job_facts.job_context import JobContext
from lpa_core.job_facts.job_fact import FoldedJob, JobFact
from lpa_core.job_facts.job_rows import JobKey
from lpa_core.job_facts.workers import WorkerIndex
from lpa_core.lifecycle.facts import column_names, columns
from lpa_sinks.materialize.capabilities import HeldSnapshots
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.facts import SPAN, written_columns
from lpa_sinks.materialize.job_surroundings import advertised_prices, orchestrators_of, workers_of
from lpa_sinks.materialize.row_filter import Extent, TimeSpan, between
from lpa_sinks.materialize.stored_jobs import StoredJob, carried_jobs, known_jobs, read_jobs

_JOBS_AT_ONCE: Final = 5_000
_DAY_MS: Final = 86_400_000
_OWN: Final = ("ingestion_timestamp", "version", "is_deleted", "event_count", *SPAN)
_KEPT: Final = ("ingestion_timestamp", "event_count", *SPAN)

_log = structlog.get_logger("lpa.materialize")


@final
class JobDerivation:
    """Facts of jobs in one database. One thread at a time; methods raise the client's errors."""

    def __init__(self, database: FactDatabase, before_writing: Callable[[], None]) -> None:
        """``before_writing`` is called before anything is written, and may raise DerivationOvertakenError."""
        self._database, self._before_writing = database, before_writing

    def fold(
        self,
        keys: Collection[JobKey],
        came: Mapping[JobKey, Extent],
        capabilities: HeldSnapshots,
        version: int,
        kept_since: int,
    ) -> Iterator[int]:
        """Fold these jobs, some at a time, and write their facts as of ``version``; yields how many were written.

        Args:
            came: rows that are probably not in the facts yet.
            kept_since: epoch ms; typed rows of later events are certainly there.
        """
        remaining = iter(keys)
        while some := list(islice(remaining, _JOBS_AT_ONCE)):
            yield self._fold(some, came, capabilities, version, kept_since)

    def _fold(
        self,
        keys: Sequence[JobKey],
        came: Mapping[JobKey, Extent],
        capabilities: HeldSnapshots,
        version: int,
        kept_since: int,
    ) -> int:
        known = dict(known_jobs(self._database, keys))
        spans = [extent.span for extent in known.values()]
        # Rows that made no fact, such as a charge before its job, are known to nobody.
        spans += [came[key].span if key in known else came[key].span.wider(_DAY_MS) for key in keys if key in came]
        if not spans:
            return 0
        stored = dict(read_jobs(self._database, between(TimeSpan.hull(spans)), keys))
        for key, extent in known.items():
            left = stored[key].extent.rows if key in stored else 0
            if extent.span.earliest < kept_since and left < extent.rows:
                _log.warning("a fact stays as it is: some of its events have expired", org=key.org, job=key.job_id)
                stored.pop(key, None)
        expired = {key for key, extent in known.items() if key not in stored and extent.span.earliest < kept_since}
        facts = self._facts(stored, capabilities)
        buried = known.keys() - facts.keys() - expired
        self._before_writing()
        self._write(facts, stored, version)
        if buried:
            names = ", ".join((*column_names(JobFact), *_KEPT))
            self._database.command("bury_jobs.sql", {"version": version}, columns=names, jobs=carried_jobs(buried))
        return len(facts)

    def _facts(self, stored: Mapping[JobKey, StoredJob], capabilities: HeldSnapshots) -> Mapping[JobKey, JobFact]:
        capabilities.require(orchestrators_of(stored))
        workers = workers_of(self._database, stored)
        folded: dict[JobKey, FoldedJob] = {}
        for key, job in stored.items():
            context = JobContext(capabilities.index(key.org), workers.get(key.org, WorkerIndex()))
            found = fold_job(key, job.rows, context)
            if found is not None:
                folded[key] = found
        wanted = {(key.org, job.advertised) for key, job in folded.items() if job.advertised is not None}
        prices = advertised_prices(self._database, wanted)
        return {
            key: job.fact
            if job.advertised is None
            else replace(job.fact, price_per_unit=prices.get((key.org, job.advertised)))
            for key, job in folded.items()
        }

    def _write(self, facts: Mapping[JobKey, JobFact], stored: Mapping[JobKey, StoredJob], version: int) -> None:
        if not facts:
            return
        jobs = [stored[key] for key in facts]
        values: list[Sequence[Any]] = [
            *columns([*facts.values()]),
            [job.ingested for job in jobs],
            [version] * len(jobs),
            [0] * len(jobs),
            [job.extent.rows for job in jobs],
            [job.extent.span.earliest for job in jobs],
            [job.extent.span.latest for job in jobs],
        ]
        self._database.insert(f"{JobFact.table}_versions", written_columns(JobFact, *_OWN), values)
