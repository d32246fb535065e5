"""An agent at a server over a day of events, by the client of the SDK."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, final

import anyio
import attrs
import mcp_types
import msgspec
import pytest
from mcp import Client

from lpa_core.health.check import Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.health.report import HealthReport
from lpa_core.plugins.context import AppContext
from lpa_core.plugins.manager import PluginManager
from lpa_ops.console.backups import KnownBackups
from lpa_ops.console.database import ConsoleDatabase
from lpa_ops.console.page import ConsoleSources
from lpa_ops.console.partitions import PartitionReport
from lpa_ops.console.query import QueryBox
from lpa_ops.console.replay_jobs import ReplayJobs
from lpa_ops.health.checks import attribution_coverage, dlq_rate
from lpa_ops.mcp.audit import AuditLog
from lpa_ops.mcp.server import agent_server
from lpa_ops.mcp.tool import ToolSources
from lpa_ops.mcp.tools import TOOLS
from lpa_ops.testing.checked_database import HOUR_MS, CheckedDatabase
from lpa_ops.trace.gather import Surroundings
from lpa_replay.staging.trial import RepairTrial
from lpa_sinks.clickhouse.database import endpoint_of
from lpa_sinks.clickhouse.readers import Readers


@final
@attrs.frozen
class Agent:
    """Calls tools of a server that is in this process."""

    sources: ToolSources
    audit: AuditLog
    allowed: Collection[str] = ()

    def ask(self, action: Callable[[Client], Any]) -> Any:
        async def asked() -> Any:
            async with Client(agent_server(TOOLS, self.allowed, self.sources, self.audit, "test")) as client:
                return await action(client)

        return anyio.run(asked)

    def tools(self) -> dict[str, mcp_types.Tool]:
        return {tool.name: tool for tool in self.ask(lambda client: client.list_tools()).tools}

    def result(self, tool: str, **arguments: Any) -> mcp_types.CallToolResult:
        found: mcp_types.CallToolResult = self.ask(lambda client: client.call_tool(tool, arguments))
        (text,) = found.content
        assert isinstance(text, mcp_types.TextContent)
        assert msgspec.json.decode(text.text) == found.structured_content, "the same for clients that read text only"
        return found

    def __call__(self, tool: str, **arguments: Any) -> Any:
        """What the tool answers, out of its envelope."""
        found = self.result(tool, **arguments)
        assert not found.is_error, found.structured_content
        return found.structured_content["untrusted"]

    def refused(self, tool: str, **arguments: Any) -> str:
        """Why it does not answer."""
        found = self.result(tool, **arguments)
        assert found.is_error, found.structured_content
        error: str = found.structured_content["untrusted"]["error"]
        return error

    def log(self) -> list[dict[str, Any]]:
        """Lines of the audit log."""
        return [msgspec.json.decode(line) for line in self.audit.path.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def tool_sources(day: CheckedDatabase) -> Iterator[ToolSources]:
    endpoint = endpoint_of(day.sink, day.settings)
    readers = Readers(endpoint, "", 30)
    checks = CheckRunner((attribution_coverage.CHECK, dlq_rate.CHECK), day.settings, 600)
    scope = Scope(day.settings, day.now_ms, day.now_ms - 24 * HOUR_MS, day.sink, shared=True)
    plugins = PluginManager(day.settings)
    console = ConsoleSources(
        database=ConsoleDatabase(readers, day.settings.clickhouse.database, 30),
        health=lambda: HealthReport(checks.run(scope)),
        trends=dict,
        partitions=PartitionReport,
        backups=KnownBackups,
        surroundings=Surroundings(day.settings, day.sink),
        query=QueryBox(endpoint, "", 2).ask,
        repairs=RepairTrial(day.settings, plugins),
        replays=ReplayJobs(day.settings.lpa.data.console_replays, day.settings.lpa.data.replays, day.sink),
    )
    yield ToolSources(console, AppContext(day.settings, plugins), day.sink, lambda: day.now_ms)
    readers.close()


@pytest.fixture
def agent(tool_sources: ToolSources, tmp_path: Path) -> Agent:
    return Agent(tool_sources, AuditLog(tmp_path / "audit" / "calls.jsonl"))
