"""The document of the read API: OpenAPI 3.1, made of the routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from lpa_ops.read_api import problem
from lpa_ops.read_api.parameters import Parameter
from lpa_ops.read_api.rendering import CSV, JSON
from lpa_ops.read_api.route import ReadRoute

PREFIX: Final = "/v1"
DOCUMENT: Final = "/openapi.json"

_PAGE: Final = {
    "type": "object",
    "required": ["next_cursor", "has_more", "page_size"],
    "properties": {
        "next_cursor": {"type": ["string", "null"], "description": "Send it as cursor for the next page."},
        "has_more": {"type": "boolean"},
        "page_size": {"type": "integer", "minimum": 1, "description": "The limit that was asked for."},
    },
}
_META: Final = {
    "type": "object",
    "required": ["generated_at", "request_id"],
    "properties": {
        "generated_at": {"type": "string", "format": "date-time"},
        "request_id": {"type": "string", "description": "Also the header X-Request-Id."},
    },
}
_PROBLEMS: Final = {
    HTTPStatus.BAD_REQUEST: "A parameter is wrong, unknown or given twice.",
    HTTPStatus.UNAUTHORIZED: "The token is missing or wrong.",
    HTTPStatus.NOT_ACCEPTABLE: "The answer is not offered as what Accept names.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The database does not answer, or not in time, or too many requests wait.",
}
_TAG: Final = {"ETag": {"description": "Send it as If-None-Match.", "schema": {"type": "string"}}}


def document(routes: Sequence[ReadRoute], version: str, *, token: bool) -> dict[str, Any]:
    """The document; ``token`` says whether a request needs one."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "lpa read API",
            "version": version,
            "description": "What a live-AI video network did: read-only, over the database that lpa writes.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": {f"{PREFIX}/{route.path}": {"get": _operation(route)} for route in routes},
        "components": {
            "schemas": {"Problem": problem.SCHEMA, "Pagination": _PAGE, "Meta": _META},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}] if token else [],
    }


def _operation(route: ReadRoute) -> dict[str, Any]:
    return {
        "operationId": route.path.replace("/", "_").replace("-", "_"),
        "summary": route.summary,
        "description": route.description,
        "tags": [route.path.partition("/")[0]],
        "parameters": [_parameter(each) for each in route.parameters],
        "responses": {
            "200": {"description": route.summary, "headers": _TAG, "content": _content(route)},
            "304": {"description": "The client holds it already.", "headers": _TAG},
            **{str(status.value): _problem(meaning) for status, meaning in _PROBLEMS.items()},
        },
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: Mapping[str, Any] = {"type": "array", "items": parameter.schema} if parameter.many else parameter.schema
    style = {"style": "form", "explode": True} if parameter.many else {}
    return {"name": parameter.name, "in": "query", "description": parameter.meaning, "schema": schema, **style}


def _content(route: ReadRoute) -> dict[str, Any]:
    schema: Mapping[str, Any] = route.schema
    if route.paged:
        schema = {
            "type": "object",
            "required": ["data", "pagination", "meta"],
            "properties": {
                "data": route.schema,
                "pagination": {"$ref": "#/components/schemas/Pagination"},
                "meta": {"$ref": "#/components/schemas/Meta"},
            },
        }
    return {JSON: {"schema": schema}} | ({CSV: {"schema": {"type": "string"}}} if route.columns else {})


def _problem(meaning: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": meaning, "content": {problem.MEDIA_TYPE: {"schema": schema}}}
