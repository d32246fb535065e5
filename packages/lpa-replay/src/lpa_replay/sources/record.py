"""A record as a source of replay hands it over, and what selects it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, final

import attrs
import msgspec

from lpa_core.events.coercion import MAX_EPOCH_MS, timestamp
from lpa_core.events.times import EARLIEST_EVENT_MS
from lpa_core.records import Position
from lpa_core.replays import ReplayRefused
from lpa_core.validation.reasons import FailureClass, Reason, Stage
from lpa_replay.sources.window import Clock, Window


@final
class Found(msgspec.Struct, gc=False, frozen=True):
    """A record and what is known of it. One is made per record: a struct that the garbage collector passes over.

    Times are epoch ms, None if nobody knows. ``failure_*`` are empty if the record had not failed.
    """

    payload: bytes | None
    place: Position
    """Where it was read from when it was rejected or archived."""
    record_ms: int | None = None
    event_ms: int | None = None
    ingested_ms: int | None = None
    failure_stage: str = ""
    failure_class: str = ""
    failure_reason: str = ""
    failure_details: str = ""
    event_type: str = ""
    dedup_key: str = ""
    attempt: int = 0
    """How often it had been replayed when it was rejected."""
    problem: str = ""
    """Why there is nothing to replay, whatever is done to it; empty if there is."""
    traceparent: str = ""
    """The record's header of that name; empty if it had none, or none that was kept."""

    def time(self, clock: Clock) -> int | None:
        """The time that a window is about."""
        if clock is Clock.INGESTION:
            return self.ingested_ms
        return self.record_ms if self.event_ms is None else self.event_ms


def possible_position(topic: str, partition: int, offset: int) -> Position | None:
    """None unless the numbers fit a partition (UInt32) and an offset (UInt64) (docs/spec/tables.md section 3)."""
    if 0 <= partition < 1 << 32 and 0 <= offset < 1 << 64:
        return Position(topic, partition, offset)
    return None


def possible_time(record_ms: int) -> int | None:
    """A record's time, epoch ms; None for one that no column holds: -1, or one of another unit."""
    return record_ms if 0 <= record_ms <= MAX_EPOCH_MS else None


@final
class _Glance(msgspec.Struct, gc=False):
    type: Any = None
    timestamp: Any = None


_glance: Final = msgspec.json.Decoder(_Glance).decode


def raw_record(
    payload: bytes | None,
    place: Position,
    record_ms: int | None,
    ingested_ms: int | None,
    problem: str = "",
    traceparent: str = "",
) -> Found:
    """A record that nobody has judged yet, with its event time and type if they can be read."""
    glance = _Glance()
    if payload is not None:
        with suppress(ValueError, RecursionError):
            glance = _glance(payload)
    happened = timestamp(glance.timestamp)
    return Found(
        payload,
        place,
        record_ms,
        None if happened is None or happened < EARLIEST_EVENT_MS else happened,
        ingested_ms,
        event_type=glance.type if isinstance(glance.type, str) else "",
        problem=problem or ("it has no value" if payload is None else ""),
        traceparent=traceparent,
    )


@final
@attrs.frozen(slots=True)
class Filters:
    """Which records of the window are meant; an empty filter lets all pass.

    ``where`` is a condition in SQL over the envelope's columns, for tables only.
    """

    classes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    partitions: tuple[int, ...] = ()
    where: str = ""

    def __attrs_post_init__(self) -> None:
        """Raises ReplayRefused if a class, reason or stage is none."""
        _require_known("--class", self.classes, FailureClass)
        _require_known("--reason", self.reasons, Reason)
        _require_known("--stage", self.stages, Stage)

    def let_pass(self, found: Found) -> bool:
        return (
            (not self.classes or found.failure_class in self.classes)
            and (not self.reasons or found.failure_reason in self.reasons)
            and (not self.types or found.event_type in self.types)
            and (not self.stages or found.failure_stage in self.stages)
            and (not self.partitions or found.place.partition in self.partitions)
        )

    def as_json(self) -> Mapping[str, Any]:
        """Those that are set."""
        return {name: value for name, value in attrs.asdict(self).items() if value}


def _require_known(option: str, given: tuple[str, ...], known: type[FailureClass] | type[Reason] | type[Stage]) -> None:
    names = [member.value for member in known]
    for value in given:
        if value not in names:
            raise ReplayRefused(f"{option} {value}: there are {', '.join(names)}")


@final
@attrs.frozen(slots=True)
class Selection:
    """What a source is asked for. It may hand over more: what counts is :meth:`takes`."""

    window: Window
    clock: Clock
    filters: Filters

    def takes(self, found: Found) -> bool:
        return self.filters.let_pass(found) and self._is_in_window(found, self.clock)

    def misses(self, found: Found) -> bool:
        """Whether it would be taken by the other clock, and is not by this one."""
        return (
            self._is_in_window(found, self.clock.other)
            and not self._is_in_window(found, self.clock)
            and self.filters.let_pass(found)
        )

    def _is_in_window(self, found: Found, clock: Clock) -> bool:
        if self.window.everything:
            return True
        moment = found.time(clock)
        return moment is not None and moment in self.window
