"""Rows of a job and what is known around it in, its fact out.

The fact is a function of the set of rows: neither their order nor how often each is there changes it.
"""

from __future__ import annotations

from lpa_core.job_facts.batch_job import batch_job
from lpa_core.job_facts.byoc_job import byoc_job
from lpa_core.job_facts.job_context import JobContext
from lpa_core.job_facts.job_fact import FoldedJob
from lpa_core.job_facts.job_rows import JobKey, JobRows, JobType


def fold_job(key: JobKey, rows: JobRows, context: JobContext) -> FoldedJob | None:
    """The fact of a job; None if the rows that it needs are missing. ``context`` is of the job's org."""
    fold = batch_job if key.job_id.startswith(f"{JobType.AI_BATCH}|") else byoc_job
    return fold(key, rows, context)
