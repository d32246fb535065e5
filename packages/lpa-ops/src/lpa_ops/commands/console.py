"""``lpa console``: pages for people."""

from __future__ import annotations

import secrets
from contextlib import closing

import cyclopts

from lpa_core.commands.options import SinkUri
from lpa_core.errors import ConfigurationError
from lpa_core.jobs.process import stopped_by_signals
from lpa_core.plugins.context import AppContext
from lpa_core.uris import host_and_port


def console_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="console")

    @app.default
    def console(*, sink: SinkUri = None) -> None:
        """Show in a browser how the flow is, what failed, and what is stored. With a token, replay dead letters.

        It runs until it is stopped. Open the address that it prints: LPA_CONSOLE_ADDRESS. It reads the embedded
        database also while `lpa ingest` writes into it.
        """
        try:
            from lpa_ops.console.access import Access, require_token
            from lpa_ops.console.app import console_app
            from lpa_ops.console.monitor import health_watch
            from lpa_ops.console.partitions import partition_watch
            from lpa_ops.console.sources import STATEMENT_SECONDS, opened_sources
            from lpa_ops.web.server import WebServer
        except ModuleNotFoundError as error:
            if error.name not in ("jinja2", "markupsafe", "starlette", "uvicorn"):
                raise
            raise ConfigurationError("the console is not installed: pip install 'lpa-ops[console]'") from None

        address, token = settings.lpa.console_address, settings.lpa.console_token
        require_token(address, token)
        health, partitions = health_watch(context, sink), partition_watch(settings, sink)
        with (
            closing(health),
            closing(partitions),
            opened_sources(
                context, sink, health=health.latest, trends=health.trends, partitions=partitions.latest
            ) as sources,
        ):
            sources.database.run(lambda client: client.command("SELECT 1"))
            hosts = {host_and_port(address).host.lower(), *(name.lower() for name in settings.lpa.console_hosts)}
            access = Access(token, hosts, secrets.token_bytes(32))
            pages = console_app(sources, access)
            server = WebServer(pages, address, name="console", setting="LPA_CONSOLE_ADDRESS")
            health.latest()  # who starts the console is about to look
            with stopped_by_signals(server, STATEMENT_SECONDS + 10):
                server.run()

    return app
