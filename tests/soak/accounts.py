"""What became of every event, asked of the tables and the reject topics."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.verification import rejects
from services.content import content
from services.job import Job

from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.rebuild import Rebuild
from lpa_sinks.materialize.row_filter import SessionKey, TimeSpan
from soak.load import Load

_DATABASE = "livepeer_analytics"
_ALL_TIME = TimeSpan(0, 4_000_000_000_000)
_REBUILT = 50

_POSITIONS = f"""
SELECT source_partition, count(), uniqExact(source_offset), min(source_offset), max(source_offset) + 1 FROM (
    SELECT source_topic, source_partition, source_offset FROM {_DATABASE}.{RAW_TABLE.name}
    UNION ALL
    SELECT source_topic, source_partition, source_offset FROM {_DATABASE}.{DLQ_TABLE.name}
    UNION ALL
    SELECT source_topic, source_partition, source_offset FROM {_DATABASE}.{QUARANTINE_TABLE.name})
WHERE source_topic = {{topic:String}}
GROUP BY source_partition
ORDER BY source_partition
"""
_COUNTS = f"""
SELECT
    (SELECT count() FROM {_DATABASE}.{RAW_TABLE.name}),
    (SELECT uniqExact(dedup_key) FROM {_DATABASE}.{RAW_TABLE.name}),
    (SELECT count() FROM {_DATABASE}.{DLQ_TABLE.name}),
    (SELECT count() FROM {_DATABASE}.{QUARANTINE_TABLE.name}),
    (SELECT count() FROM {_DATABASE}.ai_stream_status) + (SELECT count() FROM {_DATABASE}.stream_trace_events)
        + (SELECT count() FROM {_DATABASE}.ai_stream_events),
    (SELECT sum(event_count) FROM {_DATABASE}.fact_workflow_sessions)
"""
_SAMPLE = f"""
SELECT org, stream_id, request_id FROM {_DATABASE}.fact_workflow_sessions
ORDER BY sipHash64(workflow_session_id) LIMIT {_REBUILT}
"""


def discrepancies(job: Job, load: Load) -> Iterator[str]:
    """A line for everything that is lost, doubled or derived wrongly, all events being delivered and derived."""
    with job.clickhouse.client() as client:
        positions = [tuple(row) for row in client.query(_POSITIONS, parameters={"topic": job.topic}).result_rows]
        found = client.query(_COUNTS).result_rows[0]
    whole = [(partition, end, end, 0, end) for partition, end in load.ends.items() if end]
    if positions != whole:
        yield f"of each partition: rows, positions, first, end: {positions} instead of {whole}"
    raw, keys, dead_letters, duplicates, signals, folded = found
    for what, wanted, there in (
        ("events delivered", load.events, load.delivered),
        ("rows accepted", load.accepted, raw),
        ("different dedup keys", load.accepted, keys),
        ("dead letters", load.bad, dead_letters),
        ("quarantined duplicates", load.duplicates, duplicates),
        ("signals in facts", signals, folded),
    ):
        if wanted != there:
            yield f"{what}: {there:,} instead of {wanted:,}"
    for topic, wanted in ((job.dlq, load.bad), (job.quarantine, load.duplicates)):
        records = rejects(job.bootstrap, topic)
        if (records.total(), len(records)) != (wanted, wanted):
            yield f"{topic}: {records.total():,} records of {len(records):,} positions instead of {wanted:,}"
    yield from _rebuilt_otherwise(job)


def _rebuilt_otherwise(job: Job) -> Iterator[str]:
    """Makes the facts of some sessions anew, after which all facts have to be what they were."""
    with job.clickhouse.client() as client:
        before = content(client, kind="fact_")
        sample = {SessionKey.of(*row) for row in client.query(_SAMPLE).result_rows}
        rebuild = Rebuild(FactDatabase(client, _DATABASE), FoldRules(), _ALL_TIME, sample)
        if not rebuild.prepare():
            yield "no session could be rebuilt"
        while rebuild.step() is not None:
            pass
        after = content(client, kind="fact_")
    yield from (f"{table} is another after a rebuild" for table in before if before[table] != after[table])
