"""Tools that read the database and its surroundings: what `lpa` prints and the console shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, TypeAlias, final

import msgspec
from msgspec import Meta

from lpa_core.settings.effective import nearest
from lpa_core.time_window import parse_time
from lpa_core.validation.reasons import FailureClass, Reason
from lpa_ops.console.page import PageRequest
from lpa_ops.console.pages import PAGES
from lpa_ops.mcp.tool import Arguments, Tool, ToolSources
from lpa_ops.triage.queries import Letters
from lpa_ops.triage.rejected import rejected

_PAGES: Final = {page.path: page for page in PAGES}
_TIME: Final = "such as 15m, 2h, 7d, or a time such as 2026-01-08T12:00:00Z"
Since: TypeAlias = Annotated[str, Meta(description=f"From then on: {_TIME}.")]
Until: TypeAlias = Annotated[str, Meta(description=f"Until then, exclusive: {_TIME}. Default: now.")]
Org: TypeAlias = Annotated[str, Meta(description="Of this org only. Default: of all.")]
TypeName: TypeAlias = Annotated[str, Meta(description="Of this event type only, such as stream_trace.")]
Wanted: TypeAlias = Annotated[str, Meta(min_length=1)]


def _of_page(path: str) -> Callable[[ToolSources, Arguments], Any]:
    """What a page of the console shows, as its ``.json`` twin has it. The arguments are the page's parameters."""
    page = _PAGES[path]

    def read(sources: ToolSources, arguments: Arguments) -> Any:
        given: dict[str, Any] = msgspec.to_builtins(arguments)
        values = {name: value for name, value in given.items() if value is not None}
        return page.read(sources.console, PageRequest(values, sources.clock()))

    return read


@final
class Nothing(Arguments, frozen=True):
    """No arguments."""


@final
class FlowArguments(Arguments, frozen=True):
    since: Since = "24h"
    until: Until = ""


@final
class TriageArguments(Arguments, frozen=True):
    since: Since = "1h"
    type: TypeName | None = None


@final
class TraceArguments(Arguments, frozen=True):
    of: Annotated[
        Wanted,
        Meta(
            description="An id of an event, stream, request, session or job, a dedup key, or a position: "
            "TOPIC/PARTITION/OFFSET."
        ),
    ]


@final
class SessionsArguments(Arguments, frozen=True):
    sought: Annotated[
        str,
        Meta(description="An id of a session, stream, request or job, or of an orchestrator. Empty: the latest."),
    ] = ""


@final
class SessionArguments(Arguments, frozen=True):
    id: Annotated[Wanted, Meta(description="Its workflow_session_id: stream_id|request_id.")]
    org: Org | None = None


@final
class FailuresArguments(Arguments, frozen=True):
    since: Since = "24h"
    until: Until = ""
    place: Annotated[
        Literal["dlq", "quarantine"],
        Meta(description="dlq: records that cannot be stored as events; quarantine: duplicates."),
    ] = "dlq"
    failure_class: Annotated[FailureClass | None, Meta(description="Of this class only.")] = msgspec.field(
        default=None, name="class"
    )
    reason: Annotated[Reason | None, Meta(description="Of this reason only.")] = None
    type: TypeName | None = None
    sought: Annotated[
        str, Meta(description="Of an event, stream or request id, a dedup key, or a position: TOPIC/PARTITION/OFFSET.")
    ] = ""


@final
class RecordArguments(Arguments, frozen=True):
    at: Annotated[Wanted, Meta(description="Its position: TOPIC/PARTITION/OFFSET.")]


@final
class JobArguments(Arguments, frozen=True):
    id: Annotated[Wanted, Meta(description="Its job_id: job_type|request_id. `sessions` lists jobs, too.")]
    org: Org | None = None


@final
class TableArguments(Arguments, frozen=True):
    name: Annotated[Wanted, Meta(description="Of a table or view, as `tables` lists it.")]


@final
class QueryArguments(Arguments, frozen=True):
    sql: Annotated[
        Wanted,
        Meta(
            description="One statement of ClickHouse that reads, such as SELECT. At most 1,000 rows are answered. "
            "Statements cannot write, read files or servers, or lift their limits of time and memory."
        ),
    ]


def _triage(sources: ToolSources, arguments: TriageArguments) -> dict[str, Any]:
    since = parse_time(arguments.since, "since", sources.clock())
    database, asked = sources.console.database, Letters(since, arguments.type)
    found = database.run(lambda client: rejected(client, database.name, asked))
    return found if found["failures"] else {**found, **_unknown_type(sources, arguments.type)}


def _failures(sources: ToolSources, arguments: FailuresArguments) -> dict[str, Any]:
    found = _of_page("failures")(sources, arguments)
    return {**found, **({} if found["total"] else _unknown_type(sources, arguments.type))}


def _unknown_type(sources: ToolSources, event_type: str | None) -> dict[str, str]:
    """A remark, if nothing was found because no event type has that name."""
    known = [each.name for each in sources.context.plugins.event_types()]
    if event_type is None or event_type in known:
        return {}
    return {"remark": f"no event type has the name {event_type[:100]!r}: {nearest(event_type, known)}"}


TOOLS: Final[tuple[Tool[Any], ...]] = (
    Tool(
        "health",
        "Ask all health checks now. Failing checks come first, each with its value, thresholds, what to do, and the "
        "section of the documentation about it (`runbook`), which the tool `page` reads. Begin here.",
        Nothing,
        _of_page("health"),
    ),
    Tool(
        "flow",
        "How many records were read, accepted, dead-lettered, quarantined and ignored over time, and since when it is "
        "not well.",
        FlowArguments,
        _of_page("flow"),
    ),
    Tool(
        "triage",
        "What was rejected and is not recovered: counts by class and reason, details, the latest samples with what "
        "was sent. Begin here if `health` says that too much was rejected.",
        TriageArguments,
        _triage,
    ),
    Tool(
        "failures",
        "Rejected records, recovered or not, by class, reason and type, and the latest records of what is asked for. "
        "`failed_record` shows one of them.",
        FailuresArguments,
        _failures,
    ),
    Tool(
        "failed_record",
        "One rejected record: its payload, why it was rejected, and all that became of it.",
        RecordArguments,
        _of_page("failures/record"),
    ),
    Tool(
        "trace",
        "Everything that is known of an id or a position: verdict, claim, range, rows, replays, session or job, "
        "archive file.",
        TraceArguments,
        _of_page("trace"),
    ),
    Tool(
        "sessions",
        "The latest sessions and jobs, or those of an id or an orchestrator.",
        SessionsArguments,
        _of_page("sessions"),
    ),
    Tool(
        "session",
        "The life of one session: signals, segments, attribution with its reasons, outcome.",
        SessionArguments,
        _of_page("sessions/session"),
    ),
    Tool(
        "job",
        "One job: what was asked for, who served it, how it came out.",
        JobArguments,
        _of_page("sessions/job"),
    ),
    Tool(
        "tables", "The tables and views of the database, with rows, ages, sizes and meaning.", Nothing, _of_page("data")
    ),
    Tool("table", "The columns of a table or view, with types and meaning.", TableArguments, _of_page("data/table")),
    Tool(
        "query",
        "The rows of a statement that reads. `tables` and `table` say what there is.",
        QueryArguments,
        _of_page("query"),
    ),
)
