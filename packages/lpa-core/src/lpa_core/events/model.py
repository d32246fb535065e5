"""The types that event models are made of.

A model is made of an event type's columns (:mod:`lpa_core.events.model_from_columns`), or is a class whose attributes
are named as in the JSON: a msgspec struct, or an attrs class. Its annotations say what a well-formed record carries;
msgspec decodes such a record straight into the class. A record that does not fit is coerced, field by field, by the
rule that the annotation names (:mod:`lpa_core.events.coercion`). Rules: docs/spec/events.md section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, final, get_args, get_origin

import attrs
import msgspec

from lpa_core.events import coercion as rule
from lpa_core.events.fields import is_model
from lpa_core.events.times import Believed
from lpa_core.tables.table import Column, Kind

MIN_EPOCH_MS = rule.MIN_EPOCH_MS
MAX_EPOCH_MS = rule.MAX_EPOCH_MS


@final
@attrs.frozen(slots=True)
class Stored:
    """Annotates a type whose values a column stores as something else: what ``convert`` makes of them."""

    convert: Callable[[Any], Any]


def _flag(value: bool | int | None) -> int | None:
    return None if value is None else int(value)


Text = Annotated[str, rule.text_or_empty]
"""Any scalar as text; anything else is empty."""

NullableText = Annotated[str | None, rule.nullable_text]
"""Any scalar as text; missing, null and empty are null."""

Address = Annotated[str, rule.text_or_empty, Stored(rule.address)]
"""Text that a column stores trimmed and in lower case."""

Float32 = Annotated[float, msgspec.Meta(ge=-rule.MAX_FLOAT32, le=rule.MAX_FLOAT32), rule.float32_or_zero]
Float64 = Annotated[float, rule.float64_or_zero]
NullableFloat32 = Annotated[
    Annotated[float, msgspec.Meta(ge=-rule.MAX_FLOAT32, le=rule.MAX_FLOAT32)] | None, rule.nullable_float32
]
NullableFloat64 = Annotated[float | None, rule.nullable_float64]
Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1), rule.int32_or_zero]
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1), rule.int64_or_zero]
UInt8 = Annotated[bool | Annotated[int, msgspec.Meta(ge=0, le=2**8 - 1)], rule.uint8_or_zero, Stored(int)]
"""A number, or a boolean as 1 or 0."""
UInt16 = Annotated[int, msgspec.Meta(ge=0, le=2**16 - 1), rule.uint16_or_zero]
UInt32 = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1), rule.uint32_or_zero]
DigitsOrUInt32 = Annotated[
    Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] | Annotated[str, msgspec.Meta(pattern="^[0-9]{1,9}$")],
    rule.uint32_or_zero,
    Stored(int),
]
"""For what producers write in quotes: a column stores it as a number."""
UInt64 = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1), rule.uint63_or_zero]
NullableInt32 = Annotated[Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)] | None, rule.nullable_int32]
NullableInt64 = Annotated[Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None, rule.nullable_int64]
NullableUInt8 = Annotated[
    bool | Annotated[int, msgspec.Meta(ge=0, le=2**8 - 1)] | None, rule.nullable_uint8, Stored(_flag)
]
NullableUInt16 = Annotated[Annotated[int, msgspec.Meta(ge=0, le=2**16 - 1)] | None, rule.nullable_uint16]
NullableUInt32 = Annotated[Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] | None, rule.nullable_uint32]
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


_ANY_VERSION = Annotated[str | int | float | None, rule.ignored]
"""Read only where the envelope has no ``version``; judged by the validator chain."""


class EventStruct(msgspec.Struct, frozen=True, gc=False):
    """What any ``data`` object may carry beside its own fields. Its structs cost the garbage collector nothing."""

    version: _ANY_VERSION = None


@attrs.frozen(slots=True)
class EventData:
    """The same for models that are attrs classes."""

    version: _ANY_VERSION = None


@final
@attrs.frozen(slots=True)
class OrchestratorInfo:
    address: Text = ""
    url: Text = ""


_BY_KIND: Final[dict[tuple[Kind, bool], Any]] = {
    (Kind.TEXT, False): Text,
    (Kind.TEXT, True): NullableText,
    (Kind.LABEL, False): Text,
    (Kind.LABEL, True): NullableText,
    (Kind.INT32, False): Int32,
    (Kind.INT32, True): NullableInt32,
    (Kind.INT64, False): Int64,
    (Kind.INT64, True): NullableInt64,
    (Kind.UINT8, False): UInt8,
    (Kind.UINT8, True): NullableUInt8,
    (Kind.UINT16, False): UInt16,
    (Kind.UINT16, True): NullableUInt16,
    (Kind.UINT32, False): UInt32,
    (Kind.UINT32, True): NullableUInt32,
    (Kind.UINT64, False): UInt64,
    (Kind.UINT64, True): NullableUInt64,
    (Kind.FLOAT32, False): Float32,
    (Kind.FLOAT32, True): NullableFloat32,
    (Kind.FLOAT64, False): Float64,
    (Kind.FLOAT64, True): NullableFloat64,
    (Kind.TIMESTAMP, True): NullableTimestamp,
}


def annotation_of(column: Column, *, nullable: bool) -> Any:
    """The type of what a column reads. Raises ValueError if a kind has no value for what is missing."""
    if column.reads is not None:
        return column.reads
    try:
        return _BY_KIND[column.kind, nullable]
    except KeyError:
        raise ValueError("a time that may be missing is nullable, or is otherwise $.timestamp") from None


def carries_version(model: object) -> Callable[[object], bool]:
    """A test for decoded data: does it carry a ``version`` of its own?

    Raises TypeError if the model has an object that derives from neither EventData nor EventStruct: its version
    would go unseen.
    """
    members = [m for m in (get_args(model) or (model,)) if is_model(m)]
    if get_origin(model) is list:
        return lambda data: False
    for member in members:
        if not issubclass(member, EventData | EventStruct):
            raise TypeError(f"{member.__qualname__} must derive from EventData, so that data.version is seen")
    if len(members) == 1 and members[0] is model:
        return lambda data: data.version is not None  # type: ignore[attr-defined]  # an EventData
    return lambda data: isinstance(data, EventData | EventStruct) and data.version is not None
