"""Pages of what is stored."""

from __future__ import annotations

from datetime import datetime

from starlette.testclient import TestClient

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
