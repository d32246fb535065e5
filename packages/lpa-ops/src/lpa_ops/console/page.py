"""What a page is: an address, a template, and the reading that makes its content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, final

import attrs

from lpa_core.health.report import HealthReport
from lpa_core.settings.settings import Settings
from lpa_core.time_window import parse_time
from lpa_ops.console.database import ConsoleDatabase
from lpa_ops.read_api.problem import ReadRefused


@final
@attrs.frozen
class ConsoleSources:
    """What pages read from.

    Attributes:
        health: the latest results of the health checks; without results until the first round has ended.
    """

    database: ConsoleDatabase
    health: Callable[[], HealthReport]
    settings: Settings


@final
@attrs.frozen
class PageRequest:
    """What a browser asks a page.

    Attributes:
        values: parameters of the address, or of the form that was posted.
        now_ms: time of the request, epoch ms.
    """

    values: Mapping[str, str]
    now_ms: int

    def since_ms(self) -> int:
        """Epoch ms. Raises UsageError if ``since`` is not a time, ReadRefused if it is in the future."""
        begin = parse_time(self.text("since", "24h"), "since", self.now_ms)
        if begin >= self.now_ms:
            raise ReadRefused(HTTPStatus.BAD_REQUEST, f"since={self.values['since']}: this is not in the past")
        return begin

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, "").strip() or default


@final
@attrs.frozen
class ConsolePage:
    """A page below the console's root. Its ``.json`` twin has the same content.

    Attributes:
        path: without a slash at its ends.
        title: for the navigation and the browser.
        read: the content, as JSON has it. It may block.
        within: path of the page that the navigation shows as the present one.
        refreshed: whether the page looks for newer content by itself.
        posted: whether only a form may ask for ``read``; an address that is opened gets an empty content.
    """

    path: str
    title: str
    template: str
    read: Callable[[ConsoleSources, PageRequest], Mapping[str, Any]]
    within: str = ""
    refreshed: bool = False
    posted: bool = False


def missing(what: str) -> ReadRefused:
    """Why there is no such page."""
    return ReadRefused(HTTPStatus.NOT_FOUND, what)


def rows_of(content: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    rows: Sequence[Mapping[str, Any]] = content[name]
    return rows
