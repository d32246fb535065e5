"""Records at their times, as a clock reaches them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

_TICK_SECONDS: Final = 0.05
"""Records of so much time go together."""

Sent = TypeVar("Sent")


def paced(
    records: Iterator[tuple[int, Sent]], now_ms: Callable[[], int], wait: Callable[[float], bool]
) -> Iterator[list[Sent]]:
    """What is due by now, again and again.

    Args:
        records: (epoch ms when it is due, what is due), in the order of these times.
        wait: waits for some seconds and returns whether to stop.
    """
    due: list[Sent] = []
    for at, record in records:
        early = at - now_ms()
        if early > 0:
            if due:
                yield due
                due = []
            if wait(max(_TICK_SECONDS, early / 1000)):
                return
        due.append(record)
    if due:
        yield due
