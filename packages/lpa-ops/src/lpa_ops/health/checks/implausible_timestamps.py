"""Which share of the records is dead-lettered for an impossible time (docs/spec/producers.md section 4)."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_core.validation.reasons import Reason
from lpa_ops.health.database import opened
from lpa_ops.health.runbook import section


def judge(scope: Scope) -> Finding:
    with opened(scope) as database:
        database.require("streaming_events", "streaming_events_dlq")
        found = database.ask_for_one("implausible_timestamps.sql", reason=Reason.IMPLAUSIBLE_TIMESTAMP.value)
    records, rejects = found["records"], found["rejects"]
    if not records:
        raise NotApplicable("no record arrived in the window")
    example = f", such as {found['example']}" if rejects else ""
    return Finding.of(
        rejects / records,
        scope.settings.health.implausible_timestamps_share,
        f"{rejects:,} of {records:,} records have a timestamp that cannot be ({rejects / records:.2%}){example}",
        "correct the producer, then `lpa replay plan --reason implausible_timestamp --fix FILE`, a fix that multiplies",
    )


CHECK: Final = HealthCheck(
    "implausible_timestamps",
    "Events of times that cannot be",
    judge,
    "share",
    runbook=section("implausible_timestamps"),
)
