"""Which session a signal is of, its time, and its place among the others."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from lpa_core.lifecycle.signals import Signal, SignalKind, edge_time, first_non_blank, order, session_id


@pytest.mark.parametrize(
    ("stream_id", "request_id", "event_uid", "expected"),
    [
        (" stream ", "request  ", "uid", "stream|request"),
        ("stream", " ", "uid", "stream|_missing_request"),
        ("", "request", "uid", "_missing_stream|request"),
        (" ", "", " uid ", "_missing_stream|_missing_request|uid"),
        ("", "", " ", "_missing_stream|_missing_request|_missing_event"),
    ],
)
def test_a_session_is_named_by_stream_and_request(
    stream_id: str, request_id: str, event_uid: str, expected: str
) -> None:
    assert session_id(stream_id, request_id, event_uid) == expected


T = 1_767_873_600_000


@pytest.mark.parametrize(("data_timestamp", "expected"), [(5, 5), (0, 9), (-5, 9), (None, 9)])
def test_a_trace_has_its_own_time_unless_there_is_none(data_timestamp: int | None, expected: int) -> None:
    assert edge_time(data_timestamp, 9) == expected


@pytest.mark.parametrize(
    ("data_timestamp", "expected"),
    [(T - 600_000, T - 600_000), (T + 600_001, T), (T // 1000, T), (10_413_791_999_999, T)],
)
def test_failure_08_a_stored_time_far_from_its_event_is_not_the_traces(data_timestamp: int, expected: int) -> None:
    assert edge_time(data_timestamp, T) == expected


def test_signals_are_in_order_of_time_then_of_position() -> None:
    first = Signal(SignalKind.TRACE, 10, 99, topic="a", partition=1, offset=5, source_event_uid="z")
    in_order = [
        replace(first, signal_ts=9, topic="z", event_timestamp=100),
        replace(first, partition=0, offset=7),
        replace(first, offset=4),
        replace(first, kind=SignalKind.STATUS),
        first,
        replace(first, topic="b", partition=0, offset=0),
        replace(first, signal_ts=11, topic=""),
    ]
    shuffled = [in_order[index] for index in (3, 6, 0, 5, 2, 4, 1)]
    assert sorted(shuffled, key=order) == in_order


def test_the_first_text_that_is_not_blank_is_answered_untrimmed() -> None:
    assert first_non_blank("", None, " ", " a ", "b") == " a "
    assert first_non_blank(None, " ") == ""
