"""Why a request is not answered, as problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, final

from lpa_core.errors import UsageError

MEDIA_TYPE: Final = "application/problem+json"

SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"const": "about:blank"},
        "title": {"type": "string", "description": "The phrase of the status."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What was wrong and what to do, in one line."},
    },
}


@final
class ReadRefused(UsageError):
    """Ends a request. The message is for who sent it: one line, what was wrong and what to do."""

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})

    def as_json(self) -> dict[str, Any]:
        return problem_details(self.status, self.detail)


def problem_details(status: HTTPStatus, detail: str) -> dict[str, Any]:
    return {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}


def bad_request(detail: str) -> ReadRefused:
    return ReadRefused(HTTPStatus.BAD_REQUEST, detail)
