"""``lpa query``: ask the database that lpa writes."""

from __future__ import annotations

import csv
import sys
from decimal import Decimal
from io import StringIO
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from lpa_core.commands.listing import ListColumn, print_list
from lpa_core.commands.options import SinkUri
from lpa_core.commands.output import Format, console, print_json, print_line
from lpa_core.counted import counted
from lpa_core.plugins.context import AppContext
from lpa_sinks.clickhouse.plain_values import plain, text_of
from lpa_sinks.clickhouse.read_only import QueryResult, ask, require_reading, worded
from lpa_sinks.clickhouse.readers import opened_for_reading
from lpa_sinks.clickhouse.retries import AT_ONCE

_Limit = Annotated[int, Parameter(validator=cyclopts.validators.Number(gte=1, lte=1_000_000))]


def query_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="query")

    @app.default
    def query(
        sql: str, /, *, sink: SinkUri = None, limit: _Limit = 1000, csv: Format = False, json: Format = False
    ) -> None:
        """Ask the database, and print the rows. Nothing can be changed.

        Names of tables need no database before them. Times are in UTC. The embedded database can be asked while
        `lpa ingest` runs.

        Parameters
        ----------
        sql
            One statement that reads: SELECT, WITH, SHOW, DESCRIBE, EXISTS or EXPLAIN.
        limit
            Rows at most.
        csv
            Print CSV, with the names of columns first.
        json
            Print JSON: a list with an object for each row.
        """
        require_reading(sql)
        with opened_for_reading(sink, settings) as (client, database):
            seconds = settings.clickhouse.sink_timeout_seconds
            answer = AT_ONCE.run(f"{database}: query", worded(lambda: ask(client, database, sql, limit, seconds)))
        if json:
            print_json([dict(zip(answer.columns, map(plain, row), strict=True)) for row in answer.rows])
        elif csv:
            sys.stdout.write(_as_csv(answer))
        else:
            _print(answer)
        if answer.more:
            console(stderr=True).print(f"there are more than {counted(limit, 'row')}: give --limit", soft_wrap=True)

    return app


def _print(answer: QueryResult) -> None:
    rows = [[text_of(value) for value in row] for row in answer.rows]
    right = [bool(answer.rows) and all(_is_number(row[at]) for row in answer.rows) for at in range(len(answer.columns))]
    columns = [ListColumn(name, right=number) for name, number in zip(answer.columns, right, strict=True)]
    print_list(console(), columns, rows)
    print_line(counted(len(rows), "row"))


def _as_csv(answer: QueryResult) -> str:
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows([["" if value is None else text_of(value) for value in row] for row in answer.rows])
    return written.getvalue()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal | None) and not isinstance(value, bool)
