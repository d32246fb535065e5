"""Pages of replays: a window of dead letters, the steps of one that was asked for here, and the audit of all."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from lpa_core.errors import UsageError
from lpa_core.health.report import HealthReport
from lpa_ops.console.flow import steps_of
from lpa_ops.console.page import ConsoleAction, ConsolePage, ConsoleSources, PageRequest, missing
from lpa_ops.console.repair import choice_of, matching, repaired
from lpa_ops.console.replay_jobs import ReplayJob, ReplayStep
from lpa_replay.audit import RunRecord, recorded_runs, results
from lpa_replay.commands.replay_report import became_text, run_json
from lpa_replay.database import ReplayDatabase

_MOST_JOBS: Final = 20
_MOST_RUNS: Final = 100
_CHECK: Final = "dlq_rate"


def _read(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    choice = choice_of(request)
    found = matching(sources, choice)
    _, step, steps = steps_of(sources, choice.since_ms, choice.until_ms)
    runs = _recorded(sources)[::-1]
    jobs = sources.replays.latest(_MOST_JOBS + 1)
    return {
        "since_ms": choice.since_ms,
        "until_ms": choice.until_ms,
        "step_ms": step,
        "steps": steps,
        "groups": [each for each in found.groups if each["total"] > each["recovered"] + each["given_up"]],
        "more_groups": found.more_groups,
        "jobs": [_told(each) for each in jobs[:_MOST_JOBS]],
        "more_jobs": len(jobs) > _MOST_JOBS,
        "runs": [{**run_json(each), "became": became_text(each)} for each in runs[:_MOST_RUNS]],
        "more_runs": len(runs) > _MOST_RUNS,
    }


def _read_job(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    report = sources.health()
    job = sources.replays.job(request.text("of"))
    return {**_told(job), "check": _check(report, job.step(ReplayStep.VERIFY).answered_ms)}


def _read_run(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    wanted = request.text("id")
    found = _recorded(sources, wanted) if wanted else []
    if not found:
        raise missing(f"{wanted[:100]}: the audit has no replay of that id")
    name = sources.database.name
    became = sources.database.run(lambda client: results(ReplayDatabase(client, name), wanted))
    checks = msgspec.json.decode(found[0].verification or "[]")
    return {
        "run": {name: value for name, value in run_json(found[0]).items() if name != "verification"},
        "checks": checks,
        "results": [{"result": result, "why": why, "records": records} for result, why, records in became],
    }


def _recorded(sources: ConsoleSources, replay_id: str = "") -> list[RunRecord]:
    name = sources.database.name
    return list(sources.database.run(lambda client: recorded_runs(ReplayDatabase(client, name), replay_id)))


def _told(job: ReplayJob) -> dict[str, Any]:
    steps = [
        {
            "step": each.step.value,
            "state": each.state.value,
            "command": shlex.join(each.command),
            "answer": each.answer,
            "error": each.error,
            "open": job.is_open(each.step),
        }
        for each in job.steps
    ]
    return {
        "id": job.id,
        "choice": job.choice,
        "fix": job.fix,
        "running": job.running,
        "sent": job.sent,
        "total": job.total,
        "steps": steps,
    }


def _check(report: HealthReport, verified_ms: int | None) -> dict[str, Any] | None:
    """What the check of dead letters found last, and whether it was asked after the replay was verified."""
    found = next((each for each in report.results if each.check.name == _CHECK), None)
    if found is None:
        return None
    (told,) = HealthReport([found]).as_json()["checks"]
    return {**told, "after_verification": verified_ms is not None and found.checked_ms >= verified_ms}


def _plan(sources: ConsoleSources, request: PageRequest) -> str:
    choice, fix = repaired(sources, request)
    return f"/replay/job?of={sources.replays.begin(choice, fix, request.now_ms)}"


def _plan_again(sources: ConsoleSources, request: PageRequest) -> str:
    job = request.text("of")
    sources.replays.start(job, ReplayStep.PLAN)
    return f"/replay/job?of={job}"


def _start(sources: ConsoleSources, request: PageRequest) -> str:
    wanted = request.text("step")
    if wanted not in list(ReplayStep):
        raise UsageError(f"step={wanted[:100]}: there are {', '.join(ReplayStep)}")
    job = request.text("of")
    sources.replays.start(job, ReplayStep(wanted))
    return f"/replay/job?of={job}"


PAGES: Final = (
    ConsolePage("replay", "Replay", "replay.html", _read),
    ConsolePage("replay/job", "Replay", "replay_job.html", _read_job, within="replay", refreshed=True),
    ConsolePage("replay/run", "Replay", "replay_run.html", _read_run, within="replay"),
)
ACTIONS: Final = (
    ConsoleAction("replay/plan", _plan, changes=False),
    ConsoleAction("replay/plan-again", _plan_again, changes=False),
    ConsoleAction("replay/start", _start, changes=True),
)
