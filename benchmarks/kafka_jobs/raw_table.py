"""The raw table that floors and peers write: embedded, in a folder of the run's own."""

from typing import Any

import clickhouse_connect
import orjson

_NAMES = ["id", "type", "timestamp", "gateway", "raw_json"]
_TYPES = ["String", "LowCardinality(String)", "Int64", "String", "String"]


class RawTable:
    def __init__(self, folder: str) -> None:
        self._client = clickhouse_connect.get_client(interface="chdb", path=folder)
        self._client.command("CREATE DATABASE IF NOT EXISTS floor")
        self._client.command(
            "CREATE TABLE IF NOT EXISTS floor.raw (id String, type LowCardinality(String), timestamp Int64, "
            "gateway String, raw_json String, "
            "event_date Date32 MATERIALIZED toDate32(fromUnixTimestamp64Milli(timestamp))) "
            "ENGINE = MergeTree PARTITION BY toYYYYMM(event_date) ORDER BY (event_date, type, timestamp)"
        )
        self._types = [clickhouse_connect.datatypes.registry.get_from_name(name) for name in _TYPES]

    def insert(self, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            self._client.insert(
                "raw",
                list(zip(*rows, strict=True)),
                column_names=_NAMES,
                column_types=self._types,
                column_oriented=True,
                database="floor",
            )


def row(value: bytes) -> tuple[Any, ...] | None:
    """The row of an event that has what every event must have."""
    try:
        event = orjson.loads(value)
        text = str(event.get("id") or ""), str(event["type"]), int(event["timestamp"]), str(event.get("gateway") or "")
        return (*text, value)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
