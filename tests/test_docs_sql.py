"""The SQL that pages tell people to run."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import Final

from clickhouse_connect.driver.client import Client

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_sinks.schema.apply import apply

DOCS: Final = Path(__file__).parents[1] / "docs"
SET_ASIDE: Final = "streaming_events__damaged_20260108T120000"
BLOCKS: Final = [
    (page, block)
    for page in sorted(DOCS.rglob("*.md"))
    for block in re.findall(r"^```sql\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
]


def test_every_statement_runs(engine: Client, database: str) -> None:
    typed = chain.from_iterable(each.tables for each in BUILTIN_EVENT_TYPES)
    apply(engine, database, [RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE, *typed])
    engine.command(f"CREATE TABLE {database}.{SET_ASIDE} AS {database}.streaming_events")
    assert {page.stem for page, _ in BLOCKS} >= {"health", "recovery", "DATA_QUALITY"}
    for page, block in BLOCKS:
        named = re.findall(r"(?:FROM|TABLE) (\S+)", block)
        assert all(name.startswith("livepeer_analytics.") for name in named), f"{page}: {named}"
        engine.command(block.rstrip().rstrip(";").replace("livepeer_analytics.", f"{database}."))
    left = engine.query(f"SELECT name FROM system.tables WHERE database = '{database}'").result_rows
    assert (SET_ASIDE,) not in left
