"""From loosely typed JSON values to what a column holds.

One function a rule, ``rule(value, unfit)``; ``value`` is None if the field is missing. The rules
and their fall-backs are those of docs/spec/events.md section 2. Integers are parsed in full. A value that its column
cannot hold counts in ``unfit`` (a one-element list) and becomes the rule's fall-back. Missing, null and blank text
count nowhere: there is nothing that could be held.
"""

from __future__ import annotations

import math
import re
import sys
from typing import Any, TypeVar

MIN_EPOCH_MS = -2_208_988_800_000
"""1900-01-01, the first instant of ClickHouse's DateTime64."""
MAX_EPOCH_MS = 10_413_791_999_999
"""The last millisecond of 2299, the last of ClickHouse's DateTime64."""
MAX_FLOAT32 = 3.4028234663852886e38

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_MAX_DIGITS = 40
"""More digits fit no column; Python refuses to parse some thousands of them."""

Unfit = list[int]

T = TypeVar("T")


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def scalar_text(value: Any) -> str | None:
    """Any scalar as text, numbers and booleans as JSON writes them; None for the rest.

    A number beyond doubles is none: as text it would be equal to every other one.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return str(value)
    return None


def whole_number(value: Any) -> int | None:
    """A number truncated toward zero, or a string that is a whole number; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else None
    if isinstance(value, str):
        text = value.strip()
        if len(text) <= _MAX_DIGITS and _WHOLE_NUMBER.fullmatch(text):
            return int(text)
    return None


def epoch(value: Any) -> int | None:
    """What is meant as epoch milliseconds: a number or a string of digits of any size; None for anything else."""
    if isinstance(value, str):
        text = value.strip()
        return int(text) if len(text) <= _MAX_DIGITS and _DIGITS.fullmatch(text) else None
    return whole_number(value)


def timestamp(value: Any) -> int | None:
    """Epoch milliseconds from a number or a string of digits; None for anything else.

    A time outside 1900 to 2299 is none: no column could hold it.
    """
    number = epoch(value)
    if number is None or not MIN_EPOCH_MS <= number <= MAX_EPOCH_MS:
        return None
    return number


def number_or_none(value: Any) -> float | None:
    """A number, or a string that is one; else None."""
    if is_number(value):
        return _as_float(value)
    if isinstance(value, str):
        try:
            return float(value.strip()) if "_" not in value else None
        except ValueError:
            return None
    return None


def _as_float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def ignored(value: Any, unfit: Unfit) -> None:
    """For what is judged on the document itself."""


def anything(value: Any, unfit: Unfit) -> Any:
    """For what only has to be there."""
    return value


def text_or_empty(value: Any, unfit: Unfit) -> str:
    return nullable_text(value, unfit) or ""


def nullable_text(value: Any, unfit: Unfit) -> str | None:
    text = scalar_text(value)
    if text is None:
        unfit[0] += value is not None
    return text or None


def nullable_timestamp(value: Any, unfit: Unfit) -> int | None:
    return _counted(value, timestamp(value), unfit)


def nullable_epoch(value: Any, unfit: Unfit) -> int | None:
    return _counted(value, epoch(value), unfit)


def _counted(value: Any, held: T | None, unfit: Unfit) -> T | None:
    """What is held of a value; something of which nothing is held counts."""
    if held is None:
        unfit[0] += not (value is None or (isinstance(value, str) and not value.strip()))
    return held


def float64_or_zero(value: Any, unfit: Unfit) -> float:
    number = _counted(value, number_or_none(value), unfit)
    if number is None:
        return 0.0
    if math.isfinite(number):
        return number
    unfit[0] += 1
    return 0.0


def float32_or_zero(value: Any, unfit: Unfit) -> float:
    number = _counted(value, number_or_none(value), unfit)
    if number is None:
        return 0.0
    if -MAX_FLOAT32 <= number <= MAX_FLOAT32:
        return number
    unfit[0] += 1
    return 0.0


def _nullable_float(value: Any, unfit: Unfit, most: float) -> float | None:
    number = _counted(value, number_or_none(value), unfit)
    if number is None or -most <= number <= most:
        return number
    unfit[0] += 1
    return None


def nullable_float64(value: Any, unfit: Unfit) -> float | None:
    return _nullable_float(value, unfit, sys.float_info.max)


def nullable_float32(value: Any, unfit: Unfit) -> float | None:
    return _nullable_float(value, unfit, MAX_FLOAT32)


def _int_or_zero(value: Any, unfit: Unfit, least: int, most: int) -> int:
    number = number_or_none(value) if isinstance(value, str) and whole_number(value) is None else value
    whole = _counted(value, whole_number(number), unfit)
    if whole is None:
        return 0
    if least <= whole <= most:
        return whole
    unfit[0] += 1
    return 0


def int32_or_zero(value: Any, unfit: Unfit) -> int:
    return _int_or_zero(value, unfit, -(2**31), 2**31 - 1)


def int64_or_zero(value: Any, unfit: Unfit) -> int:
    return _int_or_zero(value, unfit, -(2**63), 2**63 - 1)


def uint8_or_zero(value: Any, unfit: Unfit) -> int:
    return int(value) if isinstance(value, bool) else _int_or_zero(value, unfit, 0, 2**8 - 1)


def uint16_or_zero(value: Any, unfit: Unfit) -> int:
    return _int_or_zero(value, unfit, 0, 2**16 - 1)


def uint32_or_zero(value: Any, unfit: Unfit) -> int:
    return _int_or_zero(value, unfit, 0, 2**32 - 1)


def uint63_or_zero(value: Any, unfit: Unfit) -> int:
    return _int_or_zero(value, unfit, 0, 2**63 - 1)


def _nullable_int(value: Any, unfit: Unfit, least: int, most: int) -> int | None:
    whole = _counted(value, whole_number(value), unfit)
    if whole is None or least <= whole <= most:
        return whole
    unfit[0] += 1
    return None


def nullable_int32(value: Any, unfit: Unfit) -> int | None:
    return _nullable_int(value, unfit, -(2**31), 2**31 - 1)


def nullable_int64(value: Any, unfit: Unfit) -> int | None:
    return _nullable_int(value, unfit, -(2**63), 2**63 - 1)


def nullable_uint8(value: Any, unfit: Unfit) -> int | None:
    return int(value) if isinstance(value, bool) else _nullable_int(value, unfit, 0, 2**8 - 1)


def nullable_uint16(value: Any, unfit: Unfit) -> int | None:
    return _nullable_int(value, unfit, 0, 2**16 - 1)


def nullable_uint32(value: Any, unfit: Unfit) -> int | None:
    return _nullable_int(value, unfit, 0, 2**32 - 1)


def nullable_uint63(value: Any, unfit: Unfit) -> int | None:
    return _nullable_int(value, unfit, 0, 2**63 - 1)


def nullable_flag(value: Any, unfit: Unfit) -> int | None:
    return int(value) if isinstance(value, bool) else nullable_int32(value, unfit)


def blank(text: str | None) -> bool:
    """Null, empty or white space only."""
    return not text or text.isspace()


def address(text: str) -> str:
    """A wallet address trimmed and in lower case; empty for a blank one."""
    return text.strip().lower()
