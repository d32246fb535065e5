"""Facts that rows were taken from: derived again from what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from clickhouse_connect.driver.client import Client

from lpa_core.job_facts.job_rows import JobKey
from lpa_core.jobs.assembly import fold_rules
from lpa_core.orgs import NO_ORG
from lpa_ops.recover.scenario import Context
from lpa_sinks.clickhouse.database import endpoint_of, opened
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.known_sessions import touched_sessions
from lpa_sinks.materialize.materializer import Materializer
from lpa_sinks.materialize.row_filter import Extent, SessionKey, TimeSpan, between
from lpa_sinks.schema.apply import apply


class TouchedSession(msgspec.Struct, frozen=True):
    """A session with rows that go, and how many rows it had before, within which event times (epoch ms)."""

    stream_id: str
    request_id: str
    rows: int
    earliest: int
    latest: int
    org: str = NO_ORG


class TouchedJob(msgspec.Struct, frozen=True):
    """A job with rows that go, as :class:`TouchedSession`."""

    org: str
    job_id: str
    rows: int
    earliest: int
    latest: int


def as_touched(sessions: Mapping[SessionKey, Extent]) -> list[TouchedSession]:
    return [
        TouchedSession(
            key.stream_id, key.request_id, extent.rows, extent.span.earliest, extent.span.latest, org=key.org
        )
        for key, extent in sessions.items()
    ]


def derive_again(
    sessions: Sequence[TouchedSession], jobs: Sequence[TouchedJob], context: Context, *, keep_expired: bool = True
) -> int:
    """Fold the sessions and jobs from what there is of them, and return how many sessions were folded.

    ``keep_expired``: leave facts as they are whose events are not all there any more, as retention took some.

    Raises the client's errors.
    """
    with opened(context.sink, context.settings) as (client, name):
        if endpoint_of(context.sink, context.settings).path is not None:
            apply(client, name, ())
        rules = fold_rules(context.plugins, context.settings)
        work = Materializer(FactDatabase(client, name), rules, open_sessions=0)
        extents = _extents(client, name, sessions)
        done = sum(each.sessions for each in work.rebuild(extents, keep_expired=keep_expired))
        of_jobs = {
            JobKey(each.org, each.job_id): Extent(each.rows, TimeSpan(each.earliest, each.latest)) for each in jobs
        }
        for _ in work.rebuild_jobs(of_jobs, keep_expired=keep_expired):
            pass
    return done


def _extents(client: Client, name: str, sessions: Sequence[TouchedSession]) -> Mapping[SessionKey, Extent]:
    """What there is of the sessions by now, earliest first; of one of which nothing is left, what there was."""
    if not sessions:
        return {}
    before = {
        SessionKey(each.org, each.stream_id, each.request_id): Extent(each.rows, TimeSpan(each.earliest, each.latest))
        for each in sessions
    }
    all_times = TimeSpan.hull([extent.span for extent in before.values()])
    now = touched_sessions(FactDatabase(client, name), between(all_times).of_sessions(list(before)))
    return dict(sorted({**before, **now}.items(), key=lambda item: item[1].span.earliest))
