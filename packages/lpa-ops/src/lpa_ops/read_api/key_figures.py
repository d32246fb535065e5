"""Key figures of the network."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final

from lpa_ops.read_api.fields import epoch_ms
from lpa_ops.read_api.kpi import Hour, Jobs, requests, streaming
from lpa_ops.read_api.listing import or_any
from lpa_ops.read_api.parameters import HOUR_MS, MODEL, ORG, PIPELINE, whole_hours
from lpa_ops.read_api.route import Database, Reading, ReadRoute

_NUMBER: Final = {"type": ["number", "null"]}


def _figure(meaning: str, change: str = "Per cent more than in the window before; null without one.") -> dict[str, Any]:
    return {
        "type": "object",
        "description": meaning,
        "required": ["value", "delta"],
        "properties": {"value": _NUMBER, "delta": {**_NUMBER, "description": change}},
    }


def _series(meaning: str) -> dict[str, Any]:
    item = {
        "type": "object",
        "required": ["hour", "value"],
        "properties": {"hour": {"type": "string", "format": "date-time"}, "value": {"type": "number"}},
    }
    return {"type": "array", "description": meaning, "items": item}


_STREAMING: Final = {
    "successRate": _figure(
        "Per cent of the sessions with a stream request that did not fail.", "Percentage points more than before."
    ),
    "orchestratorsObserved": _figure("Orchestrators that said what they can do."),
    "dailyUsageMins": _figure("Minutes of streams a day: a status sample is ten seconds."),
    "dailySessionCount": _figure("Sessions with a stream request a day."),
    "dailyNetworkFeesEth": _figure("ETH a day that tickets were worth on average."),
    "hourlySessions": _series("Sessions with a stream request by the hour in which they started."),
    "hourlyUsage": _series("Minutes of streams."),
}
_REQUESTS: Final = {
    "successRate": _figure(
        "Per cent of the jobs that ended that succeeded; a job without an end for an hour is lost.",
        "Percentage points more than before.",
    ),
    "dailyJobCount": _figure("Jobs a day."),
}
_JOB_TYPES: Final = ("ai_batch", "byoc")
_LONG_HOURS: Final = 72
"""Over a longer window, and the one before it, the jobs of the window are not looked for first: with jobs of 30 days
stored that takes longer from here on (docs/performance.md)."""


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [*properties], "properties": properties}


_SCHEMA: Final = _object(
    {"streaming": _object(_STREAMING), "requests": _object({name: _object(_REQUESTS) for name in _JOB_TYPES})}
)


def _read(database: Database, values: Mapping[str, Any], now_ms: int) -> Reading:
    length = values["window"] * HOUR_MS
    end = now_ms // HOUR_MS * HOUR_MS
    labels = {
        **or_any("org", values["org"]),
        **or_any("pipeline", values["pipeline"]),
        **or_any("model", values["model_id"]),
    }
    both = {"start": end - 2 * length, "end": end, "middle": end - length, **labels}
    asked = {
        "kpi_hours.sql": both,
        "kpi_jobs.sql": {**both, "long": values["window"] > _LONG_HOURS},
        "kpi_orchestrators.sql": both,
    }
    with ThreadPoolExecutor(len(asked)) as pool:
        hours, jobs, ((observed, before),) = (rows for _, rows in pool.map(database.rows, asked.keys(), asked.values()))
    found = [Hour(epoch_ms(hour), *numbers) for hour, *numbers in hours]
    figures = streaming(found, end - length, end, observed, before)
    for name in ("hourlySessions", "hourlyUsage"):
        figures[name] = [{**each, "hour": _shown(each["hour"])} for each in figures[name]]
    by_type = {name: (Jobs(*numbers[:3]), Jobs(*numbers[3:])) for name, *numbers in jobs}
    none = Jobs(0, 0, 0)
    return Reading(
        {
            "streaming": figures,
            "requests": {name: requests(*by_type.get(name, (none, none)), values["window"]) for name in _JOB_TYPES},
        }
    )


def _shown(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


ROUTES: Final = (
    ReadRoute(
        "dashboard/kpi",
        "Key figures",
        "Figures of the last full hours, and how they changed from as many hours before.",
        (whole_hours("window", "How many full hours", 24), ORG, PIPELINE, MODEL),
        _SCHEMA,
        _read,
    ),
)
