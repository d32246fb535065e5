"""Counts in sentences for people."""

from __future__ import annotations


def counted(number: int, one: str, several: str = "") -> str:
    """``1 record``, ``2 records``. ``several`` is what more than one are called, if that is not ``one`` and an s."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
