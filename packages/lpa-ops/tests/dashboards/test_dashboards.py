"""Queries give rows on a generated day and exact values on rows made by hand; PromQL, files and layout are right."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, final

import attrs
import pytest
from clickhouse_connect.driver.client import Client
from ruamel.yaml import YAML

from lpa_core.metrics import described
from lpa_ops.dashboards.dashboard import CLICKHOUSE, PROMETHEUS, Dashboard, Panel, PanelKind, Variable
from lpa_ops.dashboards.files import DASHBOARDS, text
from lpa_ops.testing.checked_database import CheckedDatabase
from lpa_sinks.schema import apply
from lpa_sinks.testing.hand_made_rows import DAY, HandMade, time

ROOT = Path(__file__).parents[4]
GRAFANA = ROOT / "configs" / "grafana"
PANELS = [(dashboard, panel) for dashboard in DASHBOARDS for row in dashboard.rows for panel in row.panels]
QUERIES = [(dashboard, panel) for dashboard, panel in PANELS if panel.sql is not None]
EXPRESSIONS = [panel.ask for _, panel in PANELS if panel.sql is None]
REJECTS = re.compile(r"\bstreaming_events(_dlq|_quarantine)?\b")
SERVING = re.compile(r"(?:v_api_|v_health_|fact_|agg_|dim_)\w+")
TEN = datetime.fromisoformat(f"{DAY}T10:00:00")
UNEXCUSED: dict[str, Any] = {"startup_success": 0, "startup_unexcused": 1}


def expanded(sql: str, begin: datetime, end: datetime, chosen: dict[str, list[str]] | None) -> str:
    """The query as Grafana sends it: for the time range, and for all values or those that are chosen."""

    def literal(moment: datetime) -> str:
        return f"toDateTime({int(moment.timestamp())})"

    sql = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= {literal(begin)} AND \1 <= {literal(end)}", sql)
    sql = sql.replace("$__fromTime", literal(begin)).replace("$__toTime", literal(end))

    def conditional(found: re.Match[str]) -> str:
        condition, name = found.groups()
        if chosen is None:
            return "1=1"
        values = ", ".join(f"'{value}'" for value in chosen[name])
        return condition.replace(f"${{{name}:singlequote}}", values)

    sql = re.sub(r"\$__conditionalAll\((.*), \$(\w+)\)", conditional, sql)
    assert "$" not in sql, "a macro that the test does not know"
    return sql


def answer(engine: Client, database: str, query: str) -> list[tuple[Any, ...]]:
    engine.command(f"USE {database}")
    try:
        return [tuple(row) for row in engine.query(query).result_rows]
    finally:
        engine.command("USE default")


@final
@attrs.frozen
class Asker:
    """Asks for two days that end with the last event, or for the quality gate with the last arrival."""

    day: CheckedDatabase
    ends: dict[str, int]

    def __call__(
        self, dashboard: Dashboard, sql: str, chosen: dict[str, list[str]] | None = None
    ) -> list[tuple[Any, ...]]:
        by_arrival = dashboard.uid in ("lpa-quality-gate", "lpa-delivery")
        end = datetime.fromtimestamp(self.ends["arrival" if by_arrival else "event"], UTC)
        query = expanded(sql, end - timedelta(days=2), end, chosen)
        return answer(self.day.engine, self.day.settings.clickhouse.database, query)


@pytest.fixture(scope="session")
def ask(day: CheckedDatabase) -> Asker:
    (event,) = day.query("SELECT toUnixTimestamp(max(sample_ts)) + 1 FROM day.fact_stream_status_samples")[0]
    (arrival,) = day.query("SELECT toUnixTimestamp(max(ingestion_timestamp)) + 1 FROM day.streaming_events")[0]
    return Asker(day, {"event": event, "arrival": arrival})


@pytest.mark.parametrize(("dashboard", "panel"), QUERIES, ids=[f"{d.uid} {p.title}" for d, p in QUERIES])
def test_a_query_gives_rows_of_everything_and_of_what_is_chosen(dashboard: Dashboard, panel: Panel, ask: Asker) -> None:
    sql = panel.sql or ""
    found = ask(dashboard, sql)
    assert found, "nothing to draw"
    assert any(value not in (None, "") and value == value for row in found for value in row), "nothing but empty values"
    if panel.kind is PanelKind.SERIES:
        assert isinstance(found[0][0], datetime), "the time comes first"
    if "$__conditionalAll" in sql:
        values = {v.name: [str(value) for (value,) in ask(dashboard, v.sql)] for v in dashboard.variables}
        assert ask(dashboard, sql, values) == found, "all, one by one"
        assert ask(dashboard, sql, {name: ["no such"] for name in values}) != found


@pytest.fixture(scope="module")
def noon(engine: Client) -> Iterator[HandMade]:
    """What panels show at noon: rejects and samples of the morning, five sessions, two quotes of one price."""
    hand = HandMade(engine, "noon")
    apply(engine, hand.database, [])
    for arrival in ("2090-01-07 11:30:00", "2090-01-07 12:30:00", "10:30:00", "11:05:00", "11:55:00", "12:30:00"):
        hand.insert("streaming_events_dlq", ingestion_timestamp=time(arrival))
    for arrival in ("2090-01-07 11:30:00", "10:30:00", "11:05:00"):
        hand.insert("streaming_events_quarantine", ingestion_timestamp=time(arrival))
    for session, gpu, values in (
        ("a|1", "GPU-1", {}),
        ("b|1", "GPU-2", UNEXCUSED),
        ("b|2", "GPU-1", {}),
        ("b|3", "GPU-1", {}),
        ("b|4", "GPU-1", {}),
    ):
        served = {"orchestrator_address": f"0x{session[0]}", "gpu_id": gpu}
        hand.session(session, **served, **values)
        hand.sample("10:05:00", session, **served)
    hand.roll_up(10)
    for at, fps in (("11:40:00", 200), ("11:50:00", 20), ("11:55:00", 30), ("12:05:00", 200)):
        hand.sample(at, "a|1", orchestrator_address="0xa", output_fps=fps)
    hand.sample("11:50:00", "c|1", output_fps=200, is_attributed=0)
    for at, wei, pixels in (("10:10:00", 1200, 1), ("10:20:00", 4800, 2)):
        hand.insert(
            "dim_orchestrator_capability_prices_versions",
            snapshot_ts=time(at),
            orchestrator_address="0xa",
            capability_name="live",
            price_per_unit=wei,
            pixels_per_unit=pixels,
        )
    yield hand
    engine.command(f"DROP DATABASE {hand.database} SYNC")


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        ("dlq_last_hour.sql", [(2,)]),
        ("dlq_last_day.sql", [(4,)]),
        ("quarantine_last_hour.sql", [(1,)]),
        ("quarantine_last_day.sql", [(2,)]),
        ("sla_score.sql", [(92,)]),
        ("sla_by_orchestrator.sql", [("0xb", 90, 78, 4, 1, 0, 0), ("0xa", 100, 85, 1, 0, 0, 0)]),
        ("demand_and_sla.sql", [(TEN, 0, 0.92, 1)]),
        ("prices.sql", [(TEN, "live", 1.8)]),
        ("latest_prices.sql", [("0xa", "live", None, 2.4, TEN.replace(minute=20))]),
        ("fps_now.sql", [(25,)]),
        ("active_streams.sql", [(1,)]),
        ("streams_by_orchestrator.sql", [("0xa", 1)]),
        ("paths.sql", [("gateway", "0xa", "live", "model", 1, 25)]),
    ],
)
def test_a_query_gives_exactly_what_its_panel_says(ask: str, expected: list[tuple[Any, ...]], noon: HandMade) -> None:
    (sql,) = {panel.sql or "" for _, panel in QUERIES if panel.ask == ask}
    end = datetime.fromisoformat(f"{DAY}T12:00:00Z")
    found = answer(noon.client, noon.database, expanded(sql, end - timedelta(days=2), end, None))
    rounded = [tuple(round(value, 6) if isinstance(value, float) else value for value in row) for row in found]
    assert rounded == expected


@pytest.mark.parametrize(("dashboard", "variable"), [(d, variable) for d in DASHBOARDS for variable in d.variables])
def test_a_variable_has_values_and_is_used(dashboard: Dashboard, variable: Variable, ask: Asker) -> None:
    found = ask(dashboard, variable.sql)
    assert {len(row) for row in found} == {1}
    used = "".join(panel.sql or "" for _, panel in QUERIES if any(panel in row.panels for row in dashboard.rows))
    assert f"${variable.name})" in used


def test_serving_panels_read_views_dimensions_and_facts_only() -> None:
    for dashboard, panel in QUERIES:
        names = re.findall(r"\b(?:FROM|JOIN) (\w+)", panel.sql or "")
        for name in names:
            if not SERVING.fullmatch(name):
                assert REJECTS.fullmatch(name), f"{dashboard.title}: {panel.title} reads {name}"
                assert dashboard.uid in ("lpa-quality-gate", "lpa-delivery"), f"{panel.title} reads {name}"


@pytest.mark.parametrize("expression", sorted(set(EXPRESSIONS)))
def test_promql_names_metrics_and_labels_that_exist(expression: str) -> None:
    labels = {metric.name: set(metric.labels) for metric in described()}
    histograms = {metric.name for metric in described() if metric.type == "histogram"}
    found = re.findall(r"\b(lpa_\w+)(?:\{(.*?)\})?", expression)
    assert found or "up{" in expression
    for name, selector in found:
        base = next((h for h in histograms if re.fullmatch(rf"{h}_(bucket|sum|count)", name)), name)
        assert base in labels, name
        assert set(re.findall(r"(\w+)=", selector)) <= labels[base]
        grouped = {label for group in re.findall(r"by \((.*?)\)", expression) for label in group.split(", ")}
        assert grouped <= labels[base] | {"le"}


def test_the_files_are_as_the_builder_writes_them() -> None:
    there = {file.name: file.read_text() for file in (GRAFANA / "dashboards").iterdir()}
    written = {f"{dashboard.uid}.json": text(dashboard) for dashboard in DASHBOARDS}
    assert there == written, "./dev pages writes them"


def test_the_dashboards_are_those_of_the_specification() -> None:
    assert [dashboard.title for dashboard in DASHBOARDS] == [
        "Overview",
        "Quality gate: DLQ and quarantine",
        "Delivery and lag",
        "Sessions and SLA",
        "Jobs and cost",
    ]
    gate = next(dashboard for dashboard in DASHBOARDS if dashboard.uid == "lpa-quality-gate")
    assert (gate.refresh, gate.begin, gate.as_json()["timezone"]) == ("30s", "now-24h", "utc")


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_panels_have_ids_of_their_own_and_lie_beside_each_other(dashboard: Dashboard) -> None:
    panels = dashboard.as_json()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for place in (panel["gridPos"] for panel in panels):
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_panels_ask_data_sources_that_are_provisioned() -> None:
    yaml = YAML(typ="safe", pure=True)
    sources = yaml.load((GRAFANA / "provisioning" / "datasources" / "lpa.yml").read_text())["datasources"]
    assert [{"type": source["type"], "uid": source["uid"]} for source in sources] == [CLICKHOUSE, PROMETHEUS]
    (provider,) = yaml.load((GRAFANA / "provisioning" / "dashboards" / "lpa.yml").read_text())["providers"]
    compose = yaml.load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]
    mounted = dict(mount.split(":")[:2][::-1] for mount in compose["volumes"])
    assert mounted[provider["options"]["path"]] == "./configs/grafana/dashboards"
    assert f"{CLICKHOUSE['type']}@" in compose["environment"]["GF_PLUGINS_PREINSTALL_SYNC"]
    home = compose["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert json.loads((GRAFANA / "dashboards" / Path(home).name).read_text())["title"] == "Overview"
    used = set(re.findall(r"\$(\w+)", (GRAFANA / "provisioning" / "datasources" / "lpa.yml").read_text()))
    assert used <= set(compose["environment"]), "what the provisioning files name is set for the container"
