"""Pages of sessions and jobs: find one, and see its life."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from lpa_ops.console.page import ConsolePage, ConsoleSources, PageRequest, missing
from lpa_ops.console.text import epoch_ms
from lpa_ops.triage.queries import latest_sessions, session_life
from lpa_ops.triage.session_words import session_lines

_MOST: Final = 50
_EDGES: Final = {
    "first_stream_request_ts": "request",
    "first_processed_ts": "first processed",
    "first_playable_ts": "playable",
}


def _read(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    sought, database = request.text("sought"), sources.database
    found = database.run(lambda client: latest_sessions(client, database.name, _MOST + 1, sought=sought))
    sessions = found.as_json()
    jobs = database.rows("latest_jobs.sql", sought=sought, limit=_MOST + 1)
    return {
        "sessions": sessions[:_MOST],
        "more_sessions": len(sessions) > _MOST,
        "jobs": jobs[:_MOST],
        "more_jobs": len(jobs) > _MOST,
    }


def _read_session(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    session, org, name = request.text("id"), request.values.get("org"), sources.database.name
    life = sources.database.run(lambda client: session_life(client, name, session, org))
    found = life["session"].as_json()
    if not found:
        raise missing(
            f"no session has the id {session[:200]!r}: the list of sessions finds it by its stream or request id"
        )
    if len(found) > 1:
        return {"id": session, "orgs": [each["org"] for each in found]}
    (fact,) = found
    parts = {part: answer.as_json() for part, answer in life.items() if part != "session"}
    return {
        "id": session,
        "orgs": [fact["org"]],
        "lines": session_lines(life),
        "session": fact,
        **parts,
        "timeline": timeline(fact, parts["segments"], parts["signals"]),
    }


def timeline(
    fact: Mapping[str, Any], segments: Sequence[Mapping[str, Any]], signals: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Where everything lies between the session's first and last moment, in thousandths of that time."""
    moments = [fact["session_start_ts"], fact["session_end_ts"], *(fact[edge] for edge in _EDGES)]
    moments += [each[edge] for each in signals for edge in ("first", "last")]
    known = [each for each in moments if isinstance(each, datetime) and each.year > 1970]
    begin, end = epoch_ms(min(known)), epoch_ms(max(known))
    whole = max(end - begin, 1)

    def place(moment: datetime | None) -> float:
        return 1000.0 if moment is None else min(1000.0, max(0.0, round((epoch_ms(moment) - begin) / whole * 1000, 1)))

    return {
        "begin_ms": begin,
        "end_ms": end,
        "segments": [
            {"from": place(each["start"]), "to": place(each["end"]), "orchestrator": each["orchestrator"]}
            for each in segments
        ],
        "signals": [
            {"at": place(each["first"]), "to": place(each["last"]), "kind": each["kind"], "what": each["what"]}
            for each in signals
        ],
        "edges": [{"at": place(fact[edge]), "name": name} for edge, name in _EDGES.items() if fact[edge] is not None],
    }


def _read_job(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    job, org = request.text("id"), request.values.get("org")
    found = sources.database.rows("job.sql", job=job, of_all=int(org is None), org=org or "")
    if not found:
        raise missing(f"no job has the id {job[:200]!r}: the list of jobs finds it by its request id")
    return {"id": job, "orgs": [each["org"] for each in found], "job": found[0] if len(found) == 1 else None}


PAGES: Final = (
    ConsolePage("sessions", "Sessions and jobs", "sessions.html", _read),
    ConsolePage("sessions/session", "Session", "session.html", _read_session, within="sessions"),
    ConsolePage("sessions/job", "Job", "job.html", _read_job, within="sessions"),
)
