"""Events as of now: how many streams send about so many events a second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from lpa_core.generate.generator import timed
from lpa_core.generate.mixture import Mixture

_ENDLESS: Final = 10**12
"""Events that nobody sees the end of."""
_EVENTS_OF_A_SESSION: Final = 150
"""On average: a stream of about six minutes."""
_EVENTS_A_SECOND_OF_A_STREAM: Final = 0.38
"""Measured over sessions of that size."""


def live(mixture: Mixture, rate: float, start_ms: int) -> Iterator[tuple[int, bytes]]:
    """(epoch ms when it is to be sent, record) without end, in the order of these times.

    Args:
        mixture: its ``events`` and ``sessions`` have no effect.
        rate: records a second on average, 1 or more. It swings around that, as streams begin and end.
        start_ms: epoch ms when the first streams begin.

    Raises:
        ValueError: the rate is below 1.
    """
    if not rate >= 1:
        raise ValueError(f"rate is {rate:g}: give 1 or more events a second")
    endless = attrs.evolve(mixture, events=_ENDLESS, sessions=1)
    sessions = max(1, endless.of_streams // _EVENTS_OF_A_SESSION)
    at_once = max(1, round(rate * endless.of_streams / _ENDLESS / _EVENTS_A_SECOND_OF_A_STREAM))
    return timed(attrs.evolve(endless, sessions=sessions), start_ms, streams_at_once=at_once)
