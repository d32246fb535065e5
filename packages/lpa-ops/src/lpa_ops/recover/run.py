"""Carries a scenario out, or goes on with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec
import structlog

from lpa_ops.recover.journal import Journal, RecoveryProgress
from lpa_ops.recover.scenario import (
    Context,
    Findings,
    RecoveryError,
    RecoveryOvertakenError,
    RecoveryPlan,
    RecoveryStep,
    Scenario,
)

F = TypeVar("F", bound=Findings)

_log = structlog.get_logger("lpa.recover")


def plan(scenario: Scenario[F], context: Context) -> tuple[RecoveryPlan, list[tuple[RecoveryStep, bool]]]:
    """What was found, and the steps with whether each is done already; changes nothing."""
    journal = Journal(scenario, context)
    progress, under_way = _progress(scenario, context, journal)
    found = progress.found
    steps = scenario.steps(found, context) if found.damage else []
    shown = RecoveryPlan(
        damage=found.damage,
        lost=found.lost,
        seconds=found.seconds,
        then=scenario.then(found),
        since=progress.since if under_way else "",
        journal=journal.path if under_way else None,
    )
    return shown, [(step, step.once and step.name in progress.done) for step in steps]


def execute(
    scenario: Scenario[F], context: Context, tell: Callable[[RecoveryStep, str], None] = lambda step, outcome: None
) -> bool:
    """Do the steps that are not done; False if there is nothing to recover.

    ``tell`` receives each step's outcome. Interrupted, it goes on with the step it was at.
    """
    journal = Journal(scenario, context)
    progress, under_way = _progress(scenario, context, journal)
    if not progress.found.damage:
        journal.close()
        return False
    for step in scenario.steps(progress.found, context):
        if step.name in progress.done and step.once:
            continue
        if step.once and not under_way:
            under_way = True
            journal.keep_files_out()
        if under_way:
            progress = msgspec.structs.replace(progress, begun=[*progress.begun, step.name])
            journal.write(progress)
        outcome = step.do()
        progress = msgspec.structs.replace(progress, done=[*progress.done, step.name])
        _log.info("recovery step done", scenario=scenario.name, step=step.name, outcome=outcome)
        if under_way:
            journal.write(progress)
        tell(step, outcome)
    journal.close()
    return True


def _progress(scenario: Scenario[F], context: Context, journal: Journal[F]) -> tuple[RecoveryProgress[F], bool]:
    """How far it has come, and whether it had started before."""
    written = journal.read()
    if written is None:
        return journal.begin(scenario.assess(context)), False
    try:
        found = scenario.look_again(written.found, frozenset(written.begun), written.started_ms, context)
    except RecoveryOvertakenError as error:
        raise RecoveryError(f"{scenario.name}: {error}; to abandon it, remove {journal.path}") from None
    return msgspec.structs.replace(written, found=found), bool(found.damage)
