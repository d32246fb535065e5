"""A plugin's table never has the name of one of lpa's own, or of another plugin's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint
from typing import Any

import attrs
import pytest
from structlog.testing import capture_logs

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.checkpoint import MemoryCheckpoint
from lpa_core.delivery.source_worker import SourceLimits, SourceWorker
from lpa_core.errors import ConfigurationError
from lpa_core.events.envelope import Envelope
from lpa_core.events.event_type import EventType, Row, typed_table
from lpa_core.events.model import EventData, Text
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings
from lpa_core.tables.reserved import RESERVED_TABLES
from lpa_core.tables.table import Column, Kind, Table
from lpa_core.testing.doubles import MemorySink, MemorySource

Install = Callable[..., EntryPoint]

CORE = EntryPoint("core", "lpa_core.plugins.builtin", "lpa")
PLUGIN = """
import attrs
from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.model import EventData, Text
from lpa_core.plugins.hookspecs import hookimpl
from lpa_core.tables.table import Column, Kind

@attrs.frozen(slots=True)
class Model(EventData):
    text: Text = ""

TABLE = typed_table("{table}", Column("text", Kind.TEXT), order_by=("text",))

@hookimpl
def lpa_event_types():
    return [EventType("{name}", Model, (), (TABLE,), lambda envelope, data: [(TABLE, (data.text,))])]
"""


@attrs.frozen(slots=True)
class Said(EventData):
    text: Text = ""


def said(name: str, *tables: Table) -> EventType:
    def shape(envelope: Envelope, data: Said) -> Iterable[tuple[Table, Row]]:
        return [(table, (data.text,)) for table in tables]

    return EventType(name, Said, (), tables, shape)


def table(name: str) -> Table:
    return typed_table(name, Column("text", Kind.TEXT), order_by=("text",))


OURS = [
    "streaming_events",
    "streaming_events_quarantine",
    "stream_trace_events",
    "raw_streaming_events",
    "fact_workflow_sessions",
    "fact_workflow_sessions_versions",
    "agg_stream_performance_1m",
    "v_api_gpu_metrics",
    "withdrawn_positions",
    "underived",
    "schema_migrations",
    "Streaming_Events_DLQ",
]


@pytest.mark.parametrize("name", OURS)
def test_failure_09_a_plugin_with_a_table_of_ours_is_left_out(name: str, install: Install) -> None:
    found = [CORE, install("lpa-own", PLUGIN.format(name="own", table=name), plugin="own")]
    with capture_logs() as logs:
        plugins = PluginManager(Settings(), found)
    assert [each.name for each in plugins.event_types()] == [each.name for each in BUILTIN_EVENT_TYPES]
    line = logs[0]
    assert (line["event"], line["plugin"], line["package"]) == ("plugin left out", "own", "lpa-own")
    assert f"table {name!r}" in line["problem"]
    assert "\n" not in line["problem"]


def test_failure_09_without_the_core_its_names_are_still_reserved(install: Install) -> None:
    found = [install("lpa-own", PLUGIN.format(name="own", table="ai_stream_status"), plugin="own")]
    plugins = PluginManager(Settings(), found)
    assert "'ai_stream_status'" in plugins.plugins[0].problem
    assert plugins.event_types() == []


@pytest.mark.parametrize("second", ["queue_lengths", "Queue_Lengths"])
def test_failure_09_of_two_plugins_with_one_table_the_second_is_left_out(second: str, install: Install) -> None:
    found = [
        CORE,
        install("lpa-one", PLUGIN.format(name="one", table="queue_lengths"), plugin="one"),
        install("lpa-two", PLUGIN.format(name="two", table=second), plugin="two"),
    ]
    plugins = PluginManager(Settings(), found)
    assert [each.name for each in plugins.event_types()][-1] == "one"
    assert [each.problem for each in plugins.plugins[:2]] == ["", ""]
    assert plugins.plugins[2].problem == (
        f"ValueError: table {second!r} of 'two' is that of 'one' of the plugin one (lpa-one) already: rename it"
    )


@pytest.mark.parametrize("name", sorted(RESERVED_TABLES))
def test_failure_09_a_pipeline_takes_no_table_of_ours(name: str) -> None:
    for given in (name, name.upper()):
        with pytest.raises(ValueError, match=f"'{given}'"):
            Pipeline([said("own", table(given))])


def test_failure_09_an_event_type_with_one_table_name_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="'queue_lengths' is declared by 'own' twice: rename one"):
        Pipeline([*BUILTIN_EVENT_TYPES, said("own", table("queue_lengths"), table("queue_lengths"))])


def test_failure_09_names_that_only_resemble_ours_are_free() -> None:
    own = said("own", table("streaming_events_of_ours"), table("fact_queue_lengths"))
    assert set(Pipeline([*BUILTIN_EVENT_TYPES, own]).event_types) >= {"own"}


def test_failure_09_two_blocks_of_a_range_never_share_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lets such a plugin through: its rows must not stand in for ours."""
    own = said("own", table("streaming_events"))
    monkeypatch.setattr("lpa_core.events.registry.RESERVED_TABLES", frozenset())
    pipeline = Pipeline([*BUILTIN_EVENT_TYPES, own])
    sink = MemorySink()
    sink.open([*own.tables])
    event: dict[str, Any] = {"id": "1", "type": "own", "timestamp": 1_767_873_600_000, "data": {"text": "x"}}
    worker = SourceWorker(
        MemorySource("topic", [json.dumps(event).encode()]),
        pipeline,
        MemoryDedupStore(1000),
        [sink],
        MemoryCheckpoint(),
        limits=SourceLimits(10, 1000),
    )
    with pytest.raises(ConfigurationError, match="two tables are named streaming_events"):
        worker.run()
    assert sink.tables["streaming_events"] == []
