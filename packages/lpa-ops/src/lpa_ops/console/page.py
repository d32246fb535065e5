"""What a page is: an address, a template, and the reading that makes its content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, final

import attrs

from lpa_core.errors import UsageError
from lpa_core.health.report import HealthReport
from lpa_core.settings.settings import Settings
from lpa_core.time_window import parse_time, require_order
from lpa_ops.console.backups import KnownBackups
from lpa_ops.console.database import ConsoleDatabase
from lpa_ops.console.partitions import PartitionReport
from lpa_ops.console.replay_jobs import ReplayJobs
from lpa_ops.console.trends import Measured
from lpa_ops.read_api.problem import ReadRefused
from lpa_ops.trace.gather import Surroundings
from lpa_replay.staging.trial import RepairTrial
from lpa_sinks.clickhouse.read_only import QueryResult

_EARLIEST_MS: Final = 365 * 86_400_000


@final
@attrs.frozen(kw_only=True)
class ConsoleSources:
    """What pages read from.

    Attributes:
        trends: what each check measured before, in the order of time.
        partitions: how far partitions are and what holds them up.
        health: the latest results of the health checks; without results until the first round has ended.
        backups: those of the database.
        surroundings: what a trace asks beside the database.
        query: the rows of a statement that a person wrote.
        repairs: today's verdict on records that a fix repairs.
        replays: those that were asked for in the console.
    """

    database: ConsoleDatabase
    health: Callable[[], HealthReport]
    trends: Callable[[], Mapping[str, Sequence[Measured]]]
    partitions: Callable[[], PartitionReport]
    backups: Callable[[], KnownBackups]
    surroundings: Surroundings
    query: Callable[[str], QueryResult]
    repairs: RepairTrial
    replays: ReplayJobs

    @property
    def settings(self) -> Settings:
        return self.surroundings.settings


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

    def window(self) -> tuple[int, int]:
        """``since`` and ``until``, the latter exclusive, epoch ms. Raises UsageError if they are not times in order."""
        begin = parse_time(self.text("since", "24h"), "since", self.now_ms)
        end = parse_time(self.text("until"), "until", self.now_ms) if self.text("until") else self.now_ms
        require_order(begin, end, "since", "until")
        if begin < _EARLIEST_MS:
            raise UsageError(f"since={self.text('since')}: this reaches too far back, not before 1971")
        return begin, end

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
        form: whether a form may ask for ``read``, too: what is typed is too long for an address.
    """

    path: str
    title: str
    template: str
    read: Callable[[ConsoleSources, PageRequest], Mapping[str, Any]]
    within: str = ""
    refreshed: bool = False
    posted: bool = False
    form: bool = False


@final
@attrs.frozen
class ConsoleAction:
    """What a form of a page starts.

    Attributes:
        path: without a slash at its ends.
        act: starts it, and returns the path and query of the page that shows how it goes. It may block.
        changes: whether it changes what is stored. That needs a login with LPA_CONSOLE_TOKEN.
    """

    path: str
    act: Callable[[ConsoleSources, PageRequest], str]
    changes: bool


def missing(what: str) -> ReadRefused:
    """Why there is no such page."""
    return ReadRefused(HTTPStatus.NOT_FOUND, what)
