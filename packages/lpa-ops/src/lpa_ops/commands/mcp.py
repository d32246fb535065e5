"""``lpa mcp``: tools for an agent."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Annotated

import cyclopts
from cyclopts import Parameter

from lpa_core.commands.options import SinkUri, Switch
from lpa_core.errors import ConfigurationError
from lpa_core.jobs.process import stopped_by_signals
from lpa_core.plugins.context import AppContext

_Allow = Annotated[tuple[str, ...], Parameter(negative="")]


def mcp_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="mcp")

    @app.default
    def mcp(*, sink: SinkUri = None, http: Switch = False, allow: _Allow = ()) -> None:
        """Let an agent ask what other commands show, over MCP (Model Context Protocol). It only reads by default.

        An agent starts it, and speaks over standard input and output. It reads the embedded database also while
        `lpa ingest` writes into it. Each call is a line in the audit log: LPA_MCP_AUDIT.

        Parameters
        ----------
        http
            Listen on LPA_MCP_ADDRESS, an address of this machine; agents send LPA_MCP_TOKEN. Run until stopped.
        allow
            What the agent may change: replay, recover, or both with a comma between. It needs LPA_MCP_TOKEN.
        """
        try:
            from lpa_ops.console.monitor import asked_now, shared_checks
            from lpa_ops.console.partitions import partition_watch
            from lpa_ops.console.sources import STATEMENT_SECONDS, opened_sources
            from lpa_ops.mcp.audit import AuditLog
            from lpa_ops.mcp.http import http_app, require_private
            from lpa_ops.mcp.server import agent_server
            from lpa_ops.mcp.stdio import serve_stdio
            from lpa_ops.mcp.tool import ToolSources, permissions
            from lpa_ops.mcp.tools import TOOLS
            from lpa_ops.web.server import WebServer
        except ModuleNotFoundError as error:
            if error.name not in ("jinja2", "markupsafe", "mcp", "mcp_types", "starlette", "uvicorn"):
                raise
            raise ConfigurationError("tools for agents are not installed: pip install 'lpa-ops[mcp]'") from None

        address, token = settings.lpa.mcp_address, settings.lpa.mcp_token
        if http:
            require_private(address, token)
        allowed = permissions(allow, token)
        audit = AuditLog(settings.lpa.mcp_audit or settings.lpa.data.mcp_audit)
        partitions = partition_watch(settings, sink)
        health = asked_now(*shared_checks(context, sink))
        with (
            closing(partitions),
            opened_sources(context, sink, health=health, trends=dict, partitions=partitions.look) as sources,
        ):
            tools = ToolSources(sources, context, sink, lambda: time.time_ns() // 1_000_000)
            server = agent_server(TOOLS, allowed, tools, audit, "http" if http else "stdio")
            if not http:
                serve_stdio(server)
                return
            web = WebServer(http_app(server, token), address, name="mcp", setting="LPA_MCP_ADDRESS", lifespan=True)
            with stopped_by_signals(web, STATEMENT_SECONDS + 10):
                web.run()

    return app
