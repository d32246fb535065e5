"""Values of any query as text, and as JSON has them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any


def text_of(value: Any) -> str:
    """The value as one text; ``null`` for none."""
    if value is None:
        return "null"
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def plain(value: Any) -> Any:
    """The value as JSON has it: what has no type there is text."""
    if isinstance(value, dict):
        return {text_of(key): plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(each) for each in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    return text_of(value)
