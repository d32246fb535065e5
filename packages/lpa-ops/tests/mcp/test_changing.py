"""What changes data: planned by anybody, carried out only if a person allowed it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import attrs
import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.errors import ConfigurationError, UsageError
from lpa_core.generate.generator import generate
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.ingest import ingest
from lpa_core.plugins.context import AppContext
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_ops.console.database import ConsoleDatabase
from lpa_ops.mcp.tool import permissions
from lpa_ops.recover.scenarios import FROM_BACKUPS, FROM_TABLES
from lpa_sinks.clickhouse.database import endpoint_of
from lpa_sinks.clickhouse.readers import Readers

FIX = '[[fix]]\nsteps = [{ rename = "was", to = "timestamp" }]\n'


@pytest.fixture
def changeable(agent: Any, engine: Client, engine_path: Path, tmp_path: Path) -> Iterator[Any]:
    """An agent at a database of its own with one dead letter."""
    settings = Settings(
        clickhouse=ClickHouseSettings(database=f"agent_{uuid4().hex[:8]}"),
        lpa=ProcessSettings(data_dir=tmp_path / "data", plugins_required=("core", "sinks")),
    )
    plugins, sink = PluginManager(settings), f"chdb://{engine_path}"
    (event,) = generate(1, duplicates=0, bad=0, sessions=1, seed=3)
    (tmp_path / "bad.ndjson").write_bytes(event.replace(b'"timestamp":', b'"was":', 1) + b"\n")
    ingest(Job(str(tmp_path / "bad.ndjson"), [sink], "memory://"), settings, plugins)
    readers = Readers(endpoint_of(sink, settings), "", 30)
    console = attrs.evolve(agent.sources.console, database=ConsoleDatabase(readers, settings.clickhouse.database, 30))
    sources = attrs.evolve(agent.sources, console=console, context=AppContext(settings, plugins), sink=sink)
    yield attrs.evolve(agent, sources=sources)
    readers.close()
    engine.command(f"DROP DATABASE {settings.clickhouse.database} SYNC")


def test_a_plan_is_written_for_a_person_and_changes_nothing(agent: Any) -> None:
    before = agent("failures", since="24h")
    found = agent("replay_plan", since="24h", max_records=2)
    assert found["command"] == f"lpa replay run --plan {found['plan']}"
    assert Path(found["plan"]).is_file()
    assert found["selected"] == 2
    assert agent("failures", since="24h") == before
    assert agent.refused("replay_plan") == (
        "there is no window: give `since`, such as 2h, or `start` and `end`, or `all`: true"
    )
    assert agent.refused("replay_plan", since="yesterday").startswith("`since`=yesterday: this is not a time")
    assert agent.refused("replay_plan", all=True, fix="[[fix]]\nfoo = 1") == (
        "`fix`: fix 1: foo is unknown: a fix takes class, reason, stage, steps, type, where"
    )


def test_failure_35_what_changes_data_is_refused_unless_a_person_allowed_it(agent: Any) -> None:
    for allowed, other in {"recover": "replay", "": "recover"}.items():
        limited = attrs.evolve(agent, allowed=[allowed] if allowed else [])
        tool = f"{other}_run"
        assert tool not in limited.tools()
        arguments = {"id": "20260108T120000-abcdef"} if other == "replay" else {"scenario": "doubled-rows"}
        assert f"lpa mcp --allow {other}" in limited.refused(tool, **arguments)
    assert [line["outcome"] for line in agent.log()] == ["refused", "refused"]


@pytest.mark.slow
def test_a_plan_is_carried_out_once_if_a_person_allowed_it(changeable: Any) -> None:
    agent = attrs.evolve(changeable, allowed=["replay"])
    hint = agent.tools()["replay_run"].annotations
    assert (hint.read_only_hint, hint.destructive_hint) == (False, True)
    planned = agent("replay_plan", all=True, fix=FIX)
    done = agent("replay_run", id=planned["id"])
    assert done["already_delivered"] is False
    assert agent("replay_run", id=planned["id"])["already_delivered"] is True
    assert agent("failures", since="1d")["recovered"] == 1
    verified = agent("replay_verify", id=planned["id"])
    assert (verified["passed"], verified["checks"][0]["figures"]["recovered"]) == (True, 1)
    assert "there is no replay" in agent.refused("replay_verify", id="20260108T120000-abcdef")
    assert [(line["tool"], line["outcome"]) for line in agent.log()][:3] == [
        ("replay_plan", "answered"),
        ("replay_run", "begun"),
        ("replay_run", "answered"),
    ]
    for wrong in ("../../bad", "20260108T120000-abcdef"):
        assert "`replay_plan`" in agent.refused("replay_run", id=wrong)


@pytest.mark.slow
def test_a_recovery_is_planned_and_validated(changeable: Any, engine: Client) -> None:
    agent = attrs.evolve(changeable, allowed=["recover"])
    names = {new().name for new in (*FROM_BACKUPS, *FROM_TABLES)}
    assert set(agent.tools()["recover_run"].input_schema["properties"]["scenario"]["enum"]) == names
    assert agent("recover_plan", scenario="doubled-rows")["damage"] == []
    assert agent("recover_run", scenario="doubled-rows")["damage"] == []
    database = agent.sources.context.settings.clickhouse.database
    table = f"`{database}`.streaming_events_dlq"
    engine.command(f"INSERT INTO {table} SELECT * FROM {table}", settings={"insert_deduplicate": 0})
    assert agent("recover_plan", scenario="doubled-rows")["damage"]
    done = agent("recover_run", scenario="doubled-rows")
    assert done["damage"]
    assert all(step["done"] for step in done["steps"])
    assert done["validation"]
    assert agent("recover_plan", scenario="doubled-rows")["damage"] == []


def test_failure_35_permissions_need_a_token() -> None:
    token = "of-this-test-0123456789"
    assert permissions(("replay,recover",), token) == permissions(("replay", "recover"), token) == {"replay", "recover"}
    assert permissions((), "") == frozenset()
    with pytest.raises(ConfigurationError, match="set LPA_MCP_TOKEN"):
        permissions(("replay",), "")
    with pytest.raises(UsageError, match="there are replay and recover"):
        permissions(("replay,delete",), token)
