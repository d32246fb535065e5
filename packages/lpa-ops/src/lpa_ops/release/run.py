"""Asks the gates, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from lpa_core.health.check import NotApplicable
from lpa_ops.release.gate import CannotJudgeError, Gate, GateResult, GateState, Target

Judged = tuple[Gate, GateResult]


def run(gates: Sequence[Gate], target: Target) -> list[Judged]:
    """Every gate with its outcome. Raises nothing that a gate raises: it is not judged then."""
    return [(gate, _judge(gate, target)) for gate in gates]


def passed(judged: Sequence[Judged]) -> bool:
    return all(outcome.verdict is GateState.PASSED for _, outcome in judged)


def _judge(gate: Gate, target: Target) -> GateResult:
    try:
        return gate.judge(target)
    except (CannotJudgeError, NotApplicable) as reason:
        return GateResult(GateState.NOT_JUDGED, str(reason))
    except Exception as error:  # a gate that breaks must not look like one that was passed
        return GateResult(GateState.NOT_JUDGED, f"{type(error).__name__}: {' '.join(str(error).split())}")
