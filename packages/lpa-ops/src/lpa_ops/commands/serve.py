"""``lpa serve``: the read API."""

from __future__ import annotations

from contextlib import closing

import cyclopts

from lpa_core.commands.options import SinkUri
from lpa_core.errors import ConfigurationError
from lpa_core.jobs.process import stopped_by_signals
from lpa_core.plugins.context import AppContext
from lpa_sinks.clickhouse.database import endpoint_of
from lpa_sinks.clickhouse.readers import Readers
from lpa_sinks.clickhouse.retries import AT_ONCE


def serve_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="serve")

    @app.default
    def serve(*, sink: SinkUri = None) -> None:
        """Serve the read API: what the network did, as JSON and CSV over HTTP. Nothing can be changed.

        It runs until it is stopped. It listens on LPA_SERVE_ADDRESS; / shows its routes. It reads the embedded
        database also while `lpa ingest` writes into it.
        """
        try:
            from lpa_ops.read_api.access import token_of
            from lpa_ops.read_api.app import read_api
            from lpa_ops.web.server import WebServer
        except ModuleNotFoundError as error:
            if error.name not in ("starlette", "uvicorn"):
                raise
            raise ConfigurationError("the read API is not installed: pip install 'lpa-ops[serve]'") from None
        from lpa_ops.read_api.database import StoredRows

        token = token_of(settings.lpa.serve_address, settings.lpa.serve_token)
        found = endpoint_of(sink, settings)
        seconds = settings.lpa.serve_seconds
        with closing(Readers(found, settings.clickhouse.password, seconds + 5)) as readers:
            AT_ONCE.run(f"{found.database}: ask", lambda: readers.run(lambda client: client.command("SELECT 1")))
            server = WebServer(
                read_api(StoredRows(readers, found.database, seconds), token),
                settings.lpa.serve_address,
                name="read API",
                setting="LPA_SERVE_ADDRESS",
            )
            with stopped_by_signals(server, seconds + 10):
                server.run()

    return app
