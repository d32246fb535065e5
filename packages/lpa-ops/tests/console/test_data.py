"""Pages of what is stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs
import pytest
from starlette.testclient import TestClient

from lpa_core.sinks.sink import SinkMisconfigured
from lpa_ops.console.page import ConsoleSources
from lpa_ops.testing.checked_database import CheckedDatabase
from lpa_ops.testing.page_text import page


def test_every_table_has_its_rows_and_meaning(browser: TestClient, day: CheckedDatabase) -> None:
    content = browser.get("/data.json").json()
    tables = {each["name"]: each for each in content["tables"]}
    for name in ("streaming_events", "ai_stream_status", "fact_jobs_versions"):
        # Parts hold rows that other tests have deleted until they are merged.
        stored_in = f"active AND database = '{day.settings.clickhouse.database}' AND table = '{name}'"
        in_parts = f"SELECT sum(rows) FROM system.parts WHERE {stored_in}"
        assert tables[name]["rows"] == day.query(in_parts)[0][0]
        assert tables[name]["rows"] >= day.query(f"SELECT count() FROM day.{name}")[0][0] > 0
        assert tables[name]["bytes"] > 0
        assert tables[name]["meaning"]
        ((latest,),) = day.query(f"SELECT max(ingestion_timestamp) FROM day.{name}")
        assert datetime.fromisoformat(tables[name]["latest_at"]).timestamp() == latest.timestamp()
    assert "v_api_sla_compliance" in {each["name"] for each in content["views"]}
    found = page(browser.get("/data"))
    assert f"{tables['streaming_events']['rows']:,}" in found.text
    assert "/data/table?name=streaming_events" in found.links


def test_a_table_has_its_dictionary(browser: TestClient) -> None:
    content = browser.get("/data/table.json?name=streaming_events").json()
    columns = {each["name"]: each for each in content["columns"]}
    assert columns["raw_json"]["meaning"] == "the record, byte for byte"
    assert columns["event_date"]["is_sorted_by"]
    found = page(browser.get("/data/table?name=streaming_events"))
    assert "the record, byte for byte" in found.text
    assert any(each.startswith("/query?sql=SELECT") for each in found.links)


def test_a_table_that_is_not_there_leads_to_the_list(browser: TestClient) -> None:
    assert "there is no table or view" in page(browser.get("/data/table?name=' OR 1"), 404).text
    assert browser.get("/data/table.json").status_code == 404


@pytest.mark.slow
def test_a_user_who_may_not_read_sizes_sees_the_tables(
    opened: Callable[..., TestClient], sources: ConsoleSources
) -> None:
    known = sources.database

    class Refused:
        name, rows_of_each = known.name, staticmethod(known.rows_of_each)

        def rows(self, file: str, *arguments: Any, **bound: object) -> object:
            if file == "table_sizes.sql":
                raise SinkMisconfigured("day: Not enough privileges: grant `SELECT ON system.parts`")
            return known.rows(file, *arguments, **bound)

    browser = opened(attrs.evolve(sources, database=Refused()))
    content = browser.get("/data.json").json()
    tables = {each["name"]: each for each in content["tables"]}
    assert (content["rows"], tables["streaming_events"]["rows"]) == (None, None)
    assert tables["streaming_events"]["latest_at"], "ages come from the table itself"
    found = page(browser.get("/data"))
    assert "Rows and sizes are not known: day: Not enough privileges: grant SELECT ON system.parts" in found.text
    assert "/data/table?name=streaming_events" in found.links
