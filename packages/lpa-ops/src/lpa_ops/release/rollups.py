"""Whether rollups and API views agree with the facts of the window."""

from __future__ import annotations

from typing import Final

from lpa_ops.health.database import opened
from lpa_ops.health.parity import outcomes
from lpa_ops.release.gate import CannotJudge, Gate, Outcome, Target, outcome

ASSERTIONS: Final = frozenset(
    {
        "agg_stream_performance_1m_matches_status_samples",
        "gpu_view_covers_healthy_attributed_session_keys",
        "gpu_view_matches_rollup",
        "demand_has_rows_for_all_session_hours",
        "network_demand_view_matches_rollup",
        "sla_counts_aligned_to_raw_latest_sessions",
    }
)


def judge(target: Target) -> Outcome:
    with opened(target.scope) as database:
        found = outcomes(database, target.scope, ASSERTIONS)
    if not found:
        raise CannotJudge("no rollup in the window: name another with --since")
    return outcome([f"{each.name}: {each.detail}" for each in found if each.detail], f"{len(found)} assertions hold")


GATE: Final = Gate("rollups", "Rollups and API views", judge)
