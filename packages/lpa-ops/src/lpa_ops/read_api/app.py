"""The read API over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final, final
from uuid import uuid4

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path

from lpa_ops.read_api import problem
from lpa_ops.read_api.openapi import DOCUMENT, PREFIX, document
from lpa_ops.read_api.page import page
from lpa_ops.read_api.parameters import read_parameters
from lpa_ops.read_api.problem import ReadRefused, problem_details
from lpa_ops.read_api.rendering import CSV, JSON, as_csv, as_json, chosen_type, entity_tag, is_held
from lpa_ops.read_api.route import Database, Reading, ReadRoute
from lpa_ops.read_api.routes import ROUTES
from lpa_ops.web.bearer import is_bearer

_AT_ONCE: Final = 8
_WAITING: Final = 32
"""Requests that may wait for one of those; further ones are refused for a moment."""
_SAFE: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache", "Vary": "Accept, Authorization"}

_log = structlog.get_logger("lpa.serve")


def read_api(
    database: Database, token: str, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
) -> Starlette:
    """The application. ``token`` is what a request has to send, empty if anybody may read; ``clock`` gives epoch ms."""
    described = document(ROUTES, version("lpa-ops"), token=bool(token))
    text, shown = as_json(described), page(described)
    front = _Front(database, token, clock)
    return Starlette(
        routes=[
            Path("/", _static(shown, "text/html; charset=utf-8"), methods=["GET"]),
            Path(DOCUMENT, _static(text, JSON), methods=["GET"]),
            *(Path(f"{PREFIX}/{route.path}", front.endpoint(route), methods=["GET"]) for route in ROUTES),
        ],
        exception_handlers={HTTPException: _refused, ReadRefused: _refused, Exception: _failed},
    )


@final
class _Front:
    """Authorization, limits and the form of answers: what all routes share."""

    def __init__(self, database: Database, token: str, clock: Callable[[], int]) -> None:
        self._database, self._token, self._clock = database, token, clock
        self._turns = threading.Semaphore(_AT_ONCE)
        self._waiting = 0

    def endpoint(self, route: ReadRoute) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            self._check_authorization(request)
            form = chosen_type(request.headers.get("accept", ""), (JSON, CSV) if route.columns else (JSON,))
            now_ms = self._clock()
            values = read_parameters(route.parameters, request.query_params.multi_items(), now_ms)
            if self._waiting >= _AT_ONCE + _WAITING:
                raise ReadRefused(
                    HTTPStatus.SERVICE_UNAVAILABLE, "too many requests wait: ask again soon", {"Retry-After": "1"}
                )
            self._waiting += 1
            try:
                return await run_in_threadpool(self._answered, route, request, values, form, now_ms)
            finally:
                self._waiting -= 1

        return answer

    def _answered(self, route: ReadRoute, request: Request, values: dict[str, Any], form: str, now_ms: int) -> Response:
        with self._turns:
            reading = route.read(self._database, values, now_ms)
        number = uuid4().hex
        headers = {**_SAFE, "X-Request-Id": number, **_next_page(request, reading)}
        body = as_csv(route.columns, reading.content) if form == CSV else as_json(reading.content)
        headers["ETag"] = tag = entity_tag(body + headers.get("Link", "").encode())
        if is_held(tag, request.headers.get("if-none-match", "")):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        if form == JSON and reading.page is not None:
            body = as_json(_paged(reading, number, now_ms))
        return Response(body, headers=headers, media_type=form)

    def _check_authorization(self, request: Request) -> None:
        if self._token and not is_bearer(request.headers.get("authorization", ""), self._token):
            raise ReadRefused(
                HTTPStatus.UNAUTHORIZED,
                "send the token of LPA_SERVE_TOKEN: Authorization: Bearer TOKEN",
                {"WWW-Authenticate": 'Bearer realm="lpa"'},
            )


def _paged(reading: Reading, request_id: str, now_ms: int) -> dict[str, Any]:
    page = reading.page
    assert page is not None
    generated = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "data": reading.content,
        "pagination": {
            "next_cursor": page.next_cursor,
            "has_more": page.next_cursor is not None,
            "page_size": page.size,
        },
        "meta": {"generated_at": generated, "request_id": request_id},
    }


def _next_page(request: Request, reading: Reading) -> dict[str, str]:
    """A link, which also those can follow who take CSV."""
    if reading.page is None or reading.page.next_cursor is None:
        return {}
    following = request.url.include_query_params(cursor=reading.page.next_cursor)
    return {"Link": f'<{following.path}?{following.query}>; rel="next"'}


def _static(body: bytes, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    headers = {**_SAFE, "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}

    async def answer(request: Request) -> Response:
        return Response(body, headers=headers, media_type=media_type)

    return answer


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, ReadRefused):
        return _as_problem(error.status, error.detail, error.headers)
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = {
        HTTPStatus.NOT_FOUND: "there is nothing here: / lists the routes",
        HTTPStatus.METHOD_NOT_ALLOWED: "this API only reads: use GET",
    }.get(status, status.phrase)
    return _as_problem(status, detail, dict(error.headers or {}))


async def _failed(request: Request, error: Exception) -> Response:
    _log.error("the read API failed", path=request.url.path, exc_info=error)
    return _as_problem(HTTPStatus.INTERNAL_SERVER_ERROR, "this is a fault in lpa: its log says which", {})


def _as_problem(status: HTTPStatus, detail: str, headers: dict[str, str]) -> Response:
    return Response(
        as_json(problem_details(status, detail)), status, {**_SAFE, **headers}, media_type=problem.MEDIA_TYPE
    )
