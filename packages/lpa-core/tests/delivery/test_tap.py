"""A tap shows records as they pass, and never holds a worker up."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import attrs
import msgspec
import pytest

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.pending_range import PendingRange, build_blocks, claim, fix_duplicates
from lpa_core.delivery.range_steps import RangeSteps
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.tap import Tap
from lpa_core.delivery.tap_messages import TapAnswer, TappedRecord, TapRequest, TapStage
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.masking import Masking
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.records import RecordBatch
from lpa_core.testing.simulation.records import event
from lpa_core.validation.ignore_rules import families

NOW = 1_768_000_000_000
VALUES = [event("one"), event("one"), b'{"type":"stream_trace"}', b'{"type":"webrtc_stats","id":"i"}', event("two")]


@attrs.define
class Clock:
    """Seconds; each look at it takes ``each``."""

    seconds: float = 100.0
    each: float = 0.0

    def __call__(self) -> float:
        self.seconds += self.each
        return self.seconds


def pending(*values: bytes, refused: int | None = None) -> PendingRange:
    pipeline = Pipeline(BUILTIN_EVENT_TYPES, ignore_rules=families(["webrtc_stats"]))
    batch = RecordBatch("topic", 3, range(10, 10 + len(values)), values, [NOW] * len(values))
    range_ = Range("topic", 3, 10, 10 + len(values), len(values), "", NOW)
    verdicts = RangeSteps(pipeline, [], lambda stage, seconds: None).judge(batch, range_)
    found = PendingRange(batch, verdicts, range_)
    claim(found, MemoryDedupStore(86_400_000))
    fix_duplicates(found)
    if refused is not None:
        found.range = attrs.evolve(found.range, refused={refused: "no room"})
    build_blocks(found, pipeline)
    return found


def opened(clock: Clock, masking: Masking | None = None, **asked: Any) -> tuple[Tap, str]:
    tap = Tap(masking or Masking(), clock, clock)
    return tap, tap.open(TapRequest(**{"rate": 100.0, **asked}))


def pass_all(tap: Tap, some: PendingRange) -> None:
    """As a worker does."""
    if tap.is_open:
        tap.read(some.batch)
        tap.judged(some.batch, some.verdicts)
        tap.claimed(some)
        tap.written(some)


def taken(tap: Tap, id: str, clock: Clock, seconds: float = 1.0) -> TapAnswer:
    clock.seconds += seconds
    found = tap.take(id)
    assert found is not None
    return found


def shown(records: Any) -> list[tuple[int, str, str, str]]:
    return [(each.offset, each.outcome, each.type, each.reason) for each in records]


@pytest.mark.parametrize(
    ("stage", "found"),
    [
        (TapStage.READ, [(10, "", "stream_trace", ""), (11, "", "stream_trace", ""), (12, "", "stream_trace", "")]),
        (TapStage.JUDGED, [(10, "accepted", "stream_trace", ""), (11, "accepted", "stream_trace", "")]),
        (
            TapStage.CLAIMED,
            [(10, "accepted", "stream_trace", ""), (11, "duplicate", "stream_trace", "duplicate_event")],
        ),
        (
            TapStage.WRITTEN,
            [(10, "accepted", "stream_trace", ""), (11, "duplicate", "stream_trace", "duplicate_event")],
        ),
    ],
)
def test_a_record_is_shown_as_its_stage_knows_it(stage: TapStage, found: list[tuple[int, str, str, str]]) -> None:
    clock = Clock()
    tap, id = opened(clock, stage=stage)
    pass_all(tap, pending(*VALUES, refused=14))
    answer = taken(tap, id, clock)
    assert (answer.passed, answer.not_looked_at, answer.fitting, answer.dropped) == (5, 0, 5, 0)
    assert shown(answer.records)[: len(found)] == found
    assert {each.stage for each in answer.records} == {stage}
    assert answer.records[0].payload.encode() == VALUES[0]
    last = {TapStage.READ: "", TapStage.JUDGED: "accepted"}.get(stage, "dead letter")
    assert answer.records[4].outcome == last
    if stage is not TapStage.READ:
        assert shown(answer.records)[2:4] == [
            (12, "dead letter", "stream_trace", answer.records[2].reason),
            (13, "ignored", "webrtc_stats", "ignored_event_family"),
        ]
    assert taken(tap, id, clock).records == [], "each is shown once"


@pytest.mark.parametrize(
    ("asked", "offsets"),
    [
        ({"type": "webrtc_stats"}, [13]),
        ({"reason": "ignored_event_family"}, [13]),
        ({"reason": "missing_timestamp"}, [12]),
        ({"where": {"id": "two"}}, [14]),
        ({"where": {"id": "two", "type": "webrtc_stats"}}, []),
        ({"where": {"data.nothing": "x"}}, []),
        ({"sample": 2}, [11, 13]),
    ],
)
def test_what_is_asked_for_is_shown_and_nothing_else(asked: dict[str, Any], offsets: list[int]) -> None:
    clock = Clock()
    tap, id = opened(clock, **asked)
    pass_all(tap, pending(*VALUES))
    assert [each.offset for each in taken(tap, id, clock).records] == offsets


def test_personal_data_is_masked_at_every_stage() -> None:
    clock = Clock()
    masking = Masking(["data.request_id=drop"])
    for stage in TapStage:
        tap, id = opened(clock, masking, stage=stage)
        personal = b'{"id":"one","type":"x","data":{"request_id":"of a person","stream_id":"s"}}'
        pass_all(tap, pending(personal))
        (record,) = taken(tap, id, clock).records
        assert "of a person" not in record.payload
        assert '"s"' in record.payload


def test_more_than_a_person_can_read_is_dropped_and_counted() -> None:
    clock = Clock()
    tap, id = opened(clock, rate=2.0)
    some = pending(*(event(f"{number}") for number in range(400)))
    pass_all(tap, some)
    answer = taken(tap, id, clock)
    assert len(answer.records) == 2
    assert answer.passed == 400
    assert answer.not_looked_at + answer.fitting == 400, "no room is left to look at all"
    assert answer.fitting < 400
    assert answer.dropped == answer.fitting - 2


def test_a_worker_looks_no_longer_than_the_taps_share_of_the_time() -> None:
    clock = Clock(each=0.0001)
    tap, id = opened(clock, type="never")
    some = pending(*(event(f"{number}") for number in range(2_000)))
    spent = 0.0
    for _ in range(200):
        clock.seconds += 0.1
        before = clock.seconds
        pass_all(tap, some)
        spent += clock.seconds - before
        assert tap.take(id) is not None
    answer = taken(tap, id, clock)
    assert spent < 0.01 * 200 * 0.1 + 0.03, "1 % of the time, and what was saved up"
    assert answer.passed == 400_000
    assert answer.not_looked_at > 300_000


def test_answers_take_no_longer_than_their_share_of_the_time() -> None:
    clock = Clock(each=0.0001)
    tap, id = opened(clock, where={"data.nothing": "x"})
    some = pending(*(event(f"{number}") for number in range(400)))
    spent = 0.0
    for _ in range(200):
        clock.seconds += 0.5
        pass_all(tap, some)
        before = clock.seconds
        assert tap.take(id) is not None
        spent += clock.seconds - before
    assert spent < 0.01 * 200 * 0.5, "1 % of the time"
    answer = taken(tap, id, clock)
    assert answer.dropped > 1_000


def test_an_answer_without_time_looks_at_a_record_still() -> None:
    clock = Clock()
    tap, id = opened(clock)
    for _ in range(3):
        clock.each = 0.0
        pass_all(tap, pending(*VALUES))
        clock.each = 0.1
        assert len(taken(tap, id, clock).records) == 1


def test_a_worker_does_not_wait_for_another_thread_that_looks() -> None:
    clock = Clock()
    tap, id = opened(clock)
    held, released = threading.Event(), threading.Event()

    def hold() -> None:
        with tap._looking:
            held.set()
            released.wait(10)

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(10)
    pass_all(tap, pending(*VALUES))
    released.set()
    other.join()
    answer = taken(tap, id, clock)
    assert (answer.passed, answer.not_looked_at, answer.records) == (5, 5, [])


def test_a_tap_that_nobody_asks_any_more_ends() -> None:
    clock = Clock()
    tap, id = opened(clock)
    clock.seconds += 16
    pass_all(tap, pending(*VALUES))
    assert not tap.is_open
    assert taken(tap, id, clock).ended
    tap.close(id)
    assert tap.take(id) is None


def test_there_is_one_tap_and_the_last_to_open_it_has_it() -> None:
    clock = Clock()
    tap, first = opened(clock)
    second = tap.open(TapRequest())
    assert tap.take(first) is None
    tap.close(first)
    assert tap.is_open
    tap.close(second)
    assert not tap.is_open


def test_a_worker_that_still_looks_for_the_tap_before_does_not_end_the_new_one() -> None:
    clock = Clock()
    tap, _ = opened(clock, stage=TapStage.READ)
    before = clock.seconds

    class OpenedMeanwhile(RecordBatch):
        """Between the worker's look at the tap and the end of what it looks at, somebody opens another one."""

        def __len__(self) -> int:
            if clock.seconds == before:
                clock.seconds += 16
                second.append(tap.open(TapRequest(stage=TapStage.READ)))
            return super().__len__()

    second: list[str] = []
    tap.read(OpenedMeanwhile("topic", 0, [1], [event("one")]))
    assert tap.is_open
    assert not taken(tap, second[0], clock).ended


def test_two_who_ask_the_same_tap_at_once_share_what_came() -> None:
    clock = Clock()
    tap, _ = opened(clock)
    some = pending(*(event(f"{number}") for number in range(200)))
    found: list[TapAnswer] = []

    class Slow(dict[str, str]):
        """Lets the other one ask in the middle of an answer."""

        def items(self) -> Any:
            time.sleep(0.0001)
            return super().items()

    id = tap.open(TapRequest(rate=1_000.0, where=Slow(id="7")))
    pass_all(tap, some)
    clock.seconds += 1
    askers = [threading.Thread(target=lambda: found.append(taken(tap, id, clock, 0))) for _ in range(4)]
    for each in askers:
        each.start()
    for each in askers:
        each.join()
    assert len(found) == 4, "none failed"
    assert [each.offset for answer in found for each in answer.records] == [17]


def test_less_than_one_record_a_second_is_some_records() -> None:
    clock = Clock()
    tap, id = opened(clock, rate=0.5)
    for seconds in (1.0, 1.0, 1.0, 1.0, 10.0):
        pass_all(tap, pending(*VALUES))
        found = len(taken(tap, id, clock, seconds).records)
        assert found <= 1, "what was saved up is one record at most"
    assert found == 1


def test_a_tap_keeps_no_record_that_is_too_long_to_be_shown() -> None:
    clock = Clock()
    tap, id = opened(clock, stage=TapStage.READ)
    payload = b"x" * 1_000_000
    before = sys.getrefcount(payload)
    tap.read(RecordBatch("topic", 0, [1], [payload]))
    assert sys.getrefcount(payload) == before
    assert [each.size for each in taken(tap, id, clock).records] == [1_000_000]


@pytest.mark.parametrize(
    "body", [b'{"sample":0}', b'{"rate":0}', b'{"rate":1e9}', b'{"stage":"x"}', b'{"more":1}', b"["]
)
def test_a_request_that_makes_no_sense_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(body, type=TapRequest)


def test_a_large_payload_is_not_shown() -> None:
    clock = Clock()
    tap, id = opened(clock, stage=TapStage.READ)
    tap.read(RecordBatch("topic", 0, [0, 1], [b"x" * 70_000, None]))
    first, second = taken(tap, id, clock).records
    assert isinstance(first, TappedRecord)
    assert (first.payload, first.size) == ("", 70_000)
    assert (second.payload, second.size) == ("", 0)
