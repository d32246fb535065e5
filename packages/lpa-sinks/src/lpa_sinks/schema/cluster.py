"""The schema for a cluster: a replicated table on every shard, and a distributed one over them under the plain name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from lpa_core.sinks.sink import SinkMisconfigured
from lpa_core.tables.table import Table
from lpa_sinks.schema.ddl import statements

LOCAL: Final = "_local"
"""Ends the name of the table on each shard."""

_CLUSTER: Final = re.compile(r"[A-Za-z0-9_.-]+|\{\w+\}")
"""A server's configuration names clusters, more freely than databases are named; or one of its macros does."""
_CREATE: Final = re.compile(r"^CREATE (DATABASE|TABLE|VIEW) IF NOT EXISTS (?:(\S+)\.)?([\w`]+)", re.MULTILINE)
_ENGINE: Final = re.compile(r"^ENGINE = (\w*MergeTree)(?:\((.*)\))?$", re.MULTILINE)
_SORTING_KEY: Final = re.compile(r"^ORDER BY (.*)$", re.MULTILINE)
_OF_AN_EVENT: Final = ("raw_event_uid String,", "dedup_key String,", "source_offset UInt64,")
"""What names the event of a row, hence the same shard in every table of events."""
_OF_A_KEY: Final = ("workflow_session_id", "job_id", "orchestrator_address", "replay_id", "topic", "pipeline")
"""What is in the sorting key of a table whose rows replace each other: versions of a row have to be on one shard."""


def statements_on_cluster(tables: Iterable[Table], database: str, cluster: str) -> list[str]:
    """Every statement that makes the schema on a cluster, in order, each safe to run again.

    Raises SinkMisconfigured if a name cannot be one, or a plugin's table cannot be made.
    """
    if not _CLUSTER.fullmatch(cluster):
        raise SinkMisconfigured(
            f"--cluster {cluster!r}: expected letters, digits and underscores, also . and -, or a macro as {{cluster}}"
        )
    named = f"`{cluster}`"
    return [each for statement in statements(tables, database) for each in _on_cluster(statement, named)]


def _on_cluster(statement: str, cluster: str) -> list[str]:
    found = _CREATE.search(statement)
    assert found, statement
    kind, database, name = found.groups()
    if kind != "TABLE":
        return [statement[: found.end()] + f" ON CLUSTER {cluster}" + statement[found.end() :]]
    create = f"CREATE TABLE IF NOT EXISTS {database}.{name}"
    local = f"{statement[: found.start()]}{create}{LOCAL} ON CLUSTER {cluster}{statement[found.end() :]}"
    return [
        _ENGINE.sub(_replicated, local),
        f"{create} ON CLUSTER {cluster}\nAS {database}.{name}{LOCAL}\n"
        f"ENGINE = Distributed({cluster}, {database}, {name}{LOCAL}, cityHash64({_sharding_column(statement)}))",
    ]


def _replicated(engine: re.Match[str]) -> str:
    name, arguments = engine.groups()
    more = f", {arguments}" if arguments else ""
    return f"ENGINE = Replicated{name}('/clickhouse/tables/{{shard}}/{{database}}/{{table}}', '{{replica}}'{more})"


def _sharding_column(statement: str) -> str:
    """The column whose value decides the shard of a row: a repeated row goes to the same shard."""
    engine, key = _ENGINE.search(statement), _SORTING_KEY.search(statement)
    assert engine, statement
    assert key, statement
    if engine[1] != "MergeTree":
        return next(column for column in _OF_A_KEY if column in key[1])
    return next(column for column in _OF_AN_EVENT if f"\n    {column}" in statement).split()[0]
