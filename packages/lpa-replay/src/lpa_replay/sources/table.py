"""The tables of dead letters and of quarantined records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, final

from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.pipeline.reject_envelope import SCHEMA_VERSION
from lpa_core.records import Position
from lpa_core.replays import ReplayRefused
from lpa_core.sinks.sink import SinkUnavailable
from lpa_core.tables.table import Table
from lpa_replay.database import ReplayDatabase
from lpa_replay.sources.envelopes import payload_bytes
from lpa_replay.sources.record import Found, Selection
from lpa_replay.sources.window import Clock
from lpa_sinks.clickhouse.errors import describe

_MOMENT: Final = {
    Clock.EVENT: "coalesce(event_timestamp, source_record_timestamp)",
    Clock.INGESTION: "ingestion_timestamp",
}
# Bodies are long: a few blocks of the default size, or one ahead for each part, would be hundreds of megabytes. A cache
# of what a condition finds is no use to a query that is asked once.
_STREAMING: Final = {
    "max_block_size": 4096,
    "max_threads": 1,
    "preferred_block_size_bytes": 4_000_000,
    "read_in_order_use_buffering": 0,
    "use_query_condition_cache": 0,
}


@final
class TableSource:
    """Read in the order of the sorting key, so that the database need not hold the rows to sort them.

    Ends with the newest row there is when it is opened.
    """

    clock = Clock.EVENT

    def __init__(
        self, name: str, table: Table, database: ReplayDatabase, bounds: Mapping[str, str] | None = None
    ) -> None:
        """``database`` is for this source alone: while it is read from, it answers nothing else.

        Raises SinkMisconfigured if the table is not there.
        """
        self.name = name
        self._database, self._table = database, database.table(table.name)
        database.require(table.name)
        if bounds is None:
            sql = database.sql("newest_reject.sql", table=self._table)
            ((newest,),) = database.rows(f"look at {table.name}", sql)
            bounds = {"ingested_by": str(newest)}
        self.bounds = dict(bounds)

    def check(self, where: str) -> None:
        """Raise ReplayRefused if this is not a condition over the table's columns."""
        if not where:
            return
        try:
            # Alone it must not end the parentheses that it is put into; within them it must be a condition.
            for condition in (f"{where}\n", f"({where}\n)"):
                self._database.client.query(f"SELECT 1 FROM {self._table} WHERE {condition} LIMIT 0")
        except ClickHouseError as error:
            raise ReplayRefused(f"--where: no condition over the columns of the table: {describe(error)}") from None

    def missed(self, selection: Selection) -> int:
        """Raises SinkUnavailable, SinkMisconfigured."""
        if selection.window.everything:
            return 0
        filters = selection.filters
        sql = self._database.sql(
            "missed_rejects.sql",
            table=self._table,
            moment=_MOMENT[selection.clock],
            other=_MOMENT[selection.clock.other],
            where=filters.where or "1",
        )
        more = {"stages": list(filters.stages), "partitions": list(filters.partitions)}
        ((missed,),) = self._database.rows("count dead letters", sql, **self._parameters(selection), **more)
        return int(missed)

    def read(self, selection: Selection) -> Iterator[Sequence[Found]]:
        filters = selection.filters
        sql = self._database.sql(
            "rejects.sql", table=self._table, moment=_MOMENT[selection.clock], where=filters.where or "1"
        )
        parameters = self._parameters(selection)
        client = self._database.client
        known = {name: value for name, value in _STREAMING.items() if name in client.server_settings}
        try:
            with client.query_column_block_stream(sql, parameters=parameters, settings=known) as blocks:
                for columns in blocks:
                    yield [_found(*row) for row in zip(*columns, strict=True)]
        except ClickHouseError as error:
            hint = f": check --where {filters.where!r}" if filters.where else ""
            raise SinkUnavailable(f"{self._database.name}: read dead letters: {describe(error)}{hint}") from error

    def _parameters(self, selection: Selection) -> dict[str, Any]:
        filters, window = selection.filters, selection.window
        return {
            "through": int(self.bounds["ingested_by"]),
            "start": window.start,
            "end": window.end,
            "classes": list(filters.classes),
            "reasons": list(filters.reasons),
            "types": list(filters.types),
        }

    def close(self) -> None:
        self._database.client.close()


def _found(
    schema_version: str,
    topic: str,
    partition: int,
    offset: int,
    record_ms: int,
    event_ms: int | None,
    ingested_ms: int,
    stage: str,
    failure_class: str,
    reason: str,
    details: str,
    event_type: str,
    dedup_key: str,
    attempt: int,
    encoding: str,
    body: str,
    truncated: int,
    traceparent: str,
) -> Found:
    # A row has no null for the body of a record without a value; any other JSON text has at least a character.
    payload, problem = payload_bytes(encoding, body if body or encoding == "base64" else None, bool(truncated))
    if schema_version != SCHEMA_VERSION:
        payload, problem = None, f"the envelope's schema version is {schema_version}, not {SCHEMA_VERSION}"
    return Found(
        payload,
        Position(topic, partition, offset),
        record_ms,
        event_ms,
        ingested_ms,
        stage,
        failure_class,
        reason,
        details,
        event_type,
        dedup_key,
        attempt,
        problem,
        traceparent,
    )
