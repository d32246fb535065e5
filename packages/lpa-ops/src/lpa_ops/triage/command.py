"""``lpa triage``: what was rejected in the last hour, and why."""

from __future__ import annotations

from typing import Annotated

import cyclopts
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lpa_core.commands.output import print_json
from lpa_core.settings import Settings
from lpa_core.sinks import SinkMisconfigured
from lpa_ops.triage.queries import Answer, failures_by_reason, latest_failures
from lpa_sinks.clickhouse.retries import AT_ONCE
from lpa_sinks.databases import endpoint_of, opened

_SHOWN_OF_A_BODY = 120


def triage_app(settings: Settings) -> cyclopts.App:
    app = cyclopts.App(name="triage")

    @app.default
    def triage(*, sink: str | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> None:
        """Show what was rejected in the last hour: counts by reason, and the latest samples.

        Parameters
        ----------
        sink
            The database, such as chdb://./folder or clickhouse://host:8123/database. Default: the embedded one.
        json
            Print JSON instead of tables.
        """
        path = endpoint_of(sink, settings).path
        if path is not None and not path.exists():
            raise SinkMisconfigured(f"{path}: there is no embedded database yet: `lpa ingest FILE` makes one")
        with opened(sink, settings) as (client, database):
            failures, samples = AT_ONCE.run(
                f"{database}: triage",
                lambda: (failures_by_reason(client, database), latest_failures(client, database)),
            )
        if json:
            print_json({"failures": failures.as_json(), "samples": samples.as_json()})
            return
        console = Console()
        if not failures.rows:
            console.print("Nothing was dead-lettered in the last hour.")
            return
        console.print(_table("Dead letters of the last hour", failures))
        console.print(_table("The latest", samples))

    return app


def _table(title: str, answer: Answer) -> Table:
    table = Table(*answer.columns, title=title, title_justify="left")
    for row in answer.rows:
        table.add_row(*(Text(_shortened(str(value))) for value in row))
    return table


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_OF_A_BODY else text[: _SHOWN_OF_A_BODY - 1] + "…"
