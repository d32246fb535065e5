"""Hours and labels of GPUs are read apart, and answered as the view has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lpa_ops.read_api.fields import as_objects
from lpa_sinks.testing.hand_made_rows import DAY, DAY_BEFORE, HandMade

IN_ORDER = (
    "ORDER BY window_start DESC, org, orchestrator_address, pipeline, ifNull(model_id, ''), gpu_id, ifNull(region, '')"
)


def test_rows_are_those_of_the_view(made: HandMade, ask: Callable[[str], Any]) -> None:
    """GPUs with a label and without one, of a model and of none, of two orgs that say different things of one GPU."""
    for org in ("a", "b"):
        label(made, org, model_id="model", gpu_name=f"of {org}", runner_version="1.2", gpu_major=8, gpu_minor=9)
        made.session("s|r", org=org)
    label(made, "a", model_id="", gpu_id="GPU-2", gpu_name="of no model", gpu_memory_total=1 << 35)
    made.session("s|none", start="11:00:00", org="a", model_id=None, gpu_id="GPU-2", region="eu")
    made.session("s|unknown", org="a", gpu_id="GPU-3")
    made.session("s|elsewhere", org="a", orchestrator_address="0xother")
    made.session("s|before", start=f"{DAY_BEFORE} 13:00:00", end=f"{DAY_BEFORE} 13:30:00", org="b")
    names = {row["gpu_name"] for row in shown(made, "")}
    assert names == {"of a", "of b", "of no model", None}, "the view tells them apart"
    assert as_text(ask("streaming/gpu-metrics")["data"]) == as_text(shown(made, ""))
    assert as_text(ask("streaming/gpu-metrics?org=b")["data"]) == as_text(shown(made, "WHERE org = 'b'"))
    pages, url = list[Any](), "streaming/gpu-metrics?limit=4"
    while url:
        page = ask(url)
        pages += page["data"]
        cursor = page["pagination"]["next_cursor"]
        url = f"streaming/gpu-metrics?limit=4&cursor={cursor}" if cursor else ""
    assert as_text(pages) == as_text(shown(made, ""))


def test_without_hours_there_are_no_rows(made: HandMade, ask: Callable[[str], Any]) -> None:
    label(made, "a", model_id="model", gpu_name="RTX")
    assert ask("streaming/gpu-metrics")["data"] == []


def label(made: HandMade, org: str, **said: Any) -> None:
    row = {"orchestrator_address": "0xcan", "pipeline": "live", "gpu_id": "GPU-1", "snapshot_ts": f"{DAY} 09:00:00"}
    made.insert("dim_orchestrator_capability_snapshots_versions", **{**row, "org": org, "org_key": org, **said})


def shown(made: HandMade, where: str) -> list[dict[str, Any]]:
    """Rows of the view as JSON has them."""
    found = made.client.query(f"SELECT * FROM {made.database}.v_api_gpu_metrics {where} {IN_ORDER}")
    return as_objects(found.column_names, found.result_rows)


def as_text(rows: list[dict[str, Any]]) -> list[list[tuple[str, Any]]]:
    """Rows whose fields are compared in their order too."""
    return [list(row.items()) for row in rows]
