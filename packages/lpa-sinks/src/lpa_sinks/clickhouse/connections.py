"""Connections to a ClickHouse server, straight or through the proxy that is in effect."""

from __future__ import annotations

from functools import cache
from typing import Final, cast
from urllib.parse import unquote, urlsplit

import attrs
from clickhouse_connect.driver.httputil import default_pool_manager, get_pool_manager
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers

from lpa_core.proxies import Proxy, proxy_for
from lpa_core.sinks.sink import SinkMisconfigured, SinkUnavailable
from lpa_sinks.clickhouse.answers import NAMES, CheckedPool

_PING: Final = b"Ok."
"""What a ClickHouse server says to everybody, without a login."""
_OF_A_PROXY: Final = frozenset({403, 407, 502, 503, 504, 511})
"""How a proxy answers in place of the server. Whatever else comes may be a gateway's that wants a login."""
_PING_SECONDS: Final = 10


@attrs.frozen
class Connections:
    """Connections to a server, whose answers are checked, and the proxy that they go through."""

    pool: PoolManager
    proxy: Proxy | None

    @property
    def remedy(self) -> str:
        """What to look at if something else than ClickHouse answers, or nothing."""
        if self.proxy is None:
            return ""
        return f"the way there is through the proxy that {self.proxy} names: correct it, or name the host in NO_PROXY"


def connections_to(url: str) -> Connections:
    """Connections to the server at a URL. Raises SinkMisconfigured if its proxy is none of HTTP."""
    parts = urlsplit(url)
    proxy = proxy_for(parts.scheme, parts.hostname or "", parts.port or 0)
    if proxy is not None and urlsplit(proxy.address).scheme not in ("http", "https"):
        raise SinkMisconfigured(f"{url}: {proxy}: only HTTP proxies can be used: name the host in NO_PROXY")
    return Connections(cast(PoolManager, _checked(_pool(proxy), str(proxy or ""))), proxy)


def require_passage(connections: Connections, url: str) -> None:
    """Ask the server for a sign of life without a login, if a proxy would read the login.

    Raises SinkMisconfigured or SinkUnavailable if the proxy answers for itself, or does not answer.
    """
    if connections.proxy is None or urlsplit(url).scheme != "http":
        return  # over TLS a proxy reads nothing
    where = f"{url}: the proxy that {connections.proxy} names"
    remedy = "the login was not sent: correct the proxy, or name the host in NO_PROXY"
    try:
        answer = _pool(connections.proxy).request("GET", f"{url}/ping", redirect=False, timeout=_PING_SECONDS)
    except HTTPError:
        raise SinkUnavailable(f"{where} does not answer: {remedy}") from None
    if any(name in answer.headers for name in NAMES):
        return
    if answer.status == 407:
        raise SinkMisconfigured(f"{where} wants a login of its own (status 407): {remedy}")
    page = answer.status == 200 and answer.data.strip() != _PING
    if page or answer.status in _OF_A_PROXY or 300 <= answer.status < 400:
        raise SinkUnavailable(f"{where} answers in place of ClickHouse (status {answer.status}): {remedy}")


@cache
def _checked(pool: PoolManager, proxy: str) -> CheckedPool:
    return CheckedPool(pool, proxy)


def _pool(proxy: Proxy | None) -> PoolManager:
    return default_pool_manager() if proxy is None else _through(proxy)


@cache
def _through(proxy: Proxy) -> PoolManager:
    login = urlsplit(proxy.address).netloc.rpartition("@")[0]
    headers = make_headers(proxy_basic_auth=unquote(login)) if login else None
    pool: PoolManager = get_pool_manager(http_proxy=proxy.address, proxy_headers=headers)
    return pool
