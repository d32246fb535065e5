"""The types that event models are made of.

A model is an attrs class whose attributes are named as in the JSON. Its annotations say
what a well-formed record carries; msgspec decodes such a record straight into the class.
A record that does not fit is coerced, field by field, by the rule that the annotation names
(:mod:`lpa_core.events.coercion`). Rules: spec/events.md section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, final, get_args, get_origin

import attrs
import msgspec

from lpa_core.events import coercion as rule
from lpa_core.events.times import Believed

MIN_EPOCH_MS = rule.MIN_EPOCH_MS
MAX_EPOCH_MS = rule.MAX_EPOCH_MS

Text = Annotated[str, rule.text_or_empty]
"""Any scalar as text; anything else is empty."""

NullableText = Annotated[str | None, rule.nullable_text]
"""Any scalar as text; missing, null and empty are null."""

Float32 = Annotated[float, msgspec.Meta(ge=-rule.MAX_FLOAT32, le=rule.MAX_FLOAT32), rule.float32_or_zero]
Float64 = Annotated[float, rule.float64_or_zero]
UInt16 = Annotated[int, msgspec.Meta(ge=0, le=2**16 - 1), rule.uint16_or_zero]
UInt32 = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1), rule.uint32_or_zero]
DigitsOrUInt32 = Annotated[
    Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] | Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,9}\Z")],
    rule.uint32_or_zero,
]
"""For what producers write in quotes: whoever shapes it makes an int of it."""
UInt64 = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1), rule.uint63_or_zero]
NullableInt32 = Annotated[Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)] | None, rule.nullable_int32]
NullableInt64 = Annotated[Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None, rule.nullable_int64]
NullableUInt64 = Annotated[Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None, rule.nullable_uint63]
NullableTimestamp = Annotated[
    Annotated[int, msgspec.Meta(ge=MIN_EPOCH_MS, le=MAX_EPOCH_MS)] | None, rule.nullable_timestamp
]
"""Epoch milliseconds, from 1900 to 2299."""
NearTimestamp = Annotated[
    Annotated[int, msgspec.Meta(ge=MIN_EPOCH_MS, le=MAX_EPOCH_MS)] | None, Believed.NEAR, rule.nullable_epoch
]
"""Epoch milliseconds, null beyond 10 minutes around the event's: when the event happened, as its data have it."""
PastTimestamp = Annotated[
    Annotated[int, msgspec.Meta(ge=MIN_EPOCH_MS, le=MAX_EPOCH_MS)] | None, Believed.PAST, rule.nullable_epoch
]
"""Epoch milliseconds, null before 2000-01-01 and beyond 10 minutes after the event: of something before the event."""
Flag = Annotated[bool | Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)] | None, rule.nullable_flag]
"""A boolean as 1 or 0, else a nullable integer."""


@attrs.frozen(slots=True)
class EventData:
    """What any ``data`` object may carry beside its own fields."""

    version: Annotated[str | int | float | None, rule.ignored] = None
    """Read only where the envelope has no ``version``; judged by the validator chain."""


@final
@attrs.frozen(slots=True)
class OrchestratorInfo:
    address: Text = ""
    url: Text = ""


def carries_version(model: object) -> Callable[[object], bool]:
    """A test for decoded data: does it carry a ``version`` of its own?

    Raises TypeError where the model has an object that does not derive from EventData: its version would go unseen.
    """
    members = [m for m in (get_args(model) or (model,)) if isinstance(m, type) and attrs.has(m)]
    if get_origin(model) is list:
        return lambda data: False
    for member in members:
        if not issubclass(member, EventData):
            raise TypeError(f"{member.__qualname__} must derive from EventData, so that data.version is seen")
    if len(members) == 1 and members[0] is model:
        return lambda data: data.version is not None  # type: ignore[attr-defined]  # an EventData
    return lambda data: isinstance(data, EventData) and data.version is not None
