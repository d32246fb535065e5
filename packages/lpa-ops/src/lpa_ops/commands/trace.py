"""``lpa trace``: everything that is known of an id or a position."""

from __future__ import annotations

from typing import Annotated

import cyclopts
from cyclopts import Parameter

from lpa_core.commands.options import Json, SinkUri, addressed
from lpa_core.commands.output import console, print_json
from lpa_core.errors import UsageError
from lpa_core.plugins.context import AppContext
from lpa_ops.commands.trace_report import print_trace
from lpa_ops.trace.gather import MOST_RECORDS, Surroundings, trace
from lpa_ops.trace.questions import Questions
from lpa_ops.trace.subject import TraceSubject
from lpa_sinks.clickhouse.readers import readers_of
from lpa_sinks.clickhouse.retries import AT_ONCE


def trace_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="trace")

    @app.default
    def show_trace(
        subject: str,
        /,
        *,
        archive: Annotated[str, Parameter(validator=addressed("--archive"))] = "",
        limit: int = 20,
        sink: SinkUri = None,
        json: Json = False,
    ) -> int:
        """Show everything known of an id or a position: verdict, claim, range, rows, replays, session, archive file.

        It also works beside a running `lpa ingest`, and changes nothing.

        Parameters
        ----------
        subject
            An id of an event, stream, request, session or job, a dedup key, or a position: TOPIC/PARTITION/OFFSET.
            Exit status 1 if nothing is known of it.
        archive
            Folder or URL of the archive. Default: LPA_ARCHIVE_DIR.
        limit
            How many records of the id are shown, at most 1,000.
        """
        asked = TraceSubject.of(subject)
        if not 1 <= limit <= MOST_RECORDS:
            raise UsageError(f"--limit={limit}: a trace shows 1 to {MOST_RECORDS:,} records")
        surroundings = Surroundings(settings, sink, archive or settings.lpa.archive_dir)
        with readers_of(sink, settings) as (readers, database):
            found = AT_ONCE.run(
                f"{database}: trace", lambda: trace(Questions.of(readers, database), asked, surroundings, limit)
            )
        if json:
            print_json(found)
        else:
            print_trace(found, console())
        return 0 if found.found else 1

    return app
