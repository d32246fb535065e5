"""Whether sessions and their segments agree (spec/serving.md section 10, invariants 24 and 30 to 35)."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import Finding, HealthCheck, Scope
from lpa_ops.health.parity import judge_parity
from lpa_ops.health.runbook import section

ASSERTIONS: Final = frozenset(
    {
        "session_to_segment_pipeline_model_consistency",
        "session_summary_change_flags_consistency",
        "trace_edge_pipeline_model_coverage",
        "latest_sessions_vs_segment_session_ids",
        "raw_session_rows_vs_latest_sessions",
        "segment_rows_vs_segment_session_ids",
        "mixed_known_stream_versions",
    }
)


def judge(scope: Scope) -> Finding:
    return judge_parity(scope, ASSERTIONS, "materialize the sessions that the assertion names again")


CHECK: Final = HealthCheck(
    "session_consistency",
    "Sessions and segments",
    judge,
    "assertions",
    costly=True,
    runbook=section("session_consistency"),
)
