"""What a tap costs a worker: processor time of the steps that it watches, in pairs with the tap open and closed.

    python benchmarks/tap.py [PAIRS]

A pair takes a range of records twice through judging, claiming and building blocks, as a worker does, and hands it to
the tap at every stage: once while nobody watches, and once while a person asks twice a second for the last stage,
with a type that no record has, so that every record is to be looked at. Which comes first is left to chance. Printed
is the difference of the sums, with the interval that holds it with a confidence of 95 % (by bootstrap over the
pairs).
"""

from __future__ import annotations

import gc
import random
import sys
import threading
import time
from collections.abc import Sequence

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.pending_range import PendingRange, build_blocks, claim, fix_duplicates
from lpa_core.delivery.range_steps import RangeSteps
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.tap import Tap, TapRequest, TapStage
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.generate.generator import generate
from lpa_core.pipeline.masking import Masking
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.records import RecordBatch

RANGE = 10_000
RANGES = 6
NOW = 1_768_000_000_000
RESAMPLES = 2_000


class Stopwatch:
    """Processor seconds of the worker's thread while it works on a watched range: between, no budget grows."""

    def __init__(self) -> None:
        self.before, self.begun = 0.0, 0.0

    def begin(self) -> None:
        self.begun = time.thread_time()

    def end(self) -> None:
        self.before += time.thread_time() - self.begun
        self.begun = 0.0

    def __call__(self) -> float:
        return self.before + (time.thread_time() - self.begun if self.begun else 0.0)


def take(batch: RecordBatch, pipeline: Pipeline, tap: Tap, stopwatch: Stopwatch) -> float:
    """Processor seconds of the worker's thread for one range."""
    steps, dedup = RangeSteps(pipeline, [], lambda stage, seconds: None), MemoryDedupStore(86_400_000)
    first, behind = batch.offsets[0], batch.offsets[-1] + 1
    range_ = Range(batch.topic, batch.partition, first, behind, len(batch), "", NOW)
    gc.collect()
    stopwatch.begin()
    begun = time.thread_time()
    if tap.is_open:
        tap.read(batch)
    verdicts = steps.judge(batch, range_)
    if tap.is_open:
        tap.judged(batch, verdicts)
    pending = PendingRange(batch, verdicts, range_)
    claim(pending, dedup)
    fix_duplicates(pending)
    if tap.is_open:
        tap.claimed(pending)
    build_blocks(pending, pipeline)
    if tap.is_open:
        tap.written(pending)
    seconds = time.thread_time() - begun
    stopwatch.end()
    return seconds


def pair(
    batch: RecordBatch, pipeline: Pipeline, watched: Tap, stopwatch: Stopwatch, *, watched_first: bool
) -> tuple[float, float]:
    """Seconds while somebody watches, and while nobody does."""
    nobody, other = Tap(Masking()), Stopwatch()
    if watched_first:
        return take(batch, pipeline, watched, stopwatch), take(batch, pipeline, nobody, other)
    alone = take(batch, pipeline, nobody, other)
    return take(batch, pipeline, watched, stopwatch), alone


def difference(pairs: Sequence[tuple[float, float]]) -> float:
    return sum(one for one, _ in pairs) / sum(other for _, other in pairs) - 1


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    lines = list(generate(RANGE * RANGES, duplicates=0.02, bad=0.01, sessions=200, seed=1))
    batches = [
        RecordBatch("topic", 0, range(first, first + RANGE), lines[first : first + RANGE], [NOW] * RANGE)
        for first in range(0, len(lines), RANGE)
    ]
    pipeline, stopwatch, chance = Pipeline(BUILTIN_EVENT_TYPES), Stopwatch(), random.Random(1)
    watched = Tap(Masking(), processor=stopwatch)
    id = watched.open(TapRequest(stage=TapStage.WRITTEN, type="none has this type"))
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(0.5):
            watched.take(id)

    threading.Thread(target=ask, daemon=True).start()
    gc.disable()
    for batch in batches:
        pair(batch, pipeline, watched, stopwatch, watched_first=True)
    pairs = [
        pair(batches[number % RANGES], pipeline, watched, stopwatch, watched_first=chance.random() < 0.5)
        for number in range(count)
    ]
    answer = watched.take(id)
    ended.set()
    resampled = sorted(difference(chance.choices(pairs, k=count)) for _ in range(RESAMPLES))
    low, high = resampled[int(0.025 * RESAMPLES)], resampled[int(0.975 * RESAMPLES)]
    print(
        f"the worker's thread: {difference(pairs):+.2%} ({low:+.2%} to {high:+.2%}), {count} pairs of {RANGE:,} records"
    )
    if answer is not None:
        print(f"{answer.passed:,} records passed, {answer.not_looked_at:,} of them not looked at")


if __name__ == "__main__":
    main()
