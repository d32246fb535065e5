"""What the admin endpoint answers: paths, methods, authorization. A WSGI application."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple, final
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
import structlog
from prometheus_client import CollectorRegistry, make_wsgi_app

from lpa_core.admin import status
from lpa_core.admin.http import RequestRefused, Response, failure, json_response, read_body
from lpa_core.admin.job import AdministeredJob, JobTap, StopRefused, TapRefused
from lpa_core.admin.page import HEADERS, page

HealthSource = Callable[[], Mapping[str, Any]]
"""What the health checks found last, as :meth:`lpa_core.health.report.HealthReport.as_json` gives it."""

_log = structlog.get_logger("lpa.admin")


def unchecked() -> Mapping[str, Any]:
    """Nobody checks the health of this process."""
    return {"state": "not applicable", "checks": []}


class _Stop(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    drain: bool = False
    target_directory: str | None = None


@final
class AdminApp:
    """Shows a job, and stops it for a client that has the token. If no token is set, nobody can stop it.

    Several threads call it at once.
    """

    def __init__(
        self,
        job: AdministeredJob,
        token: str,
        registry: CollectorRegistry,
        clock: Callable[[], int],
        health: HealthSource = unchecked,
        tap: JobTap | None = None,
    ) -> None:
        """``clock`` gives the time, epoch ms; ``health`` what the health checks found last."""
        self._job, self._token, self._clock, self._checked, self._tap = job, token, clock, health, tap
        self._exposition: Callable[..., Iterable[bytes]] = make_wsgi_app(registry)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            response = self._respond(environ)
        except RequestRefused as refusal:
            response = refusal.response
        except Exception:  # one request's fault must not look like the server's end
            _log.exception("the admin endpoint failed", path=environ["PATH_INFO"])
            response = failure(HTTPStatus.INTERNAL_SERVER_ERROR, "this is a fault in lpa: its log says which")
        start_response(
            f"{response.status.value} {response.status.phrase}",
            [
                *response.headers,
                ("Content-Length", str(len(response.body))),
                ("Cache-Control", "no-store"),
                ("Server", "lpa"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.body]

    def _respond(self, environ: WSGIEnvironment) -> Response:
        body = read_body(environ)
        route, names = _found(environ["PATH_INFO"])
        if environ["REQUEST_METHOD"] not in route.methods:
            allowed = ", ".join(route.methods)
            raise RequestRefused(HTTPStatus.METHOD_NOT_ALLOWED, f"use {allowed} here", (("Allow", allowed),))
        return route.action(self, environ, body, *names)

    def _page(self, environ: WSGIEnvironment, body: bytes) -> Response:
        return Response(HTTPStatus.OK, HEADERS, page(self._job, self._clock(), self._checked()))

    def _health(self, environ: WSGIEnvironment, body: bytes) -> Response:
        found = self._checked()
        return json_response(found, _ok_or_unavailable(found["state"] in ("ok", "warning")))

    def _liveness(self, environ: WSGIEnvironment, body: bytes) -> Response:
        healthy = self._job.healthy()
        return json_response({"healthy": healthy}, _ok_or_unavailable(healthy))

    def _readiness(self, environ: WSGIEnvironment, body: bytes) -> Response:
        reasons = [*self._job.not_ready()]
        return json_response({"ready": not reasons, "reasons": reasons}, _ok_or_unavailable(not reasons))

    def _metrics(self, environ: WSGIEnvironment, body: bytes) -> Response:
        headers: list[tuple[str, str]] = []
        asked = {**environ, "REQUEST_METHOD": "GET"}
        content = b"".join(self._exposition(asked, lambda status, given: headers.extend(given)))
        return Response(HTTPStatus.OK, tuple(headers), content)

    def _overview(self, environ: WSGIEnvironment, body: bytes) -> Response:
        return json_response(status.overview(self._job))

    def _jobs_overview(self, environ: WSGIEnvironment, body: bytes) -> Response:
        return json_response(status.jobs_overview(self._job, self._clock()))

    def _details(self, environ: WSGIEnvironment, body: bytes, job: str) -> Response:
        self._check_job(job)
        return json_response(status.details(self._job, self._clock()))

    def _stop(self, environ: WSGIEnvironment, body: bytes, job: str) -> Response:
        self._check_authorization(environ)
        self._check_job(job)
        asked = _decoded(body)
        try:
            request = self._job.stop(asked.target_directory)
        except StopRefused as refusal:
            raise RequestRefused(HTTPStatus.CONFLICT, str(refusal)) from None
        _log.info("stopping, as asked by request", request=request, client=environ.get("REMOTE_ADDR"))
        return json_response({"request-id": request}, HTTPStatus.ACCEPTED)

    def _savepoint(self, environ: WSGIEnvironment, body: bytes, job: str, request: str) -> Response:
        self._check_job(job)
        found = self._job.savepoint(request)
        if found is None:
            raise RequestRefused(HTTPStatus.NOT_FOUND, f"there was no request {request}")
        return json_response(status.savepoint(found))

    def _open_tap(self, environ: WSGIEnvironment, body: bytes) -> Response:
        tap = self._required_tap(environ)
        try:
            opened = tap.open(body)
        except TapRefused as refusal:
            raise RequestRefused(HTTPStatus.BAD_REQUEST, str(refusal)) from None
        _log.info("a tap is open, as asked by request", client=environ.get("REMOTE_ADDR"))
        return json_response({"tap": opened}, HTTPStatus.CREATED)

    def _take_from_tap(self, environ: WSGIEnvironment, body: bytes, tap_id: str) -> Response:
        found = self._required_tap(environ).take(tap_id)
        if found is None:
            raise RequestRefused(HTTPStatus.NOT_FOUND, "this tap has ended: somebody opened another one")
        return Response(HTTPStatus.OK, (("Content-Type", "application/json"),), found)

    def _close_tap(self, environ: WSGIEnvironment, body: bytes, tap_id: str) -> Response:
        self._required_tap(environ).close(tap_id)
        return json_response({})

    def _required_tap(self, environ: WSGIEnvironment) -> JobTap:
        """Records hold personal data: nobody sees one without the token."""
        self._check_authorization(environ)
        if self._tap is None:
            raise RequestRefused(HTTPStatus.NOT_FOUND, "this process has no records to show: ask `lpa ingest`")
        return self._tap

    def _check_job(self, job: str) -> None:
        if job != self._job.id:
            raise RequestRefused(HTTPStatus.NOT_FOUND, f"there is no job {job}; /jobs/overview lists the one there is")

    def _check_authorization(self, environ: WSGIEnvironment) -> None:
        if not self._token:
            raise RequestRefused(
                HTTPStatus.FORBIDDEN, "this is not allowed: no LPA_ADMIN_TOKEN is set for this process"
            )
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), self._token.encode()):
            _log.warning("a request without the right token was turned down", client=environ.get("REMOTE_ADDR"))
            raise RequestRefused(
                HTTPStatus.UNAUTHORIZED,
                "send the token of LPA_ADMIN_TOKEN: Authorization: Bearer TOKEN",
                (("WWW-Authenticate", 'Bearer realm="lpa"'),),
            )


class Route(NamedTuple):
    """What can be done at a path. In ``path``, a name in angle brackets stands for any text without a slash."""

    methods: tuple[str, ...]
    path: str
    doc: str
    action: Callable[..., Response]


_READ: Final = ("GET", "HEAD")
ROUTES: Final = (
    Route(_READ, "/", "The job as a page for people, refreshing itself", AdminApp._page),
    Route(_READ, "/healthz", "200 while the job can go on, else 503: start the process again", AdminApp._liveness),
    Route(_READ, "/readyz", "200 while the job keeps up, else 503 with the reasons", AdminApp._readiness),
    Route(
        _READ, "/health", "What the health checks found last: 200 while none is critical, else 503", AdminApp._health
    ),
    Route(_READ, "/metrics", "All metrics, for Prometheus", AdminApp._metrics),
    Route(_READ, "/overview", "How many jobs are in which state", AdminApp._overview),
    Route(_READ, "/jobs/overview", "The job, its state, its tasks: the partitions it holds", AdminApp._jobs_overview),
    Route(_READ, "/jobs/<id>", "The job with its partitions and counts", AdminApp._details),
    Route(("POST",), "/jobs/<id>/stop", "Stop with a savepoint; needs the token", AdminApp._stop),
    Route(
        _READ, "/jobs/<id>/savepoints/<request-id>", "How far a stop is; where its savepoint is", AdminApp._savepoint
    ),
    Route(("POST",), "/tap", "Open a tap for `lpa tap`, and end another one; needs the token", AdminApp._open_tap),
    Route(("GET",), "/tap/<tap-id>", "What passed since the last question; needs the token", AdminApp._take_from_tap),
    Route(("POST",), "/tap/<tap-id>/close", "End a tap; needs the token", AdminApp._close_tap),
)
"""Every path there is; the first that fits counts."""


def _found(path: str) -> tuple[Route, list[str]]:
    """The route of a path, and what its names stand for. Raises RequestRefused if there is none."""
    parts = path.split("/")
    for route in ROUTES:
        wanted = route.path.split("/")
        named = {index for index, text in enumerate(wanted) if text.startswith("<")}
        if len(parts) == len(wanted) and all(i in named or parts[i] == text for i, text in enumerate(wanted)):
            return route, [parts[index] for index in sorted(named)]
    raise RequestRefused(HTTPStatus.NOT_FOUND, f"there is nothing at {path}; / shows the job")


def _ok_or_unavailable(ok: bool) -> HTTPStatus:
    return HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE


def _decoded(body: bytes) -> _Stop:
    try:
        asked = msgspec.json.decode(body or b"{}", type=_Stop)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestRefused(HTTPStatus.BAD_REQUEST, f"the body cannot be used: {error}") from None
    if asked.drain:
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "drain cannot be true: there are no windows to close; send false")
    if asked.target_directory is not None and not asked.target_directory.strip():
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "targetDirectory is empty: name a folder, or leave it out")
    return asked
