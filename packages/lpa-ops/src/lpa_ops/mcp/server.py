"""The server: tools over MCP, each call within its permission, and written down."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from importlib.metadata import version
from typing import Any, Final, final

import anyio.to_thread
import mcp_types
import msgspec
import structlog
from mcp.server import Server, ServerRequestContext

from lpa_core.errors import LpaError, UsageError
from lpa_ops.mcp.audit import AuditLog
from lpa_ops.mcp.envelope import NOTICE, SCHEMA, enveloped
from lpa_ops.mcp.tool import Tool, ToolSources

_AT_ONCE: Final = 2
"""As many statements as the holder of an embedded database runs at a time."""
_INSTRUCTIONS: Final = (
    "lpa ingests telemetry from Kafka into ClickHouse. Begin with `health`: for each check it says what to do, and "
    f"names the section of the documentation, which `page` reads. {NOTICE}"
)

_log = structlog.get_logger("lpa.mcp")


def agent_server(
    tools: Sequence[Tool[Any]], allowed: Collection[str], sources: ToolSources, audit: AuditLog, transport: str
) -> Server[Any]:
    """A server of the tools that read, and of those whose permission is among ``allowed``.

    ``transport``, such as ``stdio``, is for the audit log.
    """
    calls = _Calls(tools, allowed, sources, audit, transport)
    return Server(
        "lpa",
        version=version("lpa-ops"),
        instructions=_INSTRUCTIONS,
        on_list_tools=calls.listed,
        on_call_tool=calls.answered,
    )


@final
class _Calls:
    def __init__(
        self,
        tools: Sequence[Tool[Any]],
        allowed: Collection[str],
        sources: ToolSources,
        audit: AuditLog,
        transport: str,
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._allowed = {"", *allowed}
        self._sources, self._audit, self._transport = sources, audit, transport
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def listed(
        self, context: ServerRequestContext[Any], request: mcp_types.PaginatedRequestParams | None
    ) -> mcp_types.ListToolsResult:
        return mcp_types.ListToolsResult(
            tools=[_described(tool) for tool in self._tools.values() if tool.permission in self._allowed]
        )

    async def answered(
        self, context: ServerRequestContext[Any], request: mcp_types.CallToolRequestParams
    ) -> mcp_types.CallToolResult:
        client = context.session.client_params
        said = f"{client.client_info.name} {client.client_info.version}" if client else ""
        return await anyio.to_thread.run_sync(
            self._answer, said, request.name, request.arguments or {}, limiter=self._limiter
        )

    def _answer(self, client: str, name: str, arguments: dict[str, Any]) -> mcp_types.CallToolResult:
        began = time.monotonic()
        line = {"transport": self._transport, "client": client, "tool": name, "arguments": arguments}
        try:
            tool = self._permitted(name)
            if tool.permission:
                # What changes data is written down before it begins: it may never end.
                self._audit.write(**line, outcome="begun")
            answer = tool.answer(self._sources, arguments)
            content, outcome, why = answer if tool.trusted else enveloped(answer), "answered", ""
        except LpaError as error:
            content, outcome, why = enveloped({"error": str(error)}), "refused", str(error)
        except Exception as error:
            _log.error("a tool failed", tool=name, exc_info=error)
            why = "this is a fault in lpa: the log of `lpa mcp` says which"
            content, outcome = enveloped({"error": why}), "failed"
        text = msgspec.json.encode(content).decode()
        seconds = round(time.monotonic() - began, 3)
        try:
            self._audit.write(**line, outcome=outcome, why=why, bytes=len(text), seconds=seconds)
        except LpaError as error:
            # Nothing is answered that is not written down.
            _log.error("a call was not written down", tool=name, reason=str(error))
            content, outcome = enveloped({"error": str(error)}), "refused"
            text = msgspec.json.encode(content).decode()
        return mcp_types.CallToolResult(
            content=[mcp_types.TextContent(text=text)], structured_content=content, is_error=outcome != "answered"
        )

    def _permitted(self, name: str) -> Tool[Any]:
        tool = self._tools.get(name)
        if tool is None:
            raise UsageError(f"there is no tool {name[:100]!r}: ask for the list of tools")
        if tool.permission not in self._allowed:
            raise UsageError(
                f"{name} changes data, and this server may not: a person starts it with LPA_MCP_TOKEN and "
                f"`lpa mcp --allow {tool.permission}`"
            )
        return tool


def _described(tool: Tool[Any]) -> mcp_types.Tool:
    reads = not tool.permission
    return mcp_types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.schema,
        output_schema=None if tool.trusted else dict(SCHEMA),
        annotations=mcp_types.ToolAnnotations(
            read_only_hint=reads, destructive_hint=not reads, idempotent_hint=True, open_world_hint=False
        ),
    )
