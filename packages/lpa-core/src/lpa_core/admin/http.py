"""Request bodies, responses and errors, as little of them as the admin endpoint needs."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final, final
from wsgiref.types import WSGIEnvironment

import attrs
import msgspec

from lpa_core.errors import UsageError

MAX_BODY_BYTES: Final = 16_384
_MAX_DISCARDED_BYTES: Final = 1_048_576

Headers = tuple[tuple[str, str], ...]


@final
@attrs.frozen
class Response:
    status: HTTPStatus
    headers: Headers
    body: bytes


class RequestRefused(UsageError):
    """Ends a request that is wrong. The message is for who sent it: one line, what was wrong and what to do."""

    def __init__(self, status: HTTPStatus, message: str, headers: Headers = ()) -> None:
        super().__init__(message)
        self.response = failure(status, message, headers)


def json_response(value: Any, status: HTTPStatus = HTTPStatus.OK, headers: Headers = ()) -> Response:
    return Response(status, (("Content-Type", "application/json"), *headers), msgspec.json.encode(value))


def failure(status: HTTPStatus, message: str, headers: Headers = ()) -> Response:
    return json_response({"errors": [message]}, status, headers)


def read_body(environ: WSGIEnvironment) -> bytes:
    """Take a request's body off the wire, at most ``MAX_BODY_BYTES``.

    To be called for every request: a connection closed on bytes that nobody read is reset, and its client may never
    see the response. Raises RequestRefused.
    """
    if "HTTP_TRANSFER_ENCODING" in environ:
        raise RequestRefused(HTTPStatus.LENGTH_REQUIRED, "send the body with its Content-Length, not in chunks")
    length = environ.get("CONTENT_LENGTH") or "0"
    if not re.fullmatch("[0-9]{1,18}", length):
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "Content-Length is not a number")
    try:
        return _read(environ["wsgi.input"], int(length))
    except TimeoutError:
        raise RequestRefused(HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time") from None


def _read(stream: Any, length: int) -> bytes:
    if length <= MAX_BODY_BYTES:
        body: bytes = stream.read(length)
        return body
    left = min(length, _MAX_DISCARDED_BYTES)
    while left and (discarded := stream.read(min(left, MAX_BODY_BYTES))):
        left -= len(discarded)
    raise RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body may have {MAX_BODY_BYTES:,} bytes at most")
