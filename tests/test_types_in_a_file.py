"""Event types in a file make the tables that the same types in Python make, row for row."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, Final

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.cli import run
from lpa_core.events.event_type import EventType
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.plugin import Column, EnvelopeMapping, IgnoreRule, Kind, TimeFormat, hookimpl, typed_table
from lpa_core.plugins import manager
from lpa_core.testing.both_paths import rows
from lpa_core.type_files.declarations import declared
from lpa_core.validation.json_document import Document
from lpa_core.validation.reasons import Failure

EXAMPLE: Final = Path(__file__).parents[1] / "examples" / "iot-readings"
FILE: Final = EXAMPLE / "sensors.toml"

REPORT: Final = EventType(
    "station_report",
    required=("data.station", "data.readings"),
    requires_object=True,
    envelope=EnvelopeMapping(
        "measured", TimeFormat.ISO8601, when={"kind": ("report",)}, id=("station", "sequence"), gateway="site"
    ),
    tables=(
        typed_table(
            "station_readings",
            Column("site", Kind.LABEL, at="$.gateway", on_mismatch="reject"),
            Column("station", Kind.LABEL, at="$.data.station", on_mismatch="reject"),
            Column("sensor", Kind.TEXT, at="sensor", on_mismatch="reject"),
            Column("quantity", Kind.LABEL, at="quantity", note="temperature, humidity or co2", on_mismatch="reject"),
            Column("value", Kind.FLOAT64, at="value", note="degrees Celsius, percent or ppm", on_mismatch="reject"),
            order_by=("station", "quantity"),
            keep_days=400,
            each="readings",
        ),
        typed_table(
            "station_states",
            Column("station", Kind.LABEL, at="station"),
            Column("firmware", Kind.TEXT, at="firmware"),
            Column("battery", Kind.FLOAT32, nullable=True, at="power.battery", note="percent"),
            Column("on_mains", Kind.UINT8, nullable=True, at="power.mains", note="1 or 0"),
            order_by=("station",),
        ),
    ),
)
ALARM: Final = EventType(
    "station_alarm",
    required=("data.station", "data.text"),
    requires_object=True,
    envelope=EnvelopeMapping(
        "time",
        TimeFormat.ISO8601,
        has=("specversion",),
        when={"type": ("org.example.alarm", "org.example.notice")},
        id=("id",),
        gateway="source",
        data="data",
    ),
    tables=(
        typed_table(
            "station_alarms",
            Column("station", Kind.LABEL, at="station"),
            Column("severity", Kind.LABEL, at="severity"),
            Column("text", Kind.TEXT, at="text"),
            order_by=("station",),
            one_of={"severity": ("high", "critical")},
        ),
        typed_table(
            "station_notices",
            Column("station", Kind.LABEL, at="station"),
            Column("text", Kind.TEXT, at="text"),
            order_by=("station",),
            keep_days=7,
            one_of={"severity": ("low",)},
        ),
    ),
)
WORKBENCH: Final = IgnoreRule("workbench", {"station_report"}, where={"station": "workbench"})
OF_THE_CLOCK: Final = ("ingestion_timestamp", "source_record_timestamp")
"""Columns that a later run fills otherwise."""
TABLES: Final = ("station_readings", "station_states", "station_alarms", "station_notices")


def documents() -> list[bytes]:
    """Those of the example, and such with one thing changed: a value, a missing key, a key twice."""
    rng = Random(5)
    found = [line.encode() for line in (EXAMPLE / "documents.ndjson").read_text().splitlines()]
    values: list[Any] = [None, "", "x", 7, -1.5, True, [], {}, [{}], "2026-01-08T12:00:00Z", "high", 10**30]
    for number in range(300):
        document = json.loads(rng.choice(found[:8]))
        document["sequence" if "sequence" in document else "id"] = number
        place = document
        while True:
            key = rng.choice([*place])
            below = place[key]
            if isinstance(below, list) and below and rng.random() < 0.7:
                below = rng.choice(below)
            if isinstance(below, dict) and rng.random() < 0.7:
                place = below
                continue
            if rng.random() < 0.2:
                del place[key]
            else:
                place[key] = rng.choice(values)
            break
        found.append(json.dumps(document).encode())
    return found


def _passes(document: Document) -> Failure | None:
    return None


def test_every_row_of_every_table_is_equal_on_both_paths() -> None:
    found = declared([FILE]).required()
    records = documents()
    from_python = Pipeline([REPORT, ALARM], ignore_rules=[WORKBENCH])
    expected = rows(from_python, records)
    fast = Pipeline(found.event_types, ignore_rules=found.ignore_rules)
    thorough = Pipeline(found.event_types, ignore_rules=found.ignore_rules, plugin_validators=[_passes])
    assert rows(fast, records) == expected
    assert rows(thorough, records) == expected
    made = {row.partition(" ")[0] for some in expected.values() for row in some}
    assert {*TABLES, "streaming_events", "streaming_events_dlq", "streaming_events_quarantine"} <= made


@pytest.fixture
def stored(
    engine: Client, engine_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, list[EntryPoint]], dict[str, list[Any]]]:
    """Ingests all documents into a new database and returns the rows of its tables."""
    (tmp_path / "documents.ndjson").write_bytes(b"".join(record + b"\n" for record in documents()))
    monkeypatch.chdir(tmp_path)

    def ingest(database: str, plugins: list[EntryPoint]) -> dict[str, list[Any]]:
        monkeypatch.setattr(manager, "_installed", lambda settings: plugins)
        monkeypatch.setenv("CLICKHOUSE_DATABASE", database)
        monkeypatch.setenv("LPA_DATA_DIR", str(tmp_path / database))
        assert run(["ingest", "documents.ndjson", "--no-facts", "--sink", f"chdb://{engine_path}"]) == 0
        there = engine.query(
            f"SELECT name, create_table_query FROM system.tables WHERE database = '{database}' AND engine = 'MergeTree'"
        ).result_rows
        found: dict[str, list[Any]] = {}
        for name, create in there:
            if name == "schema_migrations":
                continue
            columns = engine.query(
                f"SELECT name FROM system.columns WHERE database = '{database}' AND table = '{name}' ORDER BY position"
            ).result_rows
            chosen = ", ".join(column for (column,) in columns if column not in OF_THE_CLOCK)
            found[name] = sorted(engine.query(f"SELECT {chosen} FROM {database}.{name}").result_rows, key=repr)
            found[f"{name}: DDL"] = [str(create).replace(database, "database")]
        engine.command(f"DROP DATABASE {database} SYNC")
        return found

    return ingest


@pytest.mark.slow
def test_stored_tables_are_equal(
    stored: Callable[[str, list[EntryPoint]], dict[str, list[Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("stations_in_python")
    vars(module)["lpa_event_types"] = hookimpl(lambda: [REPORT, ALARM], specname="lpa_event_types")
    vars(module)["lpa_ignore_rules"] = hookimpl(lambda: [WORKBENCH], specname="lpa_ignore_rules")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    installed = [*manager._installed(manager.Settings())]
    in_python = stored("in_python", [*installed, EntryPoint("stations", module.__name__, "lpa")])
    monkeypatch.setenv("LPA_EVENT_TYPES", str(FILE))
    in_toml = stored("in_toml", [*installed, EntryPoint("types", "lpa_core.type_files.plugin", "lpa")])
    assert in_toml == in_python
    assert all(in_python[name] for name in TABLES)
