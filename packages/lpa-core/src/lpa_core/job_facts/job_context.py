"""What decides about the facts of jobs beside their own rows: snapshots and workers of one org."""

from __future__ import annotations

from typing import final

import attrs

from lpa_core.job_facts.workers import WorkerIndex
from lpa_core.lifecycle.capabilities import CapabilityIndex


@final
@attrs.frozen(slots=True, eq=False)
class JobContext:
    capabilities: CapabilityIndex = attrs.field(factory=CapabilityIndex)
    workers: WorkerIndex = attrs.field(factory=WorkerIndex)
