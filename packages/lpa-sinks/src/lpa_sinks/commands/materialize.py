"""``lpa materialize``: keep facts up to date with what arrives by Kafka, or rebuild those of a window."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

import attrs
import cyclopts
from cyclopts import Parameter
from rich.progress import Progress as Bar

from lpa_core.commands.options import Json, SinkUri
from lpa_core.commands.output import console, print_json, print_line
from lpa_core.counted import counted
from lpa_core.errors import UsageError
from lpa_core.jobs.assembly import fold_rules
from lpa_core.orgs import NO_ORG
from lpa_core.plugins.context import AppContext
from lpa_core.sinks.derived import Derived
from lpa_core.time_window import parse_time, require_order
from lpa_sinks.clickhouse.database import endpoint_of, opened
from lpa_sinks.clickhouse.retries import AT_ONCE
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.rebuild import Rebuild
from lpa_sinks.materialize.row_filter import SessionKey, TimeSpan
from lpa_sinks.schema.apply import apply


def materialize_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="materialize", help="Derive facts, rollups and dimensions from stored events.")

    @app.default
    def follow(*, sink: str = "clickhouse://", json: Json = False) -> None:
        """Keep facts up to date with what `lpa ingest` stores in a ClickHouse server, until stopped.

        Needs Kafka: the topic QUALITY_TOUCHED_TOPIC names sessions with new events, and ranges with new jobs. Into the
        embedded database, and from files, `lpa ingest` derives by itself.

        Parameters
        ----------
        sink
            The database, such as clickhouse://host:8123/database. Default: the one of CLICKHOUSE_URL.
        """
        if endpoint_of(sink, settings).path is not None:
            raise UsageError(
                f"{sink}: only one process can have the embedded database open, and `lpa ingest` derives facts in it "
                "by itself: name a ClickHouse server, or run `lpa materialize rebuild`"
            )
        from lpa_sinks.materialize.job import MaterializeJob

        done = MaterializeJob(sink, settings, context.plugins).run()
        _print(done, json)

    @app.command
    def rebuild(
        *,
        start: str,
        end: str,
        sessions: Annotated[Sequence[str], Parameter(negative="", consume_multiple=True)] = (),
        org: str = NO_ORG,
        sink: SinkUri = None,
        json: Json = False,
    ) -> None:
        """Rebuild the facts of all sessions and jobs with an event in [start, end), whole, and the rollups of these.

        May run during live work. It makes the rows that live work would have made.

        Parameters
        ----------
        start
            Event time, inclusive, such as 2026-01-08T10:00:00, in UTC if it has no zone, or 7d for a week ago.
        end
            Event time, exclusive.
        sessions
            Only these, and no jobs: session ids, as workflow_session_id has them (stream_id|request_id).
        org
            Whose sessions --sessions names. Default: those of topics without an org.
        """
        if org and not sessions:
            raise UsageError("--org says whose sessions --sessions names: name some, or leave it out to rebuild all")
        now_ms = time.time_ns() // 1_000_000
        first, behind = parse_time(start, "--start", now_ms), parse_time(end, "--end", now_ms)
        require_order(first, behind)
        only = [_key(org, name) for name in sessions]
        rules = fold_rules(context.plugins, settings)
        embedded = endpoint_of(sink, settings).path is not None
        screen = console(stderr=True)
        done = Derived()
        with (
            opened(sink, settings) as (client, database),
            Bar(console=screen, transient=True, disable=not screen.is_terminal or json) as bar,
        ):
            if embedded:  # without facts so far, nobody has made their tables
                AT_ONCE.run(f"{database}: make the schema", lambda: apply(client, database, ()))
            work = Rebuild(FactDatabase(client, database), rules, TimeSpan(first, behind - 1), only)
            total = AT_ONCE.run(f"{database}: look for sessions and jobs", work.prepare)
            task = bar.add_task("sessions and jobs", total=total)
            while (progress := AT_ONCE.run(f"{database}: rebuild", work.step)) is not None:
                done.add(progress)
                bar.advance(task, progress.sessions + progress.jobs)
        _print(done, json)

    return app


def _key(org: str, name: str) -> SessionKey:
    stream, separator, request = name.rpartition("|")
    if not separator:
        raise UsageError(f"--sessions {name}: a session id has the form stream_id|request_id")
    return SessionKey.of(org, stream.removeprefix("_missing_stream"), request.removeprefix("_missing_request"))


def _print(done: Derived, json: bool) -> None:
    if json:
        print_json(attrs.asdict(done))
    else:
        jobs = f", {counted(done.jobs, 'job')} written" if done.jobs else ""
        print_line(f"{counted(done.sessions, 'session')} written, {counted(done.signals, 'signal')} folded{jobs}")
