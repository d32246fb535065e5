"""The contract of a start check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

import attrs

from lpa_core.events.event_type import EventType
from lpa_core.health.check import Finding
from lpa_core.settings.settings import Settings

CHECK_SECONDS = 15.0


@final
@attrs.frozen
class PlannedStart:
    """The job that would be started.

    Attributes:
        settings: those that are usable.
        source: a file, ``-``, or another URI; None for Kafka by the settings.
        sinks, dedup: URIs, with the defaults filled in.
        archive: None if records are not kept.
        kafka: whether brokers are part of it; not if nothing names any.
        event_types: those that are collected, the plugins' among them.
    """

    settings: Settings
    source: str | None
    sinks: Sequence[str]
    dedup: str
    archive: str | None
    kafka: bool
    event_types: Sequence[EventType]


@final
@attrs.frozen
class StartCheck:
    """A question about what a job needs, asked before it starts. It changes nothing.

    ``judge`` is called in a thread of its own. It returns a Finding, or raises NotApplicable if nothing can be judged.
    If it raises anything else, or returns anything else, or takes too long, the check has failed.

    Attributes:
        name: lower-case words joined by underscores.
        title: what it is about, in a few words.
        subject: which of several things of a kind it is about, such as one of two sinks; else empty.
        after: names of the checks without which this one cannot be tried, of the same subject or of none.
        seconds: how long it may take.
    """

    name: str
    title: str
    judge: Callable[[PlannedStart], Finding]
    subject: str = ""
    after: tuple[str, ...] = ()
    seconds: float = CHECK_SECONDS


def is_start_check(brought: object) -> bool:
    """Whether it can be asked, and what it says be shown."""
    if not isinstance(brought, StartCheck):
        return False
    texts: tuple[object, ...] = (brought.name, brought.title, brought.subject, *brought.after)
    judge: object = brought.judge
    return all(type(text) is str for text in texts) and callable(judge) and type(brought.seconds) in (int, float)
