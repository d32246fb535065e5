"""Streamable HTTP: for this machine, and with the token."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from lpa_ops.mcp.http import http_app, require_private
from lpa_ops.mcp.server import agent_server
from lpa_ops.mcp.tools import TOOLS
from lpa_ops.web.server import ServeError, WebServer

TOKEN = "of-this-test-0123456789"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "a test", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def url(agent: Any) -> Iterator[str]:
    app = http_app(agent_server(TOOLS, (), agent.sources, agent.audit, "http"), TOKEN)
    server = WebServer(app, "127.0.0.1:0", name="mcp", setting="LPA_MCP_ADDRESS", lifespan=True)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"{server.url}/mcp"
    server.stop()
    thread.join()


def test_an_agent_with_the_token_is_answered(url: str, agent: Any) -> None:
    async def asked() -> Any:
        async with (
            httpx2.AsyncClient(headers=BEARER) as web,
            Client(streamable_http_client(url, http_client=web)) as client,
        ):
            return await client.call_tool("query", {"sql": "SELECT 1"})

    assert anyio.run(asked).structured_content["untrusted"]["rows"] == [[1]]
    (line,) = agent.log()
    assert (line["transport"], line["tool"]) == ("http", "query")


@pytest.mark.slow
def test_failure_35_a_request_without_the_token_or_from_a_page_is_refused(url: str, agent: Any) -> None:
    def status(**headers: str) -> int:
        return httpx2.post(url, json=INITIALIZE, headers={**ACCEPT, **headers}).status_code

    assert status(**BEARER) == 200
    assert status() == 401
    assert status(Authorization="Bearer of-another-test-0123") == 401
    assert status(**BEARER, Host="foreign.example") == 421
    assert status(**BEARER, Origin="https://foreign.example") == 403
    answer = httpx2.post(url, json=INITIALIZE, headers=ACCEPT)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "LPA_MCP_TOKEN" in answer.json()["detail"]
    assert agent.log() == []


@pytest.mark.parametrize(("address", "token", "said"), [
    ("0.0.0.0:8093", TOKEN, "can be reached from other machines"),
    ("lpa.example.org:8093", TOKEN, "can be reached from other machines"),
    ("127.0.0.1:8093", "", "set LPA_MCP_TOKEN"),
])  # fmt: skip
def test_failure_35_other_machines_and_no_token_are_refused(address: str, token: str, said: str) -> None:
    with pytest.raises(ServeError, match=said):
        require_private(address, token)
