"""What shows that a check is right: the newest record or session that it is about, and the page with all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from lpa_core.errors import LpaError
from lpa_core.records import Position
from lpa_core.validation.reasons import Reason
from lpa_ops.console.database import ConsoleDatabase

_PAGES: Final[Mapping[str, tuple[str, str]]] = {
    "dlq_rate": ("failures", "the dead letters"),
    "quarantine_rate": ("failures?place=quarantine", "the quarantined records"),
    "same_key_other_content": ("failures?place=quarantine", "the quarantined records"),
    "implausible_timestamps": ("failures", "the dead letters"),
    "attribution_coverage": ("sessions", "the sessions"),
    "sample_attribution": ("sessions", "the sessions"),
    "session_consistency": ("sessions", "the sessions"),
    "job_coverage": ("sessions#jobs", "the jobs"),
    "unserved_demand": ("sessions", "the sessions"),
    "demand_collapse": ("sessions", "the sessions"),
    "input_to_fact_freshness": ("data", "the tables and their ages"),
    "rollup_lag": ("data", "the tables and their ages"),
    "api_view_parity": ("data", "the tables and their ages"),
    "schema_drift": ("data", "the tables and their ages"),
    "conservation": ("flow", "what was read and what became of it"),
    "consumer_lag": ("flow#partitions", "the partitions"),
    "group_offsets": ("flow#partitions", "the partitions"),
}
"""Check -> the page that shows what it is about."""

_RECORDS: Final[Mapping[str, tuple[str, str]]] = {
    "dlq_rate": ("streaming_events_dlq", ""),
    "quarantine_rate": ("streaming_events_quarantine", ""),
    "implausible_timestamps": ("streaming_events_dlq", Reason.IMPLAUSIBLE_TIMESTAMP.value),
}
"""Check -> the table of its records, and their reason; empty for any."""

_SESSIONS: Final[Mapping[str, str]] = {
    "attribution_coverage": "attribution_status != 'resolved'",
    "sample_attribution": "attribution_status != 'resolved'",
    "unserved_demand": "known_stream AND startup_unexcused",
}
"""Check -> which sessions it is about, as SQL."""


def page_of(check: str) -> tuple[str, str]:
    """Address and name of the page that shows what a check is about; empty texts if there is none."""
    return _PAGES.get(check, ("", ""))


def newest(database: ConsoleDatabase, checks: Iterable[str], since_ms: int) -> dict[str, dict[str, str]]:
    """The newest record or session that each of the checks is about, of those since then.

    As ``position``, or ``session`` and ``org``. Checks that are about neither are left out, and so are those whose
    tables cannot be read: what a check says is shown all the same.
    """
    return {check: found for check in checks if (found := _newest(database, check, since_ms))}


def _newest(database: ConsoleDatabase, check: str, since_ms: int) -> dict[str, str]:
    try:
        if check in _RECORDS:
            table, reason = _RECORDS[check]
            rows = database.rows("newest_reject.sql", {"table": table}, since=since_ms, reason=reason)
            return {"position": _position(rows[0])} if rows else {}
        if check in _SESSIONS:
            rows = database.rows("newest_session.sql", {"wanted": _SESSIONS[check]}, since=since_ms)
            return {"session": rows[0]["workflow_session_id"], "org": rows[0]["org"]} if rows else {}
    except LpaError:
        return {}
    return {}


def _position(row: Mapping[str, Any]) -> str:
    at = Position(row["source_topic"], row["source_partition"], row["source_offset"])
    return f"{at.topic}/{at.partition}/{at.offset}"
