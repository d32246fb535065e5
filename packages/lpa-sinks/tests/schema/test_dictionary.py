"""docs/data.md says what the SQL files say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lpa_core.events.event_type import typed_table
from lpa_core.job_events import lpa_event_types
from lpa_core.tables.table import Column, Kind, Table
from lpa_sinks.schema.ddl import DEFAULT_DATABASE, SCHEMA_FILES, VERSIONS, declared, sql_file
from lpa_sinks.schema.dictionary import entries, markdown

PAGE = Path(__file__).parents[4] / "docs" / "data.md"


def test_the_page_is_up_to_date(tables: Sequence[Table]) -> None:
    jobs = [table for event_type in lpa_event_types() for table in event_type.tables]
    assert PAGE.read_text() == markdown([*tables, *jobs]), "./dev pages writes it anew"


def test_a_plugins_table_is_explained_with_where_its_columns_come_from(tables: Sequence[Table]) -> None:
    plugin = typed_table(
        "gpu_temperature",
        Column("celsius", Kind.FLOAT32, at="sensor.celsius", note="of the hottest"),
        Column("measured", Kind.TIMESTAMP, at="measured", otherwise="$.timestamp"),
        Column("chosen", Kind.TEXT),
        order_by=("celsius",),
    )
    *_, section = markdown([*tables, plugin]).split("## Tables of plugins\n\n")
    assert section.startswith("### gpu_temperature\n\nOne row per event, or per item of one.\n")
    assert "sorted by `(event_date, celsius, event_timestamp)`" in section
    assert "| `celsius` | `Float32` | from `sensor.celsius`; of the hottest |\n" in section
    assert "| `measured` | `DateTime64(3, 'UTC')` | from `measured`, else `$.timestamp` |\n" in section
    assert "| `chosen` | `String` |  |\n" in section
    assert "Tables of plugins" not in markdown(tables)


def test_every_table_and_view_is_explained() -> None:
    explained = {entry.name.removesuffix(VERSIONS) for file in SCHEMA_FILES for entry in entries(file)}
    assert explained == {name.removesuffix(VERSIONS) for name in declared([])}
    made = "".join(map(sql_file, SCHEMA_FILES))
    views = set(re.findall(rf"CREATE VIEW IF NOT EXISTS {DEFAULT_DATABASE}\.(\w+)", made))
    assert {name for name in views - explained if not name.startswith("raw_")} == set()


def test_every_column_is_there_with_its_type() -> None:
    ddl = declared([])
    for file in SCHEMA_FILES:
        for entry in entries(file):
            assert {name: type_ for name, type_, _ in entry.columns} == ddl[entry.name].columns


def test_what_it_is_made_of_is_said_of_everything_derived() -> None:
    for file in ("02-facts.sql", "03-dimensions.sql", "04-views.sql", "06-job-views.sql"):
        for entry in entries(file):
            assert "One row per " in entry.meaning, entry.name
            if entry.name != "underived":
                assert re.search(r"\bFrom [a-z`]|\bFrom the |Nothing sends these", entry.meaning), entry.name
