"""What a page holds, read as a browser reads it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any, final


@final
class PageText(HTMLParser):
    """The visible text of a page, its elements and their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._parts: list[str] = []
        self.feed(html)

    @property
    def text(self) -> str:
        return " ".join("".join(self._parts).split())

    @property
    def links(self) -> list[str]:
        return [str(attributes["href"]) for name, attributes in self.elements if name == "a" and "href" in attributes]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._parts.append(" ")

    def handle_data(self, data: str) -> None:
        self._parts.append(data)


def page(answer: Any, status: int = 200) -> PageText:
    """The page of an answer, which has no inline script or style."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    found = PageText(answer.text)
    for name, attributes in found.elements:
        assert name != "style"
        assert name != "script" or str(attributes.get("src", "")).startswith("/static/")
        assert "style" not in attributes
        assert not [each for each in attributes if re.match("on[a-z]", each)]
    return found
