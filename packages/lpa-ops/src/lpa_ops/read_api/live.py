"""What runs and what is offered now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lpa_ops.read_api.fields import Field
from lpa_ops.read_api.listing import listing, or_any
from lpa_ops.read_api.parameters import ORG, capabilities, duration, limit

_MOST: Final = 10_000
"""Rows of an answer without pages: more than a network has orchestrators, pipelines and models together."""
_ORG: Final = Field("org", "String", "Whose events say so.")


def _now(values: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    return {"now": now_ms, "rows": values.get("limit") or _MOST, **or_any("org", values["org"])}


def _discovery(values: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    wanted = [f"{pipeline}/{model}" for pipeline, model in values["caps"]]
    return {**_now(values, now_ms), "caps": wanted, "seen_ms": values["seen"]}


ROUTES: Final = (
    listing(
        "dashboard/pricing",
        "Prices of orchestrators",
        "The latest price that each orchestrator named within 24 hours for each pipeline and model.",
        "pricing.sql",
        (
            _ORG,
            Field("orchAddress", "String", "Canonical wallet, lower-case."),
            Field("pipeline", "String"),
            Field("model", "String"),
            Field(
                "priceWeiPerUnit", "Nullable(Int64)", "Wei for pixelsPerUnit pixels; of others' containers, seconds."
            ),
            Field("pixelsPerUnit", "Nullable(Int64)"),
            Field("isWarm", "Nullable(Bool)", "Whether the model is loaded; null if nobody said it."),
        ),
        (ORG,),
        _now,
    ),
    listing(
        "dashboard/job-feed",
        "Open streams",
        "Streams with a status in the last half hour that nobody has closed, the latest first.",
        "job_feed.sql",
        (
            Field("id", "String", "stream_id|request_id."),
            _ORG,
            Field("pipeline", "String", "Empty: not known."),
            Field("model", "String", "Empty: not known."),
            Field("gateway", "String"),
            Field("orchestratorUrl", "String"),
            Field("state", "String", "Of the last status."),
            Field("inputFps", "Float32", "Frames per second of the last status."),
            Field("outputFps", "Float32", "Frames per second of the last status."),
            Field("firstSeen", "DateTime64(3, 'UTC')", "Earliest sign of the stream."),
            Field("lastSeen", "DateTime64(3, 'UTC')", "Time of the last status."),
            Field("durationSeconds", "Float64", "From firstSeen to lastSeen."),
        ),
        (ORG, limit(50, 200)),
        _now,
    ),
    listing(
        "streaming/models",
        "Models of live video",
        "What was offered within 24 hours for live-video-to-video, and how much of it is used.",
        "models.sql",
        (
            _ORG,
            Field("pipeline", "String"),
            Field("model", "String"),
            Field("warm_orch_count", "UInt64", "Orchestrators that have it loaded."),
            Field("gpu_slots", "UInt64", "GPUs that offer it."),
            Field("active_streams", "UInt64", "Streams with a status in the last half hour that nobody has closed."),
            Field(
                "available_capacity", "Int64", "GPUs that offer it less active streams; 0 if there are more streams."
            ),
            Field("avg_fps", "Nullable(Float64)", "Output frames per second, average over 24 hours."),
        ),
        (ORG,),
        _now,
    ),
    listing(
        "streaming/orchestrators",
        "Orchestrators of live video",
        "Who offered live-video-to-video within 24 hours.",
        "orchestrators.sql",
        (
            _ORG,
            Field("address", "String", "Canonical wallet, lower-case."),
            Field("uri", "String", "Where it can be reached, as it last said."),
            Field("models", "Array(String)"),
            Field("gpu_count", "UInt64"),
            Field("last_seen", "DateTime64(3, 'UTC')"),
        ),
        (ORG,),
        _now,
    ),
    listing(
        "discover/orchestrators",
        "Orchestrators for a capability",
        "Who offers a pipeline, best first. The score is that of the last two hours: the SLA score weighted by "
        "sessions, else the share of jobs that succeeded.",
        "discover.sql",
        (
            _ORG,
            Field("address", "String", "URL of the orchestrator."),
            Field("pipeline", "String"),
            Field("score", "Float64", "0 to 1; 0 without recent work."),
            Field("capabilities", "Array(String)", "pipeline/model that it offers and that were asked for."),
            Field("last_seen", "DateTime64(3, 'UTC')"),
            Field("recent_work", "Bool", "Whether there were sessions or jobs in the last two hours."),
        ),
        (capabilities(), duration("seen", "Who said so within this time", "24h"), ORG),
        _discovery,
    ),
)
