"""The course of a stream from request to close, as the events that it produces."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from random import Random

from lpa_core.generate.network import Gateway, GeneratedOrchestrator
from lpa_core.generate.producer import Event, Producer

Window = tuple[int, list[tuple[int, Event]]]
"""What happened up to a moment: when to go on, and (time, event) pairs in time order. Times are epoch ms."""

TICK_MS = 5000
"""Ingest metrics come every five seconds, status at every second of them."""

_TICKS_BEFORE_FAILURE = 6
_CLOSING_EVENTS = 2
_RUNNER_ERRORS = (
    "CUDA out of memory. Tried to allocate 2.00 GiB",
    "timeout waiting for inference result",
    "pipeline process died unexpectedly with exit code -9",
)
_GATEWAY_ERRORS = (
    "trickle subscribe error: read: connection reset by peer",
    "dropping segment: orchestrator is busy",
    "ICE connection state failed",
)
_CLOSING_ERRORS = ("mediamtx ingest disconnected", "WHIP disconnected", "user disconnected")


class SessionEnding(StrEnum):
    CLEAN = "clean"
    SWAPPED = "swapped"
    FAULTY = "faulty"
    STARTUP_FAILED = "startup failed"
    NO_ORCHESTRATOR = "no orchestrator"


def draw_outcome(rng: Random) -> SessionEnding:
    draw = rng.random()
    if draw < 0.72:
        return SessionEnding.CLEAN
    if draw < 0.82:
        return SessionEnding.SWAPPED
    if draw < 0.91:
        return SessionEnding.FAULTY
    return SessionEnding.STARTUP_FAILED if draw < 0.96 else SessionEnding.NO_ORCHESTRATOR


def session(rng: Random, gateway: Gateway, start: int, outcome: SessionEnding, budget: int) -> Iterator[Window]:
    """One stream's events, window by window, about ``budget`` of them, but none of the outcome left out."""
    orchestrators = gateway.orchestrators
    producer = Producer(rng, gateway, orchestrators[rng.randrange(len(orchestrators))], start)
    if outcome is SessionEnding.NO_ORCHESTRATOR:
        return _refused(producer)
    return _streamed(producer, outcome, budget)


def _refused(producer: Producer) -> Iterator[Window]:
    at = producer.start
    refused = at + 40 + producer.rng.randrange(1500)
    closed = refused + 40 + producer.rng.randrange(3000)
    yield (
        closed,
        [
            (at, producer.trace(at, "gateway_receive_stream_request", orchestrator=False)),
            (refused, producer.trace(refused, "gateway_no_orchestrators_available", orchestrator=False)),
            (refused, producer.message(refused, "error", "no orchestrators available")),
            *_closing(producer, closed),
        ],
    )


def _streamed(producer: Producer, outcome: SessionEnding, budget: int) -> Iterator[Window]:
    rng = producer.rng
    startup = _startup(producer, failing=outcome is SessionEnding.STARTUP_FAILED)
    playable = startup[-1][0]
    payment_due = playable + rng.randrange(10_000)
    turning_point = 3 + rng.randrange(max(1, min(budget // 6, 200)))
    degraded = 0
    told = 0
    now = producer.start
    tick = 0
    while told + _CLOSING_EVENTS < budget or startup:
        tick += 1
        now += TICK_MS
        events = [(at, event) for at, event in startup if at <= now]
        startup = startup[len(events) :]
        events.append((now, producer.metrics(now)))
        if now > playable:
            if outcome is SessionEnding.SWAPPED and tick >= turning_point:
                outcome = SessionEnding.CLEAN
                events.append((now - 900, producer.swap(now - 900, _successor(producer))))
            if outcome is SessionEnding.FAULTY and tick >= turning_point:
                turning_point = tick + 10 + rng.randrange(60)
                degraded = 2
                events.append((now - 700, producer.failure(now - 700, _one_of(rng, _RUNNER_ERRORS))))
            if payment_due <= now:
                events.append((payment_due, producer.payment(payment_due)))
                payment_due += 14_000 + rng.randrange(12_000)
            if rng.random() < 0.12:
                aside = now - 1 - rng.randrange(TICK_MS - 1000)
                events.append((aside, _aside(producer, aside)))
        if tick % 2 == 0:
            events.append((now + 1, producer.status(now + 1, _state(producer, now, playable, degraded))))
            degraded -= degraded > 0
        told += len(events)
        if outcome is SessionEnding.STARTUP_FAILED and tick >= _TICKS_BEFORE_FAILURE:
            budget = 0
        events.sort(key=_time)
        yield now, events
    closed = now + 100 + rng.randrange(TICK_MS - 1000)
    yield closed, _closing(producer, closed)


def _startup(producer: Producer, *, failing: bool) -> list[tuple[int, Event]]:
    """From the request to the moment when the viewer sees something, which a failing start never reaches."""
    rng = producer.rng
    at = producer.start
    events = [(at, producer.trace(at, "gateway_receive_stream_request", orchestrator=False))]
    at += 150 + rng.randrange(300)
    events.append((at, producer.discovery(at)))
    events.append((at + 1, producer.payment(at + 1, first=True)))
    at += 1500 + rng.randrange(7000)
    events.append((at, producer.trace(at, "gateway_send_first_ingest_segment")))
    events.append((at + 2, producer.trace(at + 2, "runner_receive_first_ingest_segment")))
    if failing:
        at += 4000 + rng.randrange(8000)
        events.append((at, producer.failure(at, _one_of(rng, _RUNNER_ERRORS))))
        return events
    for kind, least, spread in (
        ("runner_send_first_processed_segment", 90, 200),
        ("gateway_receive_first_processed_segment", 250, 1100),
        ("gateway_receive_few_processed_segments", 900, 3500),
    ):
        at += least + rng.randrange(spread)
        events.append((at, producer.trace(at, kind)))
    return events


def _closing(producer: Producer, at: int) -> list[tuple[int, Event]]:
    error = _one_of(producer.rng, _CLOSING_ERRORS)
    return [
        (at, producer.trace(at, "gateway_ingest_stream_closed", orchestrator=False)),
        (at, producer.message(at, "error", error)),
    ]


def _aside(producer: Producer, at: int) -> Event:
    """Something that may happen at any time in a running stream."""
    draw = producer.rng.random()
    if draw < 0.38:
        return producer.params_update(at)
    if draw < 0.66:
        return producer.trace(at, "gateway_receive_first_data_segment")
    if draw < 0.94:
        return producer.discovery(at)
    return producer.message(at, "error", _one_of(producer.rng, _GATEWAY_ERRORS))


def _state(producer: Producer, now: int, playable: int, degraded: int) -> str:
    if degraded:
        return "DEGRADED_INFERENCE"
    if now <= playable:
        return "LOADING"
    if producer.state == "LOADING":
        return "DEGRADED_INPUT" if producer.rng.random() < 0.3 else "ONLINE"
    return "DEGRADED_INPUT" if producer.rng.random() < 0.02 else "ONLINE"


def _successor(producer: Producer) -> GeneratedOrchestrator:
    """Another orchestrator of the gateway, of the same model if there is one."""
    others = [other for other in producer.gateway.orchestrators if other is not producer.orchestrator]
    same = [other for other in others if other.model == producer.orchestrator.model]
    choice = same or others
    return choice[producer.rng.randrange(len(choice))]


def _one_of(rng: Random, texts: tuple[str, ...]) -> str:
    return texts[rng.randrange(len(texts))]


def _time(item: tuple[int, Event]) -> int:
    return item[0]
