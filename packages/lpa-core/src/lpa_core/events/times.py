"""Which times are believed: that of an event, and those that its data tell (docs/spec/producers.md section 4).

A time is never converted: what is in another unit is left out, and counted by what it looks like. All are epoch ms.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Sequence
from enum import Enum, StrEnum
from functools import partial
from typing import Any, Final

from lpa_core.events.fields import fields, is_model, replaced

EARLIEST_EVENT_MS: Final = 946_684_800_000
"""2000-01-01: what is earlier has another unit, or is of a clock that was never set."""
MOST_AHEAD_MS: Final = 86_400_000
"""An event happens at most this long after its record: 24 hours."""
MOST_APART_MS: Final = 600_000
"""Times of one moment differ by at most this: 10 minutes, below any step of a time zone."""


class DiscardedTime(StrEnum):
    """What a time that is not believed looks like."""

    SECONDS = "seconds"
    """Taken as seconds it would be believed."""
    SKEW = "skew"
    """Within 24 hours of the event."""
    OTHER = "other"


class Believed(Enum):
    """When a time in the data of an event is believed. Annotates a field of an event model."""

    NEAR = "near"
    """Within 10 minutes of the event: when the event happened, by the producer's own account."""
    PAST = "past"
    """From 2000-01-01 to 10 minutes after the event: when something before it happened."""


Settle = Callable[[Any, int, list[DiscardedTime]], Any]
"""``settle(value, event_ms, discarded)``: the value without times not believed, which are noted as discarded."""


def latest_event_times(
    record_times: Sequence[int] | None, batch_time: int, records: int, most_ahead_ms: int
) -> Sequence[int]:
    """For each record the latest time that its event may have.

    A record without a time, or with one that cannot be, such as -1, is taken to be of the batch's time.
    """
    otherwise = batch_time + most_ahead_ms
    if record_times is None:
        return [otherwise] * records
    return [time + most_ahead_ms if EARLIEST_EVENT_MS <= time <= otherwise else otherwise for time in record_times]


def latest_of_replayed(latest: int, record_time: int | None) -> int:
    """The latest time of an event that was read before, at ``record_time``: what was ahead of it then still is."""
    if record_time is None or record_time < EARLIEST_EVENT_MS:
        return latest
    return min(latest, record_time + MOST_AHEAD_MS)


def near(time: int, event_ms: int) -> bool:
    return -MOST_APART_MS <= time - event_ms <= MOST_APART_MS


def past(time: int, event_ms: int) -> bool:
    return EARLIEST_EVENT_MS <= time <= event_ms + MOST_APART_MS


_RULES: Final[dict[Believed, Callable[[int, int], bool]]] = {Believed.NEAR: near, Believed.PAST: past}


def settling(annotation: Any) -> Settle | None:
    """What takes disbelieved times out of values of the annotated type; None if these hold none.

    Understands what :func:`lpa_core.events.lenient_decoding.coercion_for` does.
    """
    if is_model(annotation):
        return _settling_object(annotation)
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        believed = next((each for each in annotation.__metadata__ if isinstance(each, Believed)), None)
        return None if believed is None else partial(_time, _RULES[believed])
    members = [(each, settle) for each in typing.get_args(annotation) if (settle := settling(each)) is not None]
    if not members:
        return None
    if origin is list:
        return partial(_items, members[0][1])
    if origin is dict:
        return partial(_values, members[0][1])
    assert origin is types.UnionType or origin is typing.Union, annotation
    return partial(_member, {typing.get_origin(each) or each: settle for each, settle in members})


def _time(
    believed: Callable[[int, int], bool], value: int, event_ms: int, discarded: list[DiscardedTime]
) -> int | None:
    if believed(value, event_ms):
        return value
    if believed(value * 1000, event_ms):
        discarded.append(DiscardedTime.SECONDS)
    elif abs(value - event_ms) <= MOST_AHEAD_MS:
        discarded.append(DiscardedTime.SKEW)
    else:
        discarded.append(DiscardedTime.OTHER)
    return None


def _settling_object(model: type[Any]) -> Settle | None:
    found = [(attribute, settling(annotation)) for attribute, _, annotation in fields(model)]
    settled = [(attribute, settle) for attribute, settle in found if settle is not None]
    if not settled:
        return None

    def settle(value: Any, event_ms: int, discarded: list[DiscardedTime]) -> Any:
        for attribute, settle_field in settled:
            before = getattr(value, attribute)
            if before is not None:
                after = settle_field(before, event_ms, discarded)
                if after is not before:
                    value = replaced(value, **{attribute: after})
        return value

    return settle


def _items(settle: Settle, value: list[Any], event_ms: int, discarded: list[DiscardedTime]) -> list[Any]:
    settled = [each if each is None else settle(each, event_ms, discarded) for each in value]
    return value if all(map(_same, value, settled)) else settled


def _values(settle: Settle, value: dict[str, Any], event_ms: int, discarded: list[DiscardedTime]) -> dict[str, Any]:
    settled = _items(settle, list(value.values()), event_ms, discarded)
    return dict(zip(value, settled, strict=True))


def _member(by_shape: dict[Any, Settle], value: Any, event_ms: int, discarded: list[DiscardedTime]) -> Any:
    settle = by_shape.get(type(value))
    return value if settle is None else settle(value, event_ms, discarded)


def _same(one: object, other: object) -> bool:
    return one is other
