"""Events as `lpa ingest` stores them, range by range, for tests of what is derived from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, final

from clickhouse_connect.driver.client import Client

from lpa_core.delivery.blocks import blocks, envelopes, settle
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.touched_sessions import Touch, touches
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.job_events import lpa_event_types as job_event_types
from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_core.orgs import NO_ORG
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.records import RecordBatch
from lpa_core.sinks.sink import StoredRange
from lpa_core.tables.table import Block
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.materializer import Materializer
from lpa_sinks.materialize.rebuild import Rebuild
from lpa_sinks.materialize.row_filter import SessionKey, TimeSpan
from lpa_sinks.schema.apply import apply

_PIPELINE: Final = Pipeline([*BUILTIN_EVENT_TYPES, *job_event_types()])
ALL_TIME: Final = TimeSpan(0, 4_085_808_000_000)
"""Until 2099-06-23, epoch ms."""
DERIVED: Final = (
    "fact_workflow_sessions",
    "fact_workflow_session_segments",
    "fact_workflow_latency_samples",
    "fact_workflow_param_updates",
    "fact_lifecycle_edge_coverage",
    "fact_stream_status_samples",
    "fact_stream_trace_edges",
    "fact_stream_ingest_samples",
    "fact_jobs",
    "dim_orchestrator_capability_snapshots",
    "dim_orchestrator_capability_advertised_snapshots",
    "dim_orchestrator_capability_model_constraints",
    "dim_orchestrator_capability_prices",
)
"""What is derived, as it is read."""


@final
class StoredEvents:
    """A database that records are stored in, each range under the batch time that it is given."""

    def __init__(self, client: Client, name: str) -> None:
        self.client, self.name = client, name
        self.database = FactDatabase(client, name)
        self.touched: list[Touch] = []
        """What the ranges that were stored touch."""
        apply(client, name, [])

    def clear(self) -> None:
        """Remove all rows."""
        filled = self.query(
            f"SELECT DISTINCT table FROM system.parts WHERE database = '{self.name}' AND active AND rows > 0"
        )
        for (table,) in filled:
            self.client.command(f"TRUNCATE TABLE {quoted(self.name)}.{quoted(table)} SYNC")
        self.touched.clear()

    def materializer(self, **arguments: Any) -> Materializer:
        """One that derives in this database, and keeps up to 1,000 sessions."""
        return Materializer(self.database, FoldRules(), **{"open_sessions": 1_000, **arguments})

    def store(
        self,
        records: Sequence[bytes],
        offset: int = 0,
        batch_time: int = 4_000_000_000_000,
        partition: int = 0,
        topic: str = "events",
        org: str = NO_ORG,
    ) -> StoredRange:
        """Store the records of a range, of which none is a duplicate."""
        batch = RecordBatch(topic, partition, range(offset, offset + len(records)), records)
        range_ = Range(topic, partition, offset, offset + len(records), len(records), "", batch_time)
        verdicts = _PIPELINE.judge(batch, batch_time)
        settled = settle(batch, verdicts, [None] * len(records), range_, _PIPELINE.describe, org)
        stored = blocks(settled, envelopes(settled, batch, range_, _PIPELINE.max_row_bytes), batch, range_)
        for block in stored:
            self._insert(block)
        self.touched += touches(stored)
        return StoredRange(topic, partition, batch_time)

    def rebuild(self, span: TimeSpan = ALL_TIME, sessions: Sequence[SessionKey] = ()) -> int:
        """Rebuild all facts of a span, of all sessions or of some, and return how many there are."""
        work = Rebuild(self.database, FoldRules(), span, sessions)
        found = work.prepare()
        while work.step() is not None:
            pass
        return found

    def _insert(self, block: Block) -> None:
        self.database.insert(block.table.name, block.table.columns, block.columns)

    def derived(self, org: str | None = None) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of all derived tables in order, without when they were made, and the merged rollups.

        Those of one org, or all.
        """
        rows = "1" if org is None else f"org = '{org}'"
        found = {
            table: self.query(
                f"SELECT * EXCEPT (ingestion_timestamp, version) FROM $.{table} WHERE {rows} ORDER BY ALL"
            )
            for table in DERIVED
        }
        found["agg_stream_performance_1m"] = self.query(
            "SELECT window_start, gateway, orchestrator_address, pipeline, model_id, gpu_id, "
            "finalizeAggregation(sessions_uniq_state), finalizeAggregation(sample_count_state), "
            f"round(finalizeAggregation(output_fps_avg_state), 6) FROM $.agg_stream_performance_1m WHERE {rows} "
            "ORDER BY ALL"
        )
        found["agg_session_performance_1h"] = self.query(
            "SELECT window_start, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, sample_count, "
            "output_sample_count, running_sample_count, round(finalizeAggregation(output_fps_avg_state), 6) "
            f"FROM $.agg_session_performance_1h WHERE {rows} ORDER BY ALL"
        )
        return found

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query; ``$`` stands for the database."""
        return [tuple(row) for row in self.client.query(sql.replace("$", quoted(self.name))).result_rows]


NewStore = Callable[[], StoredEvents]
"""Returns an empty database at each call."""
