"""Pages of rejects: by class, reason and type, then the records, then one record with all that became of it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, Final, final

import attrs

from lpa_core.errors import UsageError
from lpa_core.records import Position
from lpa_ops.console.page import ConsolePage, ConsoleSources, PageRequest
from lpa_ops.console.text import epoch_ms
from lpa_ops.console.traces import traced
from lpa_ops.dead_letters.payload import indented, payload_text, without_marks
from lpa_ops.dead_letters.statement import dead_letters, latest_attempts
from lpa_ops.read_api.problem import ReadRefused
from lpa_ops.trace.subject import TraceSubject, position_of
from lpa_sinks.clickhouse.sql_files import SqlFiles

_SQL: Final = SqlFiles(__package__)
_SINCE: Final = "fromUnixTimestamp64Milli({since:Int64}, 'UTC')"
PLACES: Final[Mapping[str, str]] = {"dlq": "dead letters", "quarantine": "quarantined records"}
_TABLES: Final[Mapping[str, str]] = {"dlq": "streaming_events_dlq", "quarantine": "streaming_events_quarantine"}
_READABLE_CHARACTERS: Final = 262_144
"""Beyond this a payload is shown as it was sent only."""
_MOST_GROUPS: Final = 200
_SUMS: Final = ("total", "recovered", "given_up")


@final
@attrs.frozen
class MatchingRejects:
    """Rejects that somebody asks for.

    Attributes:
        sums: ``total``, ``recovered`` and ``given_up`` of all of them.
        groups: the same by class, reason and type, the most frequent first.
        more_groups: how many groups are not among these.
        records: the latest, newest first.
    """

    sums: Mapping[str, int]
    groups: list[dict[str, Any]]
    more_groups: int
    records: list[dict[str, Any]]


def _read(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    since, until = request.window()
    place = request.text("place", "dlq")
    if place not in PLACES:
        raise UsageError(f"place={place}: there are {' and '.join(PLACES)}")
    sought = request.text("sought")
    position = position_of(sought) or Position("", -1, -1)
    bound = {
        "since": since,
        "until": until,
        "failure_class": request.text("class"),
        "failure_reason": request.text("reason"),
        "typed": int("type" in request.values),
        "event_type": request.text("type"),
        "sought": sought,
        "topic": position.topic,
        "partition": position.partition,
        "offset": position.offset,
    }
    found = rejects_of(sources, place, bound)
    return {
        "since_ms": since,
        "until_ms": until,
        "place": place,
        **found.sums,
        "groups": found.groups,
        "more_groups": found.more_groups,
        "records": found.records,
    }


def rejects_of(sources: ConsoleSources, place: str, bound: Mapping[str, Any]) -> MatchingRejects:
    """What matches.

    Args:
        place: one of PLACES.
        bound: the parameters of ``matching.sql``, and ``since`` (epoch ms).
    """
    asked = _SQL.text("matching.sql")
    rejects = dead_letters(_SINCE, asked) if place == "dlq" else _SQL.fill("quarantined.sql", since=_SINCE)
    with ThreadPoolExecutor(1) as beside:
        latest = beside.submit(_latest_records, sources, place, asked, bound)
        parts = {"rejects": rejects, "matching": asked}
        groups = sources.database.rows("failures.sql", parts, most_groups=_MOST_GROUPS + 1, **bound)
        if len(groups) <= _MOST_GROUPS:
            sums = {name: sum(int(row[name]) for row in groups) for name in _SUMS}
            return MatchingRejects(sums, groups, 0, latest.result())
        (in_all,) = sources.database.rows("failures_in_all.sql", parts, **bound)
        sums = {name: int(in_all[name]) for name in _SUMS}
        return MatchingRejects(sums, groups[:_MOST_GROUPS], int(in_all["groups"]) - _MOST_GROUPS, latest.result())


def _latest_records(
    sources: ConsoleSources, place: str, matching: str, bound: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The latest of them. What became of them came after them, so only what is stored since the first is looked at."""
    thin = latest_attempts(_SINCE) if place == "dlq" else _SQL.fill("quarantined.sql", since=_SINCE)
    (first,) = sources.database.rows("first_shown.sql", {"rejects": thin, "matching": matching}, **bound)
    since = epoch_ms(first["at"])
    if not since:  # the least of no times
        return []
    rejects = dead_letters(_SINCE, matching) if place == "dlq" else thin
    return sources.database.rows(
        "failed_records.sql",
        {"rejects": rejects, "matching": matching},
        **{**bound, "since": since},
    )


def _read_record(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    at = request.text("at")
    position = position_of(at)
    if position is None:
        raise UsageError(f"at={at[:200]}: give a position such as streaming_events/0/1234")
    with ThreadPoolExecutor(1) as beside:
        told = beside.submit(traced, sources, TraceSubject.of(at))
        rejected = _rejected(sources, position)
        trace = told.result()
    if not rejected and not trace["found"]:
        raise ReadRefused(HTTPStatus.NOT_FOUND, f"{at}: no table knows this position")
    return {"position": at, "rejected": rejected, "trace": trace}


def _rejected(sources: ConsoleSources, position: Position) -> list[dict[str, Any]]:
    bound = {"topic": position.topic, "partition": position.partition, "offset": position.offset}
    return [
        {**row, **_payload(row), "rejected_ms": epoch_ms(row["ingestion_timestamp"])}
        for place, table in _TABLES.items()
        for row in sources.database.rows("rejected_record.sql", {"table": table, "place": place}, **bound)
    ]


def _payload(row: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent: as text, and indented if it is JSON."""
    text = payload_text(row)
    readable = indented(without_marks(text)) if len(text) <= _READABLE_CHARACTERS else ""
    return {"payload_text": text, "payload_readable": readable}


PAGES: Final = (
    ConsolePage("failures", "Failures", "failures.html", _read),
    ConsolePage("failures/record", "Record", "record.html", _read_record, within="failures"),
)
