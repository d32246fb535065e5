"""Times in other units and of wrong clocks: what is believed, what left out (docs/spec/producers.md section 4)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.model import EventData, NearTimestamp, Text
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.pipeline.verdicts import Accepted, Verdict
from lpa_core.records import Position, RecordBatch
from lpa_core.tables.table import Column, Kind

T: Final = 1_767_873_600_000
"""2026-01-08 12:00 UTC."""
DAY: Final = 86_400_000
X: Final = 600_000
Y2000: Final = 946_684_800_000
POSITION = Position("topic", 0, 0)
FAST = Pipeline(BUILTIN_EVENT_TYPES)
# A validator of a plugin sends every record the thorough way.
THOROUGH = Pipeline(BUILTIN_EVENT_TYPES, plugin_validators=[lambda document: None])

TRACE: dict[str, Any] = {"stream_id": "s", "request_id": "r", "type": "t"}
STATUS: dict[str, Any] = {"stream_id": "s", "request_id": "r", "pipeline": "p"}


def record(type_: str = "stream_trace", timestamp: Any = T, **data: Any) -> bytes:
    base = TRACE if type_ == "stream_trace" else STATUS
    return json.dumps({"id": "e", "type": type_, "timestamp": timestamp, "data": {**base, **data}}).encode()


def verdicts(value: bytes, batch_time: int = T, record_times: Sequence[int] | None = None) -> Verdict:
    """The verdict of both paths, which have to agree."""
    batch = RecordBatch("topic", 0, (0,), (value,), record_times)
    (fast,), (thorough,) = (pipeline.judge(batch, batch_time) for pipeline in (FAST, THOROUGH))
    if isinstance(fast, Accepted) and isinstance(thorough, Accepted):
        assert (fast.envelope, fast.rows, fast.discarded) == (thorough.envelope, thorough.rows, thorough.discarded)
    else:
        assert fast == thorough
    return fast


@pytest.mark.parametrize(
    ("sent", "stored", "kinds"),
    [
        (T, T, ()),
        (str(T), T, ()),
        (T + 0.9, T, ()),
        (T - X, T - X, ()),
        (T + X, T + X, ()),
        (T - X - 1, T, ("skew",)),
        (T + X + 1, T, ("skew",)),
        (T - DAY, T, ("skew",)),
        (T - DAY - 1, T, ("other",)),
        (T // 1000, T, ("seconds",)),
        (str(T // 1000), T, ("seconds",)),
        (T / 1000, T, ("seconds",)),
        (T // 1000 + 601, T, ("other",)),
        (81234.567, T, ("other",)),
        (T * 1000, T, ("other",)),
        (T * 1_000_000, T, ("other",)),
        (-2_208_988_800_000, T, ("other",)),
        (10_413_791_999_999, T, ("other",)),
        (10**30, T, ("other",)),
        (0, T, ("other",)),
        (-1, T, ("other",)),
        ("soon", T, ()),
        (None, T, ()),
        (True, T, ()),
        ({}, T, ()),
    ],
)
def test_failure_08_a_time_in_data_is_believed_near_its_event(sent: Any, stored: int, kinds: tuple[str, ...]) -> None:
    event = {"id": "e", "type": "stream_trace", "timestamp": T, "data": {**TRACE, "timestamp": sent}}
    verdict = verdicts(json.dumps(event).encode())
    assert isinstance(verdict, Accepted)
    ((_, row),) = verdict.rows
    assert row[-1] == stored
    assert verdict.discarded == kinds
    assert verdict.envelope.timestamp == T


@pytest.mark.parametrize(
    ("sent", "stored", "kinds"),
    [
        (T - 365 * DAY, T - 365 * DAY, ()),
        (Y2000, Y2000, ()),
        (Y2000 - 1, None, ("other",)),
        (T + X, T + X, ()),
        (T + X + 1, None, ("skew",)),
        (T + DAY + 1, None, ("other",)),
        (T // 1000 - 500_000, None, ("seconds",)),
        (T * 1000, None, ("other",)),
        (81234.567, None, ("other",)),
        (None, None, ()),
        ("", None, ()),
    ],
)
@pytest.mark.parametrize("field", ["start_time", "last_error_time"])
def test_failure_08_a_time_of_something_before_is_believed_from_2000_to_its_event(
    sent: Any, stored: int | None, kinds: tuple[str, ...], field: str
) -> None:
    data = {field: sent} if field == "start_time" else {"inference_status": {"fps": 7.5, field: sent}}
    verdict = verdicts(record("ai_stream_status", **data))
    assert isinstance(verdict, Accepted)
    ((table, row),) = verdict.rows
    columns = dict(zip(table.column_names[-len(row) :], row, strict=True))
    assert columns[field] == stored
    assert verdict.discarded == kinds
    assert columns["output_fps"] == (0.0 if field == "start_time" else 7.5)


def test_failure_08_every_time_of_an_event_is_counted() -> None:
    verdict = verdicts(
        record("ai_stream_status", start_time=T // 1000, inference_status={"last_error_time": T + X + 1}, fps=1)
    )
    assert isinstance(verdict, Accepted)
    assert sorted(verdict.discarded) == ["seconds", "skew"]


@pytest.mark.parametrize(
    ("name", "sent", "details"),
    [
        ("seconds", T // 1000, "timestamp 1767873600 is 1970-01-21 11:04:33 UTC, before 2000-01-01"),
        ("seconds as digits", str(T // 1000), "timestamp 1767873600 is 1970-01-21"),
        ("monotonic seconds", 81234.567, "timestamp 81234 is 1970-01-01 00:01:21 UTC, before"),
        ("the year 1900", -2_208_988_800_000, "is 1900-01-01 00:00:00 UTC, before"),
        ("the last of 1999", Y2000 - 1, "is 1999-12-31 23:59:59 UTC, before"),
        ("zero", 0, "is 1970-01-01 00:00:00 UTC, before"),
        ("microseconds", T * 1000, "is not a time between 1900 and 2299"),
        ("nanoseconds", T * 1_000_000, "is not a time between 1900 and 2299"),
        ("beyond all", 10**30, "is not a time between 1900 and 2299"),
        ("the year 2299", 10_413_791_999_999, "is 2299-12-31 23:59:59 UTC, more than 24 hours after its record"),
        ("a day and a bit", T + DAY + 1, "more than 24 hours after its record (2026-01-08 12:00:00 UTC)"),
    ],
)
def test_failure_08_an_event_of_a_time_that_cannot_be_is_a_dead_letter(name: str, sent: Any, details: str) -> None:
    verdict = verdicts(record(timestamp=sent))
    assert isinstance(verdict, Rejected), name
    assert verdict.failure.reason.value == "implausible_timestamp"
    assert details in verdict.failure.details
    assert verdict.event_timestamp is None, "it is nobody's event time: windows go by the record's"


@pytest.mark.parametrize("sent", [Y2000, T, T + DAY, str(T), T - 20 * 365 * DAY])
def test_failure_08_old_events_and_those_a_day_ahead_are_honest_work(sent: Any) -> None:
    assert isinstance(verdicts(record(timestamp=sent)), Accepted)


@pytest.mark.parametrize(
    ("record_time", "latest"),
    [
        (T, T + DAY),
        (T - 30 * DAY, T - 29 * DAY),
        (Y2000, Y2000 + DAY),
        (T + DAY, T + 2 * DAY),
        (-1, T + DAY),
        (0, T + DAY),
        (T // 1000, T + DAY),
        (T * 1000, T + DAY),
        (T + DAY + 1, T + DAY),
    ],
)
def test_failure_08_an_event_is_judged_by_its_records_time_if_that_can_be(record_time: int, latest: int) -> None:
    assert isinstance(verdicts(record(timestamp=latest), T, (record_time,)), Accepted)
    assert isinstance(verdicts(record(timestamp=latest + 1), T, (record_time,)), Rejected)


@pytest.mark.parametrize(
    ("mark", "latest"),
    [
        (T - 30 * DAY, T - 29 * DAY),
        (str(T - 30 * DAY), T - 29 * DAY),
        (T + 30 * DAY, T + DAY),
        (-1, T + DAY),
        (None, T + DAY),
        ("x", T + DAY),
    ],
)
def test_failure_08_a_replayed_event_is_judged_by_the_time_of_its_first_record(mark: Any, latest: int) -> None:
    def replayed(timestamp: int) -> bytes:
        return record(timestamp=timestamp).replace(b"{", b'{"__replay_record_ms":%s,' % json.dumps(mark).encode(), 1)

    assert isinstance(verdicts(replayed(latest)), Accepted)
    assert isinstance(verdicts(replayed(latest + 1)), Rejected)


@given(
    st.integers(-(2**60), 2**60) | st.integers(T - 2 * DAY, T + 2 * DAY) | st.integers(0, 2 * T // 1000),
    st.integers(-(2**60), 2**60) | st.integers(T - 2 * DAY, T + 2 * DAY) | st.integers(0, 2 * T // 1000),
    st.lists(st.integers(-1, 2**60) | st.integers(T - 2 * DAY, T + 2 * DAY), max_size=1),
)
def test_failure_08_nothing_stored_is_further_from_its_record_than_the_rules_allow(
    timestamp: int, data_timestamp: int, record_times: list[int]
) -> None:
    event = {"id": "e", "type": "stream_trace", "timestamp": timestamp, "data": {**TRACE, "timestamp": data_timestamp}}
    verdict = verdicts(json.dumps(event).encode(), T, record_times or None)
    if isinstance(verdict, Accepted):
        ((_, row),) = verdict.rows
        assert Y2000 <= verdict.envelope.timestamp <= T + 2 * DAY
        assert abs(row[-1] - verdict.envelope.timestamp) <= X
        assert (row[-1] == data_timestamp) or len(verdict.discarded) == 1


@attrs.frozen(slots=True)
class Step:
    at: NearTimestamp = None


@attrs.frozen(slots=True)
class Journey(EventData):
    stream_id: Text = ""
    steps: list[Step] = attrs.field(factory=list[Step])
    by_name: dict[str, Step] = attrs.field(factory=dict[str, Step])


JOURNEYS = typed_table("journeys", Column("times", Kind.TEXT), order_by=())
JOURNEY = EventType(
    name="journey",
    model=Journey,
    required=(),
    tables=(JOURNEYS,),
    shape=lambda envelope, data: [
        (JOURNEYS, (json.dumps([step.at for step in [*data.steps, *data.by_name.values()]]),))
    ],
)


def test_failure_08_times_of_plugins_are_judged_wherever_their_model_has_them() -> None:
    event = {
        "id": "e",
        "type": "journey",
        "timestamp": T,
        "data": {"steps": [{"at": T}, {"at": T // 1000}, {}], "by_name": {"a": {"at": 1}, "b": {"at": T + 1}}},
    }
    for validators in ([], [lambda document: None]):
        verdict = Pipeline([JOURNEY], plugin_validators=validators).process(json.dumps(event).encode(), POSITION, T)
        assert isinstance(verdict, Accepted)
        assert json.loads(verdict.rows[0][1][0]) == [T, None, None, None, T + 1]
        assert verdict.discarded == ("seconds", "other")
