"""What a tap costs a worker: processor time of the process while it works on a range, in pairs, tapped and not.

    python benchmarks/tap.py [PAIRS]

A pair takes a range of records twice through judging, claiming and building blocks, as a worker does, and hands it to
the tap at every stage: once while nobody watches, and once while a person asks twice a second, in a thread of the same
process. That person asks for a type that no record has, so that every record is to be looked at; then, in pairs of
their own, for what a path of the payload says, so that payloads are decoded. Which half comes first is left to chance.
Printed is the difference of the sums, and the mean of the middle four fifths of the pairs: what else a machine does can
cost one half of a pair half as much again. Both have the interval that holds them with a confidence of 95 % (by
bootstrap over the pairs). HTTP is left out: a worker answers two requests a second, each of which takes half a
millisecond.
"""

from __future__ import annotations

import gc
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from statistics import fmean

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.pending_range import PendingRange, build_blocks, claim, fix_duplicates
from lpa_core.delivery.range_steps import RangeSteps
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.tap import Tap
from lpa_core.delivery.tap_messages import TapRequest, TapStage
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.generate.generator import generate
from lpa_core.pipeline.masking import Masking
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.records import RecordBatch

PAUSE = 0.5
RANGE = 10_000
RANGES = 6
NOW = 1_768_000_000_000
RESAMPLES = 2_000


class Stopwatch:
    """Seconds of a clock while this process works on a watched range: between, no budget grows."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock, self.before, self.begun = clock, 0.0, 0.0

    def begin(self) -> None:
        self.begun = self.clock()

    def end(self) -> None:
        self.before += self.clock() - self.begun
        self.begun = 0.0

    def __call__(self) -> float:
        return self.before + (self.clock() - self.begun if self.begun else 0.0)


class Person:
    """Asks twice a second, but not while an unwatched half is measured."""

    def __init__(self, tap: Tap, request: TapRequest) -> None:
        self.tap, self.watching, self.ended = tap, threading.Event(), threading.Event()
        self.id, self.records = tap.open(request), 0
        threading.Thread(target=self._ask, daemon=True).start()

    def _ask(self) -> None:
        while not self.ended.wait(PAUSE):
            if self.watching.is_set():
                answer = self.tap.take(self.id)
                self.records += len(answer.records) if answer else 0


def take(
    batch: RecordBatch, pipeline: Pipeline, tap: Tap, stopwatches: Sequence[Stopwatch], person: Person | None
) -> float:
    """Processor seconds of the process for one range."""
    steps, dedup = RangeSteps(pipeline, [], lambda stage, seconds: None), MemoryDedupStore(86_400_000)
    first, behind = batch.offsets[0], batch.offsets[-1] + 1
    range_ = Range(batch.topic, batch.partition, first, behind, len(batch), "", NOW)
    gc.collect()
    if person is not None:
        person.watching.set()
    for stopwatch in stopwatches:
        stopwatch.begin()
    begun = time.process_time()
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
    seconds = time.process_time() - begun
    for stopwatch in stopwatches:
        stopwatch.end()
    if person is not None:
        person.watching.clear()
    return seconds


def pairs(count: int, batches: Sequence[RecordBatch], request: TapRequest) -> None:
    pipeline, chance = Pipeline(BUILTIN_EVENT_TYPES), random.Random(1)
    elapsed, processor = Stopwatch(time.monotonic), Stopwatch(time.process_time)
    tap, nobody = Tap(Masking(), elapsed, processor), Tap(Masking())
    person, found = Person(tap, request), []
    for number in range(len(batches) + count):
        batch, halves = batches[number % len(batches)], {}
        for watched in chance.sample((True, False), 2):
            if watched:
                halves[True] = take(batch, pipeline, tap, (elapsed, processor), person)
            else:
                halves[False] = take(batch, pipeline, nobody, (), None)
        if number >= len(batches):  # the first ones warm up
            found.append((halves[True], halves[False]))
    answer = tap.take(person.id)
    person.ended.set()
    print(f"{request}:\n  {count} pairs of {RANGE:,} records")
    for what, statistic in (("of the sums", difference), ("of the middle four fifths", middle)):
        resampled = sorted(statistic(chance.choices(found, k=count)) for _ in range(RESAMPLES))
        low, high = resampled[int(0.025 * RESAMPLES)], resampled[int(0.975 * RESAMPLES)]
        print(f"  {what}: {statistic(found):+.2%} ({low:+.2%} to {high:+.2%})")
    assert answer is not None
    shares = f"{answer.not_looked_at:,} not looked at, {answer.fitting:,} fitting, {answer.dropped:,} dropped"
    print(f"  {answer.passed:,} records passed, {shares}, {person.records:,} shown")


def difference(found: Sequence[tuple[float, float]]) -> float:
    return sum(one for one, _ in found) / sum(other for _, other in found) - 1


def middle(found: Sequence[tuple[float, float]]) -> float:
    ratios = sorted(one / other for one, other in found)
    left_out = len(ratios) // 10
    return fmean(ratios[left_out : len(ratios) - left_out]) - 1


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    lines = list(generate(RANGE * RANGES, duplicates=0.02, bad=0.01, sessions=200, seed=1))
    batches = [
        RecordBatch("topic", 0, range(first, first + RANGE), lines[first : first + RANGE], [NOW] * RANGE)
        for first in range(0, len(lines), RANGE)
    ]
    gc.disable()
    pairs(count, batches, TapRequest(stage=TapStage.WRITTEN, type="none has this type"))
    pairs(count, batches, TapRequest(stage=TapStage.WRITTEN, where={"data.state": "DEGRADED_INPUT"}, rate=100.0))


if __name__ == "__main__":
    main()
