"""``lpa console``: pages for people."""

from __future__ import annotations

import secrets
from contextlib import closing
from typing import Final

import cyclopts

from lpa_core.commands.options import SinkUri
from lpa_core.errors import ConfigurationError
from lpa_core.jobs.process import stopped_by_signals
from lpa_core.plugins.context import AppContext
from lpa_core.uris import host_and_port
from lpa_sinks.clickhouse.database import endpoint_of
from lpa_sinks.clickhouse.readers import Readers
from lpa_sinks.clickhouse.retries import AT_ONCE

_SECONDS: Final = 10
"""For a statement of a page."""


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
            from lpa_ops.console.backups import known_backups
            from lpa_ops.console.database import ConsoleDatabase
            from lpa_ops.console.monitor import health_watch
            from lpa_ops.console.page import ConsoleSources
            from lpa_ops.console.partitions import partition_watch
            from lpa_ops.console.query import QueryBox
            from lpa_ops.console.replay_jobs import ReplayJobs
            from lpa_ops.trace.gather import Surroundings
            from lpa_ops.web.server import WebServer
            from lpa_replay.staging.trial import RepairTrial
        except ModuleNotFoundError as error:
            if error.name not in ("jinja2", "markupsafe", "starlette", "uvicorn"):
                raise
            raise ConfigurationError("the console is not installed: pip install 'lpa-ops[console]'") from None

        address, token = settings.lpa.console_address, settings.lpa.console_token
        require_token(address, token)
        found = endpoint_of(sink, settings)
        health, partitions = health_watch(context, sink), partition_watch(settings, sink)
        with (
            closing(Readers(found, settings.clickhouse.password, _SECONDS + 5)) as readers,
            closing(health),
            closing(partitions),
        ):
            AT_ONCE.run(f"{found.database}: ask", lambda: readers.run(lambda client: client.command("SELECT 1")))
            hosts = {host_and_port(address).host.lower(), *(name.lower() for name in settings.lpa.console_hosts)}
            access = Access(token, hosts, secrets.token_bytes(32))
            sources = ConsoleSources(
                database=ConsoleDatabase(readers, found.database, _SECONDS),
                health=health.latest,
                trends=health.trends,
                partitions=partitions.latest,
                backups=known_backups(settings, sink),
                surroundings=Surroundings(settings, sink, settings.lpa.archive_dir),
                query=QueryBox(found, settings.clickhouse.password, _SECONDS).ask,
                repairs=RepairTrial(settings, context.plugins),
                replays=ReplayJobs(settings.lpa.data.console_replays, settings.lpa.data.replays, sink),
            )
            pages = console_app(sources, access)
            server = WebServer(pages, address, name="console", setting="LPA_CONSOLE_ADDRESS")
            health.latest()  # who starts the console is about to look
            with stopped_by_signals(server, _SECONDS + 10):
                server.run()

    return app
