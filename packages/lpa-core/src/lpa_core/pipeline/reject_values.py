"""What the columns of a reject's row can hold, made of anything that a record, a plugin or a broker says.

A reject is the last place for a record: nothing in it may be a reason to refuse it, too.
"""

from __future__ import annotations

from typing import Final

from lpa_core.events.coercion import MAX_EPOCH_MS, whole_number

MAX_ATTEMPT: Final = 2**16 - 1
MAX_DETAILS: Final = 4096
"""Characters of a failure's details."""


def text(value: object) -> str:
    """Text that is valid UTF-8: what no encoding can hold becomes question marks."""
    found = value if isinstance(value, str) else str(value)
    return found if found.isascii() else found.encode(errors="replace").decode()


def details(value: object) -> str:
    """A failure's details: what an exception says may repeat a whole record."""
    return text(value)[:MAX_DETAILS]


def attempt(value: object) -> int:
    """How often a record was replayed: what it says, from 0 to 65,535."""
    return min(max(whole_number(value) or 0, 0), MAX_ATTEMPT)


def record_timestamp(time: int, batch_time: int) -> int:
    """Epoch ms of a record, or ``batch_time`` if the producer gave it none, or one that no column holds."""
    return time if 0 <= time <= MAX_EPOCH_MS else batch_time
