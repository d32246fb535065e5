"""Tools of replays: plan one, carry out exactly what was planned, and verify it."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, Final, Literal, final

import msgspec
from msgspec import Meta

from lpa_core.errors import UsageError
from lpa_core.jobs.file_job import unwatched
from lpa_core.release import require_clock
from lpa_core.replays import ReplayRefused
from lpa_core.validation.reasons import FailureClass, Reason
from lpa_ops.mcp.tool import Arguments, Tool, ToolSources
from lpa_replay.database import opened
from lpa_replay.planning.plan import read_plan, write_plan
from lpa_replay.planning.request import Request, asked, new_plan
from lpa_replay.running.run import Replays
from lpa_replay.spool.spool_file import write_durably
from lpa_replay.staging.canary import CanaryRequest
from lpa_replay.verified_run import verify_run

_PLAN_ID: Final = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")
_OPTION: Final = re.compile(r"--(since|start|end|all|from|by|max|rate|fix|class|reason|type)\b")
_ARGUMENTS: Final = {"max": "max_records", "class": "classes", "reason": "reasons", "type": "types"}
"""Of options of ``lpa replay plan`` that the tool calls otherwise."""


@final
class PlanArguments(Arguments, frozen=True):
    source: Annotated[
        Literal["dlq-topic", "dlq-table", "quarantine-table", "archive"] | None,
        Meta(description="Where records come from. Default: dlq-table of an embedded database, else dlq-topic."),
    ] = msgspec.field(default=None, name="from")
    since: Annotated[str | None, Meta(description="A window up to now or to `end`, such as 30m, 2h, 7d.")] = None
    start: Annotated[str | None, Meta(description="First moment of the window: ISO 8601, UTC without a zone.")] = None
    end: Annotated[str | None, Meta(description="End of the window, exclusive. Default: now.")] = None
    everything: Annotated[bool, Meta(description="No window: all there is.")] = msgspec.field(default=False, name="all")
    by: Annotated[
        Literal["event", "ingestion"] | None, Meta(description="Which time of a record the window is about.")
    ] = None
    classes: Annotated[tuple[FailureClass, ...], Meta(description="Of these failure classes only.")] = ()
    reasons: Annotated[tuple[Reason, ...], Meta(description="Of these failure reasons only.")] = ()
    types: Annotated[tuple[str, ...], Meta(description="Of these event types only.")] = ()
    max_records: Annotated[int, Meta(ge=1, description="At most so many, the first ones.")] | None = None
    rate: Annotated[float, Meta(gt=0, description="At most so many records a second.")] | None = None
    fix: Annotated[
        str, Meta(description="Text of a fix file (TOML): repairs of records. docs/operations/REPLAY_RUNBOOK.md.")
    ] = ""


@final
class RunArguments(Arguments, frozen=True):
    id: Annotated[str, Meta(description="Of a plan that `replay_plan` made.")]
    canary: Annotated[
        str | None,
        Meta(description="Send this share first, such as 1%, and the rest only if these come out as planned."),
    ] = None


@final
class VerifyArguments(Arguments, frozen=True):
    id: Annotated[str, Meta(description="Of a replay that was sent.")]


def _plan(sources: ToolSources, arguments: PlanArguments) -> dict[str, Any]:
    try:
        return _planned(sources, arguments)
    except UsageError as error:
        # The message is for the command, and an agent has no options.
        told = _OPTION.sub(lambda option: f"`{_ARGUMENTS.get(option[1], option[1])}`", str(error))
        raise UsageError(told) from None


def _planned(sources: ToolSources, arguments: PlanArguments) -> dict[str, Any]:
    settings, plugins = sources.context.settings, sources.context.plugins
    beginnings = (arguments.since, arguments.start, settings.replay.start_epoch_ms)
    if beginnings == (None, None, None) and not arguments.everything:
        raise UsageError("there is no window: give `since`, such as 2h, or `start` and `end`, or `all`: true")
    with tempfile.TemporaryDirectory(prefix="lpa-fix-") as folder:
        fix = Path(folder, "fix.toml")
        fix.write_text(arguments.fix, encoding="utf-8")
        request = Request(
            source=arguments.source,
            archive=(settings.lpa.archive_dir or None) if arguments.source == "archive" else None,
            sink=sources.sink,
            start=arguments.start,
            end=arguments.end,
            since=arguments.since,
            everything=arguments.everything,
            by=arguments.by,
            classes=arguments.classes,
            reasons=arguments.reasons,
            types=arguments.types,
            max_records=arguments.max_records,
            rate=arguments.rate,
            fix=fix if arguments.fix else None,
        )
        try:
            what = asked(request, settings)
        except UsageError as error:
            raise UsageError(str(error).replace(str(fix), "`fix`")) from None
    replays = Replays(settings, plugins)
    made, forecast = replays.foresee(new_plan(request, what, settings, plugins, replays.clock()))
    file = _file(sources, made.id)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_durably(file, write_plan(made), private=True)
    except OSError as error:
        raise ReplayRefused(f"{file}: {error.strerror}: LPA_DATA_DIR takes a folder that can be written") from None
    samples = [{"before": before, "after": after} for before, after in forecast.samples]
    command = f"lpa replay run --plan {file}"
    return {"id": made.id, "plan": str(file), "command": command, **forecast.as_json(), "samples": samples}


def _run(sources: ToolSources, arguments: RunArguments) -> dict[str, Any]:
    canary = CanaryRequest.of(arguments.canary, only=False)
    if not _PLAN_ID.fullmatch(arguments.id):
        raise UsageError(f"id={arguments.id[:100]}: this is not the id of a plan: `replay_plan` gives one")
    file = _file(sources, arguments.id)
    if not file.exists():
        raise UsageError(f"id={arguments.id}: there is no plan of that id in {file.parent}: `replay_plan` makes one")
    replays = Replays(sources.context.settings, sources.context.plugins)
    return replays.run(read_plan(file), unwatched, lambda sent, of: None, canary)


def _verify(sources: ToolSources, arguments: VerifyArguments) -> dict[str, Any]:
    settings, plugins = sources.context.settings, sources.context.plugins
    now = require_clock(time.time_ns() // 1_000_000)
    with opened(sources.sink, settings) as database:
        return verify_run(database, arguments.id, settings, plugins, now).as_json()


def _file(sources: ToolSources, plan: str) -> Path:
    return sources.context.settings.lpa.data.replay_plans.absolute() / f"{plan}.json"


TOOLS: Final[tuple[Tool[Any], ...]] = (
    Tool(
        "replay_plan",
        "What a replay of rejected or archived records would do, with samples before and after a repair. Nothing is "
        "sent. The plan is written into a file, which a person carries out by `command`.",
        PlanArguments,
        _plan,
    ),
    Tool(
        "replay_run",
        "Carry out a plan that `replay_plan` made: exactly that, and only once. Begin with a canary.",
        RunArguments,
        _run,
        permission="replay",
    ),
    Tool(
        "replay_verify",
        "What became of every record of a replay that was sent, and whether anything is stored twice. The audit of "
        "the replay keeps the result.",
        VerifyArguments,
        _verify,
        permission="replay",
    ),
)
