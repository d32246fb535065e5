"""Whether event models, DDL and live tables agree."""

from __future__ import annotations

from itertools import chain
from typing import Final

from lpa_core.health.check import Finding, HealthCheck, Scope
from lpa_core.settings.thresholds import State, Thresholds
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_ops.health.database import opened
from lpa_ops.health.runbook import section
from lpa_sinks import schema
from lpa_sinks.clickhouse.retries import AT_ONCE

_NONE: Final = Thresholds(0, 0)


def judge(scope: Scope) -> Finding:
    typed = chain.from_iterable(each.tables for each in scope.event_types)
    tables = [RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE, *typed]
    with opened(scope) as database:
        drifts = AT_ONCE.run(
            f"{database.name}: check the schema", lambda: schema.check(database.client, database.name, tables)
        )
    stopping = [drift for drift in drifts if drift.stops_writing]
    if not drifts:
        return Finding(State.OK, f"{len(tables)} tables agree with their rows and their DDL", 0, _NONE)
    first = (stopping or drifts)[0]
    action = first.remedy if first.is_live else "install the version whose schema files are whole"
    more = f" (and {len(drifts) - 1} more)" if len(drifts) > 1 else ""
    return Finding(
        State.CRITICAL if stopping else State.WARNING,
        f"{first}{more}",
        len(drifts),
        _NONE,
        f"{action}; `lpa schema check` names all" if len(drifts) > 1 else action,
    )


CHECK: Final = HealthCheck(
    "schema_drift", "Schema drift", judge, "disagreements", costly=True, runbook=section("schema_drift")
)
