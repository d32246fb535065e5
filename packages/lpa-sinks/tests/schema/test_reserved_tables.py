"""The core's list of names that no plugin may use is what the schema makes."""

from __future__ import annotations

import re

from lpa_core.tables.reserved import RESERVED_TABLES, TABLES_OF_JOBS
from lpa_sinks.schema.ddl import SCHEMA_FILES, VERSIONS, sql_file


def test_failure_09_every_table_and_view_of_the_schema_is_reserved() -> None:
    sql = "\n".join(map(sql_file, (*SCHEMA_FILES, "schema_migrations.sql"))).replace("$database", "livepeer_analytics")
    made = set(re.findall(r"^CREATE (?:TABLE|VIEW) IF NOT EXISTS livepeer_analytics\.(\w+)", sql, re.MULTILINE))
    assert len(re.findall(r"^CREATE (?!DATABASE)", sql, re.MULTILINE)) == len(made)
    assert made | {name.removesuffix(VERSIONS) for name in made} == RESERVED_TABLES.union(TABLES_OF_JOBS)
