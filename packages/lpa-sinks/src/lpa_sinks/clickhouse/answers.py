"""Whether an HTTP answer is ClickHouse's own: the one place where the answer of every statement is looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, final
from urllib.parse import urlsplit

from clickhouse_connect.driver.exceptions import OperationalError
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError, ProxyError
from urllib3.response import BaseHTTPResponse

from lpa_core.errors import JobFailed
from lpa_sinks.clickhouse.request_form import as_form

SUMMARY: Final = "X-ClickHouse-Summary"
"""Sent when a statement has ended, or its result begins."""
NAMES: Final = ("X-ClickHouse-Server-Display-Name", "X-ClickHouse-Query-Id")
"""A server sends both, except where it began its headers before it had the second."""
_FORMAT: Final = "X-ClickHouse-Format"
"""Sent with a result, and with nothing else."""
_EXCEPTION: Final = "X-ClickHouse-Exception-Code"

_EXCEPTION_IN_BODY: Final = re.compile(rb"^(?:Code: \d+\. DB::Exception: |__exception__\r?$)", re.MULTILINE)
_TUNNEL: Final = re.compile(r"Tunnel connection failed: (\d{3})")
"""How http.client tells that a proxy makes no way to a server that is spoken to over TLS."""
_QUERY: Final = re.compile(r"\?\S+")
"""Of a URL that a page repeats: statements and their parameters."""
_WORDS: Final = 80
"""Characters of a foreign response that a message shows."""


class NotClickHouseError(JobFailed, OperationalError):
    """What answered a statement is not ClickHouse, or its answer is not whole: nobody knows whether it was carried out.

    Attributes:
        status: of HTTP.
    """

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


@final
class CheckedPool:
    """The part of a PoolManager that clickhouse-connect uses. Raises NotClickHouseError for an answer that is not one.

    Args:
        proxy: names the proxy that the connections go through, for messages; empty if there is none.
    """

    def __init__(self, pool: PoolManager, proxy: str = "") -> None:
        self._pool = pool
        self._proxy = proxy
        self.clear = pool.clear

    def request(self, method: str, url: str, **options: Any) -> BaseHTTPResponse:
        url, options = as_form(url, options)
        try:
            # ClickHouse redirects nowhere; the rows of an insert would go to whoever is named.
            response = self._pool.request(method, url, redirect=False, **options)
        except HTTPError as error:
            told = self._told_of_proxy(error)
            if told is None:
                raise
            raise told from None
        whole = bool(options["preload_content"])
        reason = why_not(response.status, response.headers, response.data if whole else None)
        if reason is None:
            return response
        body = response.data if whole else _beginning(response)
        response.close()
        said = _told(response, reason, body, options.get("headers") or {})
        raise NotClickHouseError(response.status, f"{said}, by way of {self._proxy}" if self._proxy else said)

    def _told_of_proxy(self, error: HTTPError) -> NotClickHouseError | None:
        """What to raise if it is the proxy that does not answer, or that lets nobody through."""
        reason = getattr(error, "reason", error)
        if not self._proxy or not isinstance(reason, ProxyError):
            return None
        refused = _TUNNEL.search(str(reason.original_error))
        said = f"answers with status {refused[1]}" if refused else "does not answer"
        return NotClickHouseError(int(refused[1]) if refused else 0, f"the proxy that {self._proxy} names {said}")


def why_not(status: int, headers: Mapping[str, str], body: bytes | None) -> str | None:
    """What shows that an answer is not ClickHouse's own and whole; None if nothing does.

    Args:
        body: None if it is still to be read: that it ends too soon is seen then.
    """
    if _EXCEPTION in headers:
        return None
    if status != 200:
        return f"no {_EXCEPTION}"
    if not _is_summary(headers.get(SUMMARY, "")):
        return f"no {SUMMARY}"
    if not any(name in headers for name in NAMES):
        return f"neither {' nor '.join(NAMES)}"
    if headers.get("Transfer-Encoding", "").lower() != "chunked" and "Content-Length" not in headers:
        return "nothing that says where it ends"
    if body and _FORMAT not in headers:
        return "text instead of a result"
    if body and _EXCEPTION_IN_BODY.search(body):
        return "an error after the headers of success"
    return None


def _is_summary(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _beginning(response: BaseHTTPResponse) -> bytes:
    try:
        return response.read(4 * _WORDS, decode_content=True)
    except HTTPError:  # the reason does not depend on it
        return b""


def _told(response: BaseHTTPResponse, reason: str, body: bytes, sent: Mapping[str, str]) -> str:
    parts = [f"status {response.status}"]
    if server := response.headers.get("Server"):
        parts.append(f"server {_printable(server)}")
    if location := response.headers.get("Location"):
        parts.append(f"sends on to {_printable(urlsplit(location).netloc or location.partition('?')[0])}")
    parts.append(reason)
    words = _words(body, sent)
    return f"not an answer of ClickHouse's own: {', '.join(parts)}" + (f": {words!r}" if words else "")


def _words(body: bytes, sent: Mapping[str, str]) -> str:
    """First words of a page; none of what may hold a value of a row or a secret."""
    if _EXCEPTION_IN_BODY.search(body):
        return _printable(body[body.find(b"Code: ") :].partition(b" DB::Exception")[0].decode("latin-1"))
    text = _QUERY.sub("?...", _printable(body[: 4 * _WORDS].decode("utf-8", errors="replace")))
    secrets = [value.rpartition(" ")[2] for name, value in sent.items() if name.lower() == "authorization"]
    return "" if any(secret in text for secret in secrets) else text[:_WORDS]


def _printable(text: str) -> str:
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())[:200]
