"""``lpa triage``: what was rejected in the last hour, and why; what became of a session."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated, Any, Final

import cyclopts
from clickhouse_connect.driver.client import Client
from cyclopts import Parameter

from lpa_core.commands.listing import ListColumn, print_list, print_paragraph
from lpa_core.commands.options import Json, SinkUri, Switch
from lpa_core.commands.output import console, print_json, print_line
from lpa_core.counted import counted
from lpa_core.errors import UsageError
from lpa_core.plugins.context import AppContext
from lpa_core.printable import printable
from lpa_core.settings.effective import nearest
from lpa_core.sinks.sink import SinkMisconfigured
from lpa_core.tables.ignored import IGNORED_COUNTS_TABLE
from lpa_core.time_window import parse_time, shown
from lpa_ops.commands.dead_letters_report import print_dead_letters, print_other_content
from lpa_ops.commands.session_life import show_life
from lpa_ops.triage.queries import (
    Answer,
    Letters,
    ignored,
    latest_sessions,
    session_life,
)
from lpa_ops.triage.rejected import rejected
from lpa_sinks.clickhouse.readers import opened_for_reading
from lpa_sinks.clickhouse.retries import AT_ONCE
from lpa_sinks.schema.apply import object_names

_IGNORED_BY: Final = ("event_type", "event_subtype", "ignore_reason")
_LISTED = (
    "workflow_session_id",
    "session_start_ts",
    "seconds",
    "outcome",
    "attribution",
    "signals",
    "errors",
    "swaps",
)


def triage_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="triage")

    @app.default
    def triage(
        *,
        sink: SinkUri = None,
        since: str = "1h",
        event_type: Annotated[str | None, Parameter(name="--type")] = None,
        wide: Switch = False,
        json: Json = False,
    ) -> None:
        """Show what was rejected in the last hour and is not recovered: counts by reason, and the latest samples.

        Events that were quarantined though the stored event of their key has other content are shown, too.

        Parameters
        ----------
        since
            Show what was rejected from then on: 15m, 24h, 7d, or a time, UTC if it has no zone.
        event_type
            Show events of this type only, such as stream_trace.
        wide
            Show all reasons, the last 20 samples, and what was sent in full.
        """
        since_ms = _since(since)
        asked, when = Letters(since_ms, event_type), _when(since_ms)
        with opened_for_reading(sink, settings) as (client, database):
            found = AT_ONCE.run(f"{database}: triage", lambda: rejected(client, database, asked))
        if json:
            print_json(found)
            return
        if found["failures"]:
            print_dead_letters(console(), found["details"], found["samples"], title=_title(since_ms), wide=wide)
        elif not found["recovered"]:
            further = "" if since_ms is not None else " `--since 24h` looks further back."
            nothing = f"Nothing was dead-lettered {when}{_of_type(event_type)}."
            print_line(f"{nothing}{_unknown(event_type, context) or further}")
        if found["recovered"]:
            of = "of the last hour" if since_ms is None else when
            one, several = f"dead letter {of} is recovered: its event", f"dead letters {of} are recovered: their events"
            print_line(f"{counted(found['recovered'], f'{one} is', f'{several} are')} stored.")
        if found["given_up"]:
            print_line(f"Replays gave {found['given_up']:,} of those above up: they are in quarantine.")
        if "other_content" in found:
            print_other_content(console(), found["other_content"], when=when, wide=wide)
        if found["ignored"]:
            told = counted(found["ignored"], "record was", "records were")
            print_line(f"{told} ignored {when}: `lpa triage ignored` says which.")

    @app.command(name="ignored")
    def show_ignored(
        *,
        sink: SinkUri = None,
        since: str = "1h",
        event_type: Annotated[str | None, Parameter(name="--type")] = None,
        json: Json = False,
    ) -> None:
        """Show which records a rule passed over in the last hour: counts by reason, type and subtype.

        Parameters
        ----------
        since
            Show what came from then on: 15m, 24h, 7d, or a time, UTC if it has no zone.
        event_type
            Show records of this type only, such as webrtc_stats.
        """
        since_ms = _since(since)
        with opened_for_reading(sink, settings) as (client, database):
            _require(IGNORED_COUNTS_TABLE.name, client, database)
            asked = Letters(since_ms, event_type)
            rows = AT_ONCE.run(f"{database}: triage", lambda: ignored(client, database, asked).as_json())
        if json:
            print_json(rows)
        elif rows:
            columns = (ListColumn("count", right=True), "type", "subtype", ListColumn("reason", prose=True))
            cells = [(f"{row['total']:,}", *(row[name] or "-" for name in _IGNORED_BY)) for row in rows]
            print_list(console(), columns, cells, title=f"Ignored {_when(since_ms)}")
        else:
            print_line(f"Nothing was ignored {_when(since_ms)}{_of_type(event_type)}.")

    @app.command
    def sessions(
        session: str | None = None,
        /,
        *,
        limit: int = 20,
        org: str | None = None,
        sink: SinkUri = None,
        json: Json = False,
    ) -> int:
        """List the latest sessions, or show the life of one: signals, segments, attribution with reasons, outcome.

        Parameters
        ----------
        session
            Its workflow_session_id: stream_id|request_id. Exit status 1 if no session has that id.
        limit
            How many sessions are listed.
        org
            Show sessions of this org only. Default: those of all.
        """
        with opened_for_reading(sink, settings) as (client, database):
            if session is None:
                latest = AT_ONCE.run(f"{database}: triage", lambda: latest_sessions(client, database, limit, org))
                _show_list(latest, json)
                return 0
            life = AT_ONCE.run(f"{database}: triage", lambda: session_life(client, database, session, org))
        _require_one(session, life["session"])
        if json:
            print_json({name: answer.as_json() for name, answer in life.items()})
        elif life["session"].rows:
            show_life(life, console())
        else:
            print_paragraph(console(), f"{database} has no session {session}: `lpa triage sessions` lists the latest")
        return 0 if life["session"].rows else 1

    return app


def _require_one(session: str, found: Answer) -> None:
    """Raise UsageError if several orgs have a session of this id."""
    orgs = [str(row["org"]) or "no org" for row in found.as_json()]
    if len(orgs) > 1:
        raise UsageError(f"{printable(session)} is a session of each of {', '.join(orgs)}: choose one by --org")


def _since(text: str) -> int | None:
    """Epoch ms; None for the last hour by the database's own clock."""
    return None if text == "1h" else parse_time(text, "--since", time.time_ns() // 1_000_000)


def _when(since_ms: int | None) -> str:
    return "in the last hour" if since_ms is None else f"since {shown(since_ms)}"


def _title(since_ms: int | None) -> str:
    return "Dead letters of the last hour" if since_ms is None else f"Dead letters since {shown(since_ms)}"


def _of_type(event_type: str | None) -> str:
    return f" of type {printable(event_type)}" if event_type else ""


def _unknown(event_type: str | None, context: AppContext) -> str:
    """What the type may have meant, if no event type has that name. Dead letters of such a type are shown."""
    known = [each.name for each in context.plugins.event_types()]
    if event_type is None or event_type in known:
        return ""
    return f" No event type has that name: {nearest(event_type, known)}."


def _require(table: str, client: Client, database: str) -> None:
    """Raise SinkMisconfigured if this table is not there: an earlier version does not make it."""
    if table not in AT_ONCE.run(f"{database}: look for tables", lambda: object_names(client, database)):
        raise SinkMisconfigured(f"{database} has no {table}: `lpa schema apply` makes it")


def _show_list(latest: Answer, json: bool) -> None:
    if json:
        print_json(latest.as_json())
    elif latest.rows:
        found = latest.as_json()
        columns = ("org", *_LISTED) if any(row["org"] for row in found) else _LISTED
        rows = [[_cell(row[name]) for name in columns] for row in found]
        print_list(console(), columns, rows, title="The latest sessions")
    else:
        print_line("There are no sessions yet: `lpa ingest` and `lpa materialize` make them.")


def _cell(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)
