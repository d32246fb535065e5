"""The console over HTTP."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final, final
from urllib.parse import parse_qsl

import anyio.to_thread
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from lpa_core.errors import LpaError, UsageError
from lpa_ops.console.access import Access
from lpa_ops.console.page import ConsoleAction, ConsolePage, ConsoleSources, PageRequest
from lpa_ops.console.pages import ACTIONS, PAGES
from lpa_ops.console.rendering import Rendering
from lpa_ops.read_api.problem import MEDIA_TYPE, ReadRefused, problem_details
from lpa_ops.read_api.rendering import JSON, as_json

_AT_ONCE: Final = 4
_FORM_BYTES: Final = 1 << 20
_WRONG_TOKEN_SECONDS: Final = 1.0
"""That a wrong token waits for its answer, and the right one does not: who guesses is slow, and locks nobody out."""
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of each answer: no page of the console runs or loads what the wheel does not hold."""

_log = structlog.get_logger("lpa.console")


def console_app(
    sources: ConsoleSources,
    access: Access,
    clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    pause: Callable[[float], Awaitable[None]] = anyio.sleep,
) -> Starlette:
    """The application. ``clock`` gives epoch ms; ``pause`` waits for some seconds."""
    front = _Front(sources, access, clock, pause)
    return Starlette(
        routes=[
            Route("/", front.first, methods=["GET"]),
            Route("/login", front.login, methods=["GET", "POST"]),
            Route("/logout", front.logout, methods=["POST"]),
            *(route for page in PAGES for route in front.routes(page)),
            *(Route(f"/{action.path}", front.acting(action), methods=["POST"]) for action in ACTIONS),
            Mount("/static", StaticFiles(packages=[(__package__, "static")])),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=front.guarded)],
        exception_handlers={HTTPException: front.refused, LpaError: front.refused, Exception: front.failed},
    )


@final
class _Front:
    """What all pages share: who may read, how many at once, the form of answers and errors."""

    def __init__(
        self,
        sources: ConsoleSources,
        access: Access,
        clock: Callable[[], int],
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        self._sources, self._access, self._clock, self._pause = sources, access, clock, pause
        self._rendering = Rendering(PAGES)
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)

    def routes(self, page: ConsolePage) -> list[Route]:
        methods = ["GET", "POST"] if page.posted or page.form else ["GET"]
        return [
            Route(f"/{page.path}", self._endpoint(page, as_page=True), methods=methods),
            Route(f"/{page.path}.json", self._endpoint(page, as_page=False), methods=methods),
        ]

    async def guarded(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        try:
            self._access.require_host(request.headers.get("host", ""))
            if "transfer-encoding" in request.headers:
                raise ReadRefused(HTTPStatus.LENGTH_REQUIRED, "send the body with its Content-Length, not in chunks")
            response = await self._for_readers(request, call_next)
        except ReadRefused as refused:
            response = self.answer_of(request, refused.status, refused.detail)
            if refused.status is HTTPStatus.LENGTH_REQUIRED:
                # Each of a million chunks would take its time, though nobody looks at it.
                response.headers["Connection"] = "close"
        response.headers.update(HEADERS)
        return response

    async def _for_readers(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        path = request.url.path
        if path == "/login" or path.startswith("/static/") or self._access.is_signed_in(request):
            return await call_next(request)
        if path.endswith(".json") or request.method != "GET":
            raise ReadRefused(HTTPStatus.UNAUTHORIZED, "log in first: /login takes the token of LPA_CONSOLE_TOKEN")
        return RedirectResponse("/login", HTTPStatus.SEE_OTHER)

    async def first(self, request: Request) -> Response:
        return RedirectResponse(f"/{PAGES[0].path}", HTTPStatus.SEE_OTHER)

    async def login(self, request: Request) -> Response:
        wrong, status = "", HTTPStatus.OK
        if request.method == "POST":
            form = await self._form(request)
            response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
            # A proxy with TLS speaks HTTP to the console; the browser says what it sees.
            secure = request.headers.get("origin", "").startswith("https:")
            try:
                self._access.sign_in(form.get("token", ""), request, response, secure=secure)
            except ReadRefused as refused:
                _log.warning("a login with a wrong token was turned down", client=_address_of(request))
                await self._pause(_WRONG_TOKEN_SECONDS)
                wrong, status = refused.detail, refused.status
            else:
                _log.info("somebody logged in", client=_address_of(request))
                return response
        return self._html(request, "login.html", {"wrong": wrong}, status)

    async def logout(self, request: Request) -> Response:
        await self._form(request)
        response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
        self._access.sign_out(request, response)
        return response

    def _endpoint(self, page: ConsolePage, *, as_page: bool) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            values = dict(request.query_params) if request.method != "POST" else await self._form(request)
            # To render much takes seconds, as reading it does: others are answered meanwhile.
            answered = partial(self._answered, request, page, values, as_page=as_page)
            return await anyio.to_thread.run_sync(answered, limiter=self._limiter)

        return endpoint

    def _answered(self, request: Request, page: ConsolePage, values: Mapping[str, str], *, as_page: bool) -> Response:
        content: Mapping[str, Any] = {}
        status = HTTPStatus.OK
        if not page.posted or request.method == "POST":
            try:
                content = page.read(self._sources, PageRequest(values, self._clock()))
            except UsageError as error:
                if not (page.posted and as_page):
                    raise
                content, status = {"error": str(error)}, HTTPStatus.BAD_REQUEST  # beside what was typed
        if not as_page:
            return Response(as_json(content), media_type=JSON)
        return self._html(request, page.template, {"content": content}, status, page=page, values=values)

    def acting(self, action: ConsoleAction) -> Callable[[Request], Awaitable[Response]]:
        """Does what a form asks, and leads to the page that shows how it goes."""

        async def endpoint(request: Request) -> Response:
            asked = PageRequest(await self._form(request), self._clock())
            if action.changes:
                self._access.require_login()
            started = partial(action.act, self._sources, asked)
            address = await anyio.to_thread.run_sync(started, limiter=self._limiter)
            return RedirectResponse(address, HTTPStatus.SEE_OTHER)

        return endpoint

    async def _form(self, request: Request) -> dict[str, str]:
        """The fields of a form of the console. Raises ReadRefused if another page posted it."""
        body = bytearray()
        try:
            async for part in request.stream():
                body += part
                if len(body) > _FORM_BYTES:
                    detail = "this is too long: a form has at most a mebibyte"
                    raise ReadRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        except ClientDisconnect:
            raise ReadRefused(HTTPStatus.BAD_REQUEST, "the form did not come to its end") from None
        form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        self._access.require_own_form(request, form.pop("form_token", ""))
        return form

    def _html(
        self,
        request: Request,
        template: str,
        names: Mapping[str, Any],
        status: HTTPStatus = HTTPStatus.OK,
        *,
        page: ConsolePage | None = None,
        values: Mapping[str, str] | None = None,
    ) -> Response:
        text = self._rendering.html(
            template,
            {
                "page": page,
                "values": values or {},
                "address": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
                "query": request.url.query,
                "now_ms": self._clock(),
                "form_token": self._access.form_token(request),
                "signed_in": self._access.is_signed_in(request),
                "needs_login": self._access.needs_login,
                **names,
            },
        )
        return Response(text, status, media_type="text/html; charset=utf-8")

    async def refused(self, request: Request, error: Exception) -> Response:
        if isinstance(error, ReadRefused):
            return self.answer_of(request, error.status, error.detail)
        if isinstance(error, HTTPException):
            status = HTTPStatus(error.status_code)
            missing = status is HTTPStatus.NOT_FOUND
            response = self.answer_of(request, status, "there is no such page" if missing else status.phrase)
            response.headers.update(error.headers or {})
            return response
        status = HTTPStatus.BAD_REQUEST if isinstance(error, UsageError) else HTTPStatus.SERVICE_UNAVAILABLE
        return self.answer_of(request, status, str(error))

    async def failed(self, request: Request, error: Exception) -> Response:
        _log.error("a page of the console failed", path=request.url.path, exc_info=error)
        response = self.answer_of(
            request, HTTPStatus.INTERNAL_SERVER_ERROR, "this is a fault in lpa: its log says which"
        )
        response.headers.update(HEADERS)
        return response

    def answer_of(self, request: Request, status: HTTPStatus, detail: str) -> Response:
        if request.url.path.endswith(".json"):
            return Response(as_json(problem_details(status, detail)), status, media_type=MEDIA_TYPE)
        return self._html(
            request,
            "error.html",
            {"status": status, "detail": detail, "loads_again": request.method == "GET"},
            status,
        )


def _address_of(request: Request) -> str:
    return request.client.host if request.client else ""
