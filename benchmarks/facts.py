"""What facts cost: folding signals into them, on one core.

Sessions of a day in which 50 orchestrators of 2 GPUs each are seen every minute: request, first edges, a status every
five seconds, an error, the close. "make": signals from columns, as a database gives them. "fold": each session's
signals put in order and folded, all its facts taken. "fold into columns": the same, and the
facts as columns, as a database takes them.
The best of several rounds counts, in processor time: what else the machine does counts only as far as it disturbs
caches. Then one session grows, and its facts are taken after every signal.

    ./dev bench facts [--signals N] [--sessions N] [--rounds N]
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import random
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from lpa_core.lifecycle.capabilities import Capability, CapabilityIndex
from lpa_core.lifecycle.facts import Facts, columns
from lpa_core.lifecycle.fold import SessionFold, fold
from lpa_core.lifecycle.signals import Signal, SignalKind, TraceType

DAY = 86_400_000
MIDNIGHT = 1_767_830_400_000
ORCHESTRATORS = 50
PER_SESSION_AT_LEAST = 6

console = Console()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signals", type=int, default=1_000_000)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    python = f"Python {platform.python_version()}, msgspec {version('msgspec')}"
    console.print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {python}")
    index = CapabilityIndex(capabilities())
    length = max(PER_SESSION_AT_LEAST, arguments.signals // arguments.sessions)
    many_sessions(index, arguments.sessions, length, arguments.rounds)
    one_session(index, [length * 10**power for power in range(1, 4)])


def capabilities() -> Iterator[Capability]:
    for minute in range(24 * 60):
        for number in range(ORCHESTRATORS):
            for gpu in ("a", "b"):
                yield Capability(
                    MIDNIGHT + minute * 60_000 + number,
                    f"capabilities-{minute}",
                    f"0xcanonical{number}",
                    f"0xproxy{number}",
                    f"https://orchestrator-{number}.example:8935",
                    "live-video-to-video",
                    "streamdiffusion-sdxl",
                    f"GPU-{number}{gpu}",
                )


def told(number: int, length: int, draw: random.Random) -> list[Signal]:
    """A session of ``length`` signals, in any order."""
    start = MIDNIGHT + draw.randrange(DAY)
    proxy = draw.randrange(ORCHESTRATORS)
    served = {
        "orchestrator_address": f"0xproxy{proxy}",
        "orchestrator_url": f"https://orchestrator-{proxy}.example:8935",
    }
    label = {"pipeline": "streamdiffusion-sdxl"}
    status = {"state": "ONLINE", "output_fps": 15.5, "input_fps": 20.0, "start_time": start, **label, **served}
    last = start + 7000 + length * 5000
    steps = [
        (SignalKind.TRACE, start, {"trace_type": TraceType.REQUESTED.value}),
        (SignalKind.TRACE, start + 4000, {"trace_type": TraceType.FIRST_PROCESSED.value, **served}),
        (SignalKind.TRACE, start + 6500, {"trace_type": TraceType.FIRST_PLAYABLE.value, **served}),
        *((SignalKind.STATUS, start + 7000 + tick * 5000, status) for tick in range(length - 5)),
        (SignalKind.AI_EVENT, last, {"ai_event_type": "error", "message": "user disconnected", **label}),
        (SignalKind.TRACE, last, {"trace_type": TraceType.CLOSED.value}),
    ]
    signals = [
        Signal(
            kind=kind,
            signal_ts=at,
            event_timestamp=at,
            topic="streaming_events",
            partition=number % 12,
            offset=number * length + step,
            stream_id=f"stream-{number}",
            request_id=f"request-{number}",
            gateway="gateway-1",
            source_event_uid=f"{number:08}-{step:08}",
            **values,
        )
        for step, (kind, at, values) in enumerate(steps)
    ]
    draw.shuffle(signals)
    return signals


def many_sessions(index: CapabilityIndex, sessions: int, length: int, rounds: int) -> None:
    draw = random.Random(1)
    all_told = [(f"stream-{number}|request-{number}", told(number, length, draw)) for number in range(sessions)]
    as_columns = [columns(signals) for _, signals in all_told]
    gc.collect()
    gc.freeze()

    def make() -> None:
        for values in as_columns:
            list(map(Signal, *values))

    def fold_all() -> None:
        for session, signals in all_told:
            fold(session, signals, index)

    def fold_into_columns() -> None:
        for session, signals in all_told:
            all_columns(fold(session, signals, index))

    steps = {"make": make, "fold": fold_all, "fold into columns": fold_into_columns}
    best = {name: min(seconds(step) for _ in range(rounds)) for name, step in steps.items()}
    total = sessions * length
    table = Table("step", "signals/s", "µs/signal", title=f"{total:,} signals of {sessions:,} sessions")
    for name, taken in best.items():
        table.add_row(name, f"{total / taken:,.0f}", f"{taken / total * 1e6:.2f}")
    console.print(table)


def all_columns(facts: Facts) -> Sequence[object]:
    kinds = (facts.segments, facts.param_updates, facts.coverage, facts.status_samples, facts.trace_edges)
    return [*map(columns, kinds), facts.session, facts.latency]


def one_session(index: CapabilityIndex, lengths: Sequence[int]) -> None:
    table = Table("signals so far", "µs/signal", title="One session, its facts taken after every signal")
    signals = sorted(told(0, lengths[-1], random.Random(2)), key=lambda signal: signal.signal_ts)
    folding, done = SessionFold("stream-0|request-0", index), 0
    for length in lengths:
        part = signals[done:length]

        def follow(part: Sequence[Signal] = part) -> None:
            for signal in part:
                folding.apply(signal)
                folding.take()

        table.add_row(f"{length:,}", f"{seconds(follow) / len(part) * 1e6:.2f}")
        done = length
    console.print(table)


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
