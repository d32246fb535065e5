"""A set of digests that is small enough for millions."""

from __future__ import annotations

from array import array
from collections.abc import Hashable
from typing import Final, final

_FIRST_SLOTS: Final = 1 << 12


def digest(of: Hashable) -> int:
    """64 bits of a text or position, the same within this process only.

    Python keys the hash of texts by a secret of the process. Among a million texts two have the same digest with a
    chance of 3 in 100 million.
    """
    return hash(of) or 1


@final
class Seen:
    """Digests that were met before: 12 to 24 bytes each, where a set of Python's takes 90.

    A table of open addresses; 0 marks a free slot.
    """

    def __init__(self) -> None:
        self._slots = _free(_FIRST_SLOTS)
        self._count = 0

    def add(self, found: int) -> bool:
        """Remember a digest, and tell whether it is new."""
        if not _put(self._slots, found):
            return False
        self._count += 1
        if 3 * self._count > 2 * len(self._slots):
            larger = _free(2 * len(self._slots))
            for each in self._slots:
                if each:
                    _put(larger, each)
            self._slots = larger
        return True


def _free(slots: int) -> array[int]:
    return array("q", (0,)) * slots


def _put(slots: array[int], found: int) -> bool:
    last = len(slots) - 1
    at = found & last
    while held := slots[at]:
        if held == found:
            return False
        at = (at + 1) & last
    slots[at] = found
    return True
