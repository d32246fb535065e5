"""Whether the parity assertions hold that must (docs/spec/serving.md section 10: FAIL blocks a release)."""

from __future__ import annotations

from typing import Final

from lpa_core.counted import counted
from lpa_ops.health.database import opened
from lpa_ops.health.parity import outcomes
from lpa_ops.release.gate import Gate, GateResult, Target, outcome
from lpa_sinks.parity import Severity

_FRESHNESS: Final = frozenset({79})
"""Of a system that runs, at this moment: `lpa health` tells it. A release is judged by hours that are over."""


def judge(target: Target) -> GateResult:
    with opened(target.scope) as database:
        found = outcomes(database, target.scope, without=_FRESHNESS)
    problems = [str(each) for each in found if each.severity is Severity.FAIL]
    return outcome(problems, counted(len(found), "assertion holds", "assertions hold"))


GATE: Final = Gate("parity", "Parity assertions", judge)
