"""A job for the admin endpoint to show. A test decides what it reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import attrs

from lpa_core.admin.job import JobState, PartitionStatus, SavepointStatus, StopRefused
from lpa_core.delivery.run_report import Report


@final
@attrs.define(eq=False)
class JobDouble:
    """Stands in for an :class:`lpa_core.admin.job.AdministeredJob`; its fields are what it answers with.

    ``stops`` are the folders that stops were asked with; ``refusal`` is why they are refused, if they are.
    """

    id: str = "job-1"
    name: str = "ingest streaming_events"
    started_ms: int = 1_700_000_000_000
    ended_ms: int | None = None
    now: JobState = JobState.RUNNING
    well: bool = True
    reasons: Sequence[str] = ()
    held: Sequence[PartitionStatus] = ()
    counts: Report = attrs.field(factory=lambda: Report("streaming_events"))
    savepoints: dict[str, SavepointStatus] = attrs.field(factory=dict[str, SavepointStatus])
    stops: list[str | None] = attrs.field(factory=list[str | None])
    refusal: str = ""

    def state(self) -> JobState:
        return self.now

    def healthy(self) -> bool:
        return self.well

    def not_ready(self) -> Sequence[str]:
        return self.reasons

    def partitions(self) -> Sequence[PartitionStatus]:
        return self.held

    def report(self) -> Mapping[str, Any]:
        return self.counts.as_json()

    def stop(self, with_savepoint: str | None) -> str:
        if self.refusal:
            raise StopRefused(self.refusal)
        self.stops.append(with_savepoint)
        request = f"request-{len(self.stops)}"
        self.savepoints[request] = SavepointStatus(completed=False)
        self.now = JobState.CANCELLING
        return request

    def savepoint(self, request_id: str) -> SavepointStatus | None:
        return self.savepoints.get(request_id)
