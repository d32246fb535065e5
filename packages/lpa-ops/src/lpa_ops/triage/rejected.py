"""What was rejected and is not recovered, gathered into one answer."""

from __future__ import annotations

from typing import Any, Final

from clickhouse_connect.driver.client import Client

from lpa_core.sinks.sink import SinkMisconfigured
from lpa_core.tables.ignored import IGNORED_COUNTS_TABLE
from lpa_ops.dead_letters.payload import payload_text
from lpa_ops.triage.queries import (
    Letters,
    failures_by_reason,
    failures_in_detail,
    ignored,
    latest_letters,
    outcomes,
    same_key_other_content,
)
from lpa_sinks.schema.apply import object_names

_REPLAYS: Final = "replay_outcomes"
"""The audit of replays, which says what became of dead letters."""


def rejected(client: Client, database: str, letters: Letters) -> dict[str, Any]:
    """The answer of ``lpa triage --json``.

    ``failures`` are counts by class and reason, ``details`` by type and details too, ``samples`` the latest with what
    was sent. ``recovered``, ``given_up`` and ``ignored`` are numbers of records. ``other_content``, if there is any,
    has events quarantined though the stored event of their key has other content.

    Raises SinkMisconfigured if a table is missing: an earlier version, or one without facts, does not make it; and the
    client's errors.
    """
    there = object_names(client, database)
    if _REPLAYS not in there:
        raise SinkMisconfigured(f"{database} has no {_REPLAYS}: `lpa schema apply` makes it")
    latest = latest_letters(client, database, letters).as_json()
    passed_over = ignored(client, database, letters).as_json() if IGNORED_COUNTS_TABLE.name in there else []
    found = {
        "failures": failures_by_reason(client, database, letters).as_json(),
        "details": failures_in_detail(client, database, letters).as_json(),
        "samples": [{**letter, "payload_text": payload_text(letter)} for letter in latest],
        **outcomes(client, database, letters),
        "ignored": sum(row["total"] for row in passed_over),
    }
    mistaken = same_key_other_content(client, database, letters).as_json()
    return {**found, "other_content": mistaken} if mistaken else found
