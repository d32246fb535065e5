"""The document of the read API as a page for people. It loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code{background:#8882;padding:0 .2em}table{border-collapse:collapse;width:100%}"
    "td,th{border-bottom:1px solid #8884;padding:.2em .5em;text-align:left;vertical-align:top}"
    "summary{cursor:pointer}"
)


def page(document: Mapping[str, Any]) -> bytes:
    """HTML of an OpenAPI document that has routes with GET and parameters of the query."""
    about = document["info"]
    routes = "".join(_route(path, item["get"]) for path, item in document["paths"].items())
    token = "<p>Send the token as <code>Authorization: Bearer TOKEN</code>.</p>" if document["security"] else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(about["title"])}</title>'
        f"<style>{_STYLE}</style><h1>{escape(about['title'])} {escape(about['version'])}</h1>"
        f"<p>{escape(about['description'])} The document is <a href='openapi.json'>openapi.json</a>.</p>{token}{routes}"
    ).encode()


def _route(path: str, operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(each['description'])}</td></tr>"
        for each in operation["parameters"]
    )
    table = f"<table><tr><th>parameter<th>meaning</tr>{rows}</table>" if rows else "<p>It has no parameters.</p>"
    content = operation["responses"]["200"]["content"]
    return (
        f"<h2><code>{escape(path)}</code></h2><p>{escape(operation['summary'])}. {escape(operation['description'])}</p>"
        f"{table}<p>Answers as {escape(', '.join(content))}.</p>"
        f"<details><summary>Fields</summary>{_fields(content['application/json']['schema'])}</details>"
    )


def _fields(schema: Mapping[str, Any]) -> str:
    schema = schema.get("items", schema)
    properties = schema.get("properties", {})
    if "data" in properties:
        return _fields(properties["data"])
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(str(field.get('description', '')))}"
        f"{_fields(field) if 'properties' in field else ''}</td></tr>"
        for name, field in properties.items()
    )
    return f"<table>{rows}</table>"
