"""The contract of a health check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import final

import attrs

from lpa_core.errors import JobFailed
from lpa_core.events.event_type import EventType
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.settings.settings import Settings
from lpa_core.settings.thresholds import State, Thresholds


class NotApplicable(JobFailed):
    """Nothing could be judged. The message says in one line what is missing."""


@final
@attrs.frozen
class Scope:
    """What is looked at.

    Attributes:
        now_ms, since_ms: epoch ms; what happened from ``since_ms`` on, and before ``now_ms``, is judged.
        sink: URI of the database; None for the embedded one in the data folder.
        dedup: URI of the dedup store; None for RocksDB in the data folder.
        kafka: whether the topics and the consumer group of the settings are part of this system.
        given_up: partitions of the asking job that need a person, and why; empty if a command asks.
        event_types: those that are collected, the plugins' among them.
        shared: whether the embedded database is read through the process that has it open, so that no check keeps
            another process from opening it.
    """

    settings: Settings
    now_ms: int
    since_ms: int
    sink: str | None = None
    dedup: str | None = None
    kafka: bool = False
    given_up: Mapping[str, str] = attrs.field(factory=dict[str, str])
    event_types: Sequence[EventType] = BUILTIN_EVENT_TYPES
    shared: bool = False


@final
@attrs.frozen
class Figure:
    """A number that a check rests on, as the metric ``lpa_health_check_figure``.

    Attributes:
        name: what it counts, lower-case words joined by underscores.
        gateway, pipeline: whose it is; empty if it is of all of them. A check gives a bounded number of them.
    """

    name: str
    value: float
    gateway: str = ""
    pipeline: str = ""


@final
@attrs.frozen
class Finding:
    """What a check found.

    Attributes:
        detail: one line for people, with the figures that the judgement rests on.
        value: the figure that the thresholds are about, a finite number; None if there is none.
        action: what to do next, one line; empty if all is well.
        figures: numbers for alerts, beside the value.
    """

    state: State
    detail: str
    value: float | None = None
    thresholds: Thresholds | None = None
    action: str = ""
    figures: Sequence[Figure] = ()

    @classmethod
    def of(cls, value: float, thresholds: Thresholds, detail: str, action: str) -> Finding:
        """A value judged by its thresholds; ``action`` is for where it is beyond one."""
        state = thresholds.judge(value)
        return cls(state, detail, value, thresholds, "" if state is State.OK else action)


@final
@attrs.frozen
class HealthCheck:
    """A question that is asked again and again.

    ``judge`` may block for as long as ``HEALTH_TIMEOUT_SECONDS``; it is called in a thread of its own. It raises
    NotApplicable if nothing can be judged. If it raises anything else, or returns anything else, the check has failed.

    Attributes:
        name: lower-case words joined by underscores.
        title: what it is about, in a few words.
        unit: of the value; empty if it is a mere number.
        severity: how bad it is when the check itself fails.
        costly: whether a running job asks it more seldom than others.
        runbook: where it is written what to do, a path or a URL.
    """

    name: str
    title: str
    judge: Callable[[Scope], Finding]
    unit: str = ""
    severity: State = State.CRITICAL
    costly: bool = False
    runbook: str = ""


@final
@attrs.frozen
class CheckResult:
    """A check's finding, and how long it took."""

    check: HealthCheck
    finding: Finding
    seconds: float
    checked_ms: int


def is_health_check(brought: object) -> bool:
    """Whether it can be asked, and what it says be shown."""
    if not isinstance(brought, HealthCheck):
        return False
    texts: tuple[object, ...] = (brought.name, brought.title, brought.unit, brought.runbook)
    judge: object = brought.judge
    severity: object = brought.severity
    costly: object = brought.costly
    return (
        all(type(text) is str for text in texts)
        and callable(judge)
        and isinstance(severity, State)
        and isinstance(costly, bool)
    )
