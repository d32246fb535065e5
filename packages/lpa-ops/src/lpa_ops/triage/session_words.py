"""A session's life in words: how it ended, who served it, and why nobody did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from lpa_core.counted import counted
from lpa_ops.triage.queries import Answer

_METHODS: Final = {
    "exact_orchestrator_time_match": "a snapshot of the very millisecond",
    "nearest_prior_snapshot": "the last snapshot before, at most 24 hours old",
    "nearest_snapshot_within_ttl": "no snapshot before, but one within 24 hours after",
    "proxy_address_join": "only snapshots further away than 24 hours",
    "ambiguous": "several orchestrators could be meant",
    "none": "never attributed",
}


def session_lines(life: Mapping[str, Answer]) -> list[str]:
    """What :func:`~lpa_ops.triage.queries.session_life` answered of a session that there is, a sentence each."""
    (fact,) = life["session"].as_json()
    return [_outcome(fact), _span(fact), _attribution(fact), *_reasons(fact, life["snapshots"])]


def time_of(moment: datetime) -> str:
    """A time in UTC, to the millisecond; empty for none."""
    return moment.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00") if moment.year > 1970 else ""


def _outcome(fact: Mapping[str, Any]) -> str:
    errors = f"{counted(fact['error_count'], 'error')}, {fact['excusable_error_count']} of them excusable"
    if not fact["known_stream"]:
        outcome = "not counted as an attempt: the gateway reported no stream request"
    elif fact["startup_success"]:
        outcome = "success: it became playable"
    elif fact["startup_excused"]:
        outcome = "excused: it never became playable; no orchestrator was available, or all errors are excusable"
    else:
        outcome = "unexcused: it never became playable, and nothing excuses it"
    notes = [text for flag, text in _FLAGS.items() if fact[flag]]
    return "; ".join([f"outcome: {outcome}", errors, *notes])


_FLAGS: Final = {
    "loading_only_session": "every status was LOADING",
    "zero_output_fps_session": "no status had output",
    "last_error_occurred": "a status had a last_error",
    "has_model_change": "it changed its model",
}


def _span(fact: Mapping[str, Any]) -> str:
    edges = {
        "request": fact["first_stream_request_ts"],
        "first processed": fact["first_processed_ts"],
        "playable": fact["first_playable_ts"],
    }
    start = fact["session_start_ts"]
    told = ", ".join(f"{name} +{(at - start).total_seconds():.3f} s" for name, at in edges.items() if at is not None)
    signals = counted(fact["event_count"], "signal")
    return f"from {time_of(start)} to {time_of(fact['session_end_ts'])}: {signals}; {told or 'no edges'}"


def _attribution(fact: Mapping[str, Any]) -> str:
    method = fact["gpu_attribution_method"]
    served = ", ".join(
        part for part in (fact["orchestrator_address"], fact["pipeline"], fact["model_id"], fact["gpu_id"]) if part
    )
    return f"attribution: {served or 'nobody'} ({method}: {_METHODS.get(method, 'by a plugin')})"


def _reasons(fact: Mapping[str, Any], snapshots: Answer) -> Iterator[str]:
    """Why a session is not attributed, and who could have been meant."""
    status, reason = fact["attribution_status"], fact["attribution_reason"]
    if not status:
        yield "why: not known: its facts are of an earlier version; `lpa materialize rebuild` says it"
        return
    yield f"status: {status} ({reason})"
    if fact["orchestrator_address"]:
        return
    rows = snapshots.as_json()
    if fact["attribution_candidates"]:
        yield f"why: several orchestrators could be meant: {fact['attribution_candidates'].replace(',', ', ')}"
    elif reason in _UNKNOWN_URL:
        yield f"why: no snapshot names the URL {fact['orchestrator_url']}, {_UNKNOWN_URL[reason]}"
    elif not rows:
        yield "why: none of its signals names a wallet or a URL"
    else:
        yield from _missing(fact, rows)


_UNKNOWN_URL: Final = {
    "missing_uri_snapshot_local_alias_present": "though the wallet is known as the proxy of others",
    "missing_uri_snapshot_address_match_present": "though the wallet is known at another URL",
}


def _missing(fact: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for name in sorted({row["named"] for row in rows}):
        offers = [row for row in rows if row["named"] == name and row["snapshots"]]
        if offers:
            models = ", ".join(sorted({row["model"] or "no model" for row in offers}))
            yield f"why: {name} offers {models}, and the session is of {fact['model_id'] or 'no known model'}"
        else:
            yield f"why: no snapshot names {name}"
