"""Whether event models, rows, DDL and live tables agree."""

from __future__ import annotations

from itertools import chain
from typing import Final

from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_ops.health.database import opened
from lpa_ops.release.gate import Gate, GateResult, Target, outcome
from lpa_sinks import schema


def judge(target: Target) -> GateResult:
    typed = chain.from_iterable(each.tables for each in target.plugins.event_types())
    tables = [RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE, *typed]
    with opened(target.scope) as database:
        drifts = schema.check(database.client, database.name, tables)
    return outcome([*map(str, drifts)], f"{len(tables)} tables agree with their rows and their DDL")


GATE: Final = Gate("schema", "Schema and row mapper", judge)
