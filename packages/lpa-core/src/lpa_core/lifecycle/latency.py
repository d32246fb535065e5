"""How long a session took to start (docs/spec/lifecycle.md section 9)."""

from __future__ import annotations

from typing import Final

from lpa_core.lifecycle.facts import LatencyFact, SessionFact

EDGE_SEMANTICS_VERSION: Final = "v1"
"""Names the pairs of edges below; other pairs need another name."""


def latency(session: SessionFact) -> LatencyFact:
    prompt_to_first_frame = _between(session.first_stream_request_ts, session.first_processed_ts)
    startup = _between(session.first_processed_ts, session.first_playable_ts)
    e2e = _between(session.first_stream_request_ts, session.first_playable_ts)
    return LatencyFact(
        org=session.org,
        sample_ts=session.session_start_ts,
        workflow_session_id=session.workflow_session_id,
        stream_id=session.stream_id,
        request_id=session.request_id,
        gateway=session.gateway,
        orchestrator_address=session.orchestrator_address,
        pipeline=session.pipeline,
        model_id=session.model_id,
        gpu_id=session.gpu_id,
        region=session.region,
        prompt_to_first_frame_ms=prompt_to_first_frame,
        startup_time_ms=startup,
        e2e_latency_ms=e2e,
        has_prompt_to_first_frame=int(prompt_to_first_frame is not None),
        has_startup_time=int(startup is not None),
        has_e2e_latency=int(e2e is not None),
        edge_semantics_version=EDGE_SEMANTICS_VERSION,
    )


def _between(start: int | None, end: int | None) -> float | None:
    """Milliseconds; None if an edge is missing or they are the wrong way round."""
    if start is None or end is None or end < start:
        return None
    return float(end - start)
