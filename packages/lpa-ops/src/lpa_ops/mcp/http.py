"""The server over streamable HTTP: for this machine, and for those who send the token."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, final

from mcp.server import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lpa_core.proxies import is_loopback
from lpa_core.uris import host_and_port
from lpa_ops.read_api.problem import MEDIA_TYPE, problem_details
from lpa_ops.read_api.rendering import as_json
from lpa_ops.web.bearer import is_bearer
from lpa_ops.web.server import ServeError

PATH: Final = "/mcp"
_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")


def require_private(address: str, token: str) -> None:
    """Raise ServeError if other machines can reach the address, or if there is no token."""
    if not is_loopback(host_and_port(address).host):
        raise ServeError(
            f"LPA_MCP_ADDRESS={address} can be reached from other machines: set it to an address of this machine only, "
            "such as 127.0.0.1:8093"
        )
    if not token:
        raise ServeError("`lpa mcp --http` needs a token, which agents send: set LPA_MCP_TOKEN")


def http_app(server: Server[Any], token: str) -> Starlette:
    """The application, with one route: :data:`PATH`. Requests are by themselves: there are no sessions.

    A page in a browser could have its own name lead to this machine, so Host and Origin have to name this machine.
    """
    hosts = TransportSecuritySettings(
        allowed_hosts=[f"{host}:*" for host in _HOSTS], allowed_origins=[f"http://{host}:*" for host in _HOSTS]
    )
    app = server.streamable_http_app(
        streamable_http_path=PATH, json_response=True, stateless_http=True, transport_security=hosts
    )
    app.add_middleware(_TokenGuard, token=token)
    return app


@final
class _TokenGuard:
    """Lets requests pass that send the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = Headers(scope=scope).get("authorization", "") if scope["type"] == "http" else ""
        if scope["type"] == "lifespan" or is_bearer(sent, self._token):
            await self._app(scope, receive, send)
            return
        body = as_json(
            problem_details(HTTPStatus.UNAUTHORIZED, "send the token of LPA_MCP_TOKEN: Authorization: Bearer TOKEN")
        )
        headers = {"WWW-Authenticate": 'Bearer realm="lpa"', "Cache-Control": "no-store"}
        await Response(body, HTTPStatus.UNAUTHORIZED, headers, media_type=MEDIA_TYPE)(scope, receive, send)
