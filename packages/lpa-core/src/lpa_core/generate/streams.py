"""Many sessions at once: which begin when on which gateway, and how much each may tell."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random
from typing import final

from lpa_core.generate.network import Gateway
from lpa_core.generate.producer import Event, Producer
from lpa_core.generate.session import SessionEnding, Window, draw_outcome, session

_EVENTS_PER_SESSION = 24
"""A stream that starts, runs for a moment and closes leaves fewer."""
_CONCURRENT = 256
_BEGIN_MS = 25_000
"""In which streams begin that are all to run at once. A stream sends as much in its first seconds as later in this."""


def streams(
    rng: Random,
    network: tuple[Gateway, ...],
    start: int,
    events: int,
    sessions: int,
    at_once: int | None = None,
) -> Iterator[tuple[int, list[tuple[int, Event]]]]:
    """All that happens, as (moment, events from that moment on), in order of the moments in epoch ms.

    Has ``sessions`` streams, or as many as ``events`` suffice for, and always of ``events``
    at least: the stream started last goes on for ever. ``at_once`` of them run at any time,
    and these begin within seconds; by default it is as many as suit the sessions, and they begin one after the other.
    """
    sessions = max(1, min(sessions, events // _EVENTS_PER_SESSION))
    concurrent = min(sessions, max(3, sessions // 4), _CONCURRENT) if at_once is None else at_once
    gateways = network[: max(1, min(len(network), sessions // 3))]
    plan = _Plan(rng, events, sessions)
    tellers = [_announcements(plan, gateway, start - 1000) for gateway in gateways]
    moments = [start - 1000] * len(tellers)
    for place in range(concurrent):
        moments.append(start)
        tellers.append(_sessions(plan, gateways[place % len(gateways)], start))
        start += 500 + rng.randrange(4000) if at_once is None else rng.randrange(2 * _BEGIN_MS // concurrent + 1)
    waiting = [(moment, place) for place, moment in enumerate(moments)]
    while True:
        moment, place = heappop(waiting)
        window = next(tellers[place], None)
        if window is not None:
            yield moment, window[1]
            heappush(waiting, (window[0], place))


@final
class _Plan:
    """Shares out the events among the sessions that are still to begin."""

    def __init__(self, rng: Random, events: int, sessions: int) -> None:
        self.rng = rng
        self.left = sessions
        self.free = events

    def begin(self) -> tuple[SessionEnding, int]:
        self.left -= 1
        if not self.left:
            return SessionEnding.CLEAN, sys.maxsize
        budget = int(max(0, self.free) / (self.left + 1) * (0.4 + 1.2 * self.rng.random()))
        self.free -= budget
        return draw_outcome(self.rng), budget

    def end(self, budget: int, told: int) -> None:
        self.free += budget - told


def _sessions(plan: _Plan, gateway: Gateway, start: int) -> Iterator[Window]:
    """One session after the other, as long as there are any to begin."""
    now = start
    while plan.left:
        outcome, budget = plan.begin()
        told = 0
        for moment, events in session(plan.rng, gateway, now, outcome, budget):
            now = moment
            told += len(events)
            yield now, events
        plan.end(budget, told)
        now += 1000 + plan.rng.randrange(30_000)
        yield now, []


def _announcements(plan: _Plan, gateway: Gateway, now: int) -> Iterator[Window]:
    """What the gateway knows of its orchestrators, every few minutes without end."""
    rng = plan.rng
    producer = Producer(rng, gateway, gateway.orchestrators[0], now)
    while True:
        snapshot = [orchestrator.capabilities(rng) for orchestrator in gateway.orchestrators]
        payloads = snapshot if gateway.older else [snapshot]
        events = [(now + at, producer.announcement(now + at, payload)) for at, payload in enumerate(payloads)]
        plan.free -= len(events)
        now += 240_000 + rng.randrange(120_000)
        yield now, events
