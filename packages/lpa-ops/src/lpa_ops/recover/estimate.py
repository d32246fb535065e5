"""How long a recovery takes, roughly: figures of a small machine."""

from __future__ import annotations

from typing import Final

_BYTES_A_SECOND: Final = 50_000_000
_RECORDS_A_SECOND: Final = 10_000
_LEAST: Final = 1


def seconds_to_restore(size: int) -> int:
    """Of a backup of so many bytes: its files are read once to be checked, and once to be restored."""
    return max(_LEAST, 2 * size // _BYTES_A_SECOND)


def seconds_to_read(records: int) -> int:
    return records // _RECORDS_A_SECOND
