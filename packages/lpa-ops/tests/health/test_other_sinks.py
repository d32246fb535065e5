"""``lpa health`` for a sink that is not a ClickHouse."""

from __future__ import annotations

import json
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from lpa_core.plugins.manager import PluginManager
from lpa_core.plugins.plugin import PluginError
from lpa_core.settings.settings import ProcessSettings, Settings
from lpa_ops.commands.health import health_app

PLUGIN = """
from lpa_core.plugin import doubles, hookimpl

@hookimpl
def lpa_sinks():
    return {"parquet": lambda uri, settings: doubles.MemorySink()}
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PluginManager:
    (tmp_path / "parquet_plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "parquet_plugin", raising=False)
    found = [*entry_points(group="lpa"), EntryPoint("parquet", "parquet_plugin", "lpa")]
    return PluginManager(Settings(lpa=ProcessSettings(data_dir=tmp_path / "data")), found)


def test_failure_30_checks_that_need_sql_are_not_applicable_to_another_sink(
    plugins: PluginManager, capsys: pytest.CaptureFixture[str]
) -> None:
    app = health_app(plugins.context)
    status = app(["--sink", "parquet://rows", "--json"], result_action="return_value", exit_on_error=False)
    checks = {each["name"]: each for each in json.loads(capsys.readouterr().out)["checks"]}
    assert status == 0
    states = {name: each["state"] for name, each in checks.items()}
    assert set(states.values()) <= {"ok", "warning", "not applicable"}, states
    asked = ("schema_drift", "conservation", "backup_age", "rollup_lag", "damaged_parts")
    assert {name: states[name] for name in asked} == dict.fromkeys(asked, "not applicable")
    assert checks["schema_drift"]["detail"] == "parquet:// is not a ClickHouse"


def test_failure_30_a_sink_that_nobody_has_is_refused(plugins: PluginManager) -> None:
    with pytest.raises(PluginError, match=r"no sink for parqet:// is installed"):
        health_app(plugins.context)(["--sink", "parqet://rows"], result_action="return_value", exit_on_error=False)
