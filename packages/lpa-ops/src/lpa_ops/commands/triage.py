"""``lpa triage``: what was rejected in the last hour, and why; what became of a session."""

from __future__ import annotations

import cyclopts
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lpa_core.commands.options import Json, SinkUri
from lpa_core.commands.output import print_json
from lpa_core.plugins.context import AppContext
from lpa_ops.commands.session_life import show_life
from lpa_ops.triage.queries import (
    Answer,
    failures_by_reason,
    latest_failures,
    latest_sessions,
    outcomes,
    session_life,
)
from lpa_sinks.clickhouse.retries import AT_ONCE
from lpa_sinks.databases import opened

_SHOWN_OF_A_BODY = 120
_LIST_WIDTH = 150
_LISTED = ("workflow_session_id", "session_start_ts", "seconds", "outcome", "attribution", "signals", "errors", "swaps")


def triage_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="triage")

    @app.default
    def triage(*, sink: SinkUri = None, json: Json = False) -> None:
        """Show what was rejected in the last hour and is not recovered: counts by reason, and the latest samples."""
        with opened(sink, settings) as (client, database):
            failures, samples, became = AT_ONCE.run(
                f"{database}: triage",
                lambda: (
                    failures_by_reason(client, database),
                    latest_failures(client, database),
                    outcomes(client, database),
                ),
            )
        if json:
            print_json({"failures": failures.as_json(), "samples": samples.as_json(), **became})
            return
        console = Console(soft_wrap=True)
        if failures.rows:
            console.print(_table("Dead letters of the last hour", failures))
            console.print(_table("The latest", samples))
        elif not became["recovered"]:
            console.print("Nothing was dead-lettered in the last hour.")
        if became["recovered"]:
            console.print(
                f"{became['recovered']:,} dead letters of the last hour are recovered: their events are stored."
            )
        if became["given_up"]:
            console.print(f"Replays gave {became['given_up']:,} of those above up: they are in quarantine.")

    @app.command
    def sessions(
        session: str | None = None,
        /,
        *,
        limit: int = 20,
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
        """
        with opened(sink, settings) as (client, database):
            if session is None:
                latest = AT_ONCE.run(f"{database}: triage", lambda: latest_sessions(client, database, limit))
                _show_list(latest, json)
                return 0
            life = AT_ONCE.run(f"{database}: triage", lambda: session_life(client, database, session))
        if json:
            print_json({name: answer.as_json() for name, answer in life.items()})
        elif life["session"].rows:
            show_life(life, Console())
        else:
            print(f"{database} has no session {session}: `lpa triage sessions` lists the latest")
        return 0 if life["session"].rows else 1

    return app


def _show_list(latest: Answer, json: bool) -> None:
    if json:
        print_json(latest.as_json())
    elif latest.rows:
        table = Table(title="The latest sessions", title_justify="left")
        for name in _LISTED:
            table.add_column(name, no_wrap=True)
        for row in latest.as_json():
            table.add_row(*(Text(str(row[name])) for name in _LISTED))
        Console(width=max(Console().width, _LIST_WIDTH)).print(table)
    else:
        print("There are no sessions yet: `lpa ingest` and `lpa materialize` make them.")


def _table(title: str, answer: Answer) -> Table:
    table = Table(*answer.columns, title=title, title_justify="left")
    for row in answer.rows:
        table.add_row(*(Text(_shortened(str(value))) for value in row))
    return table


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_OF_A_BODY else text[: _SHOWN_OF_A_BODY - 1] + "…"
