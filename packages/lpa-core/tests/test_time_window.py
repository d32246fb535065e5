"""How times are written on the command line, and what is not one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lpa_core.errors import UsageError
from lpa_core.time_window import parse_duration, parse_time, require_order, shown

NOW = 1_767_873_600_000
UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
ZONES = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timedelta(minutes=minutes))


def parse(text: str) -> int:
    return parse_time(text, "--since", NOW)


@given(st.integers(1, 400), st.sampled_from(sorted(UNITS)))
def test_a_duration_counts_back_from_now(count: int, unit: str) -> None:
    assert parse(f"{count}{unit}") == parse(f" 0{count}{unit} ") == NOW - count * UNITS[unit]


@given(st.integers(0, 400), st.sampled_from(sorted(UNITS)))
def test_a_duration_alone_is_written_alike_and_may_be_none(count: int, unit: str) -> None:
    assert parse_duration(f" {count}{unit} ", "--every") == count * UNITS[unit]


@pytest.mark.parametrize("text", ["", "1", "-1s", "1.5h", "1h30m", "hourly", "1H", "٣s", "1234567890s"])
def test_what_is_not_a_duration_is_wrong_usage_that_names_the_option(text: str) -> None:
    with pytest.raises(UsageError, match=r"--every=.*: write one such as 90s"):
        parse_duration(text, "--every")


@given(st.datetimes(datetime(1900, 1, 2), datetime(2299, 1, 1)), st.none() | ZONES)
def test_iso_8601_is_in_its_zone_and_without_one_in_utc(local: datetime, offset: timedelta | None) -> None:
    minutes = abs(offset) // timedelta(minutes=1) if offset else 0
    sign = "-" if offset is not None and offset < timedelta() else "+"
    zone = "" if offset is None else f"{sign}{minutes // 60:02}:{minutes % 60:02}"
    expected = local.replace(tzinfo=UTC) - (offset or timedelta()) - datetime(1970, 1, 1, tzinfo=UTC)
    assert parse(f"{local.isoformat()}{zone}") == expected // timedelta(milliseconds=1)


@given(st.integers(100_000_000_000, 10_413_791_999_999))
def test_milliseconds_and_what_is_shown_read_the_same(moment: int) -> None:
    assert parse(str(moment)) == moment == parse(shown(moment))


def test_a_day_begins_at_midnight_in_utc() -> None:
    assert parse("2026-01-08") == parse("2026-01-08T00:00:00Z") == parse("20260108") == NOW - 12 * 3_600_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("yesterday", "this is not a time: write how long before now, such as 90s, 15m, 2h, 7d or 1w, or a time such"),
        ("2 hours", "this is not a time: "),
        ("0h", "this is not a time: "),
        ("2H", "this is not a time: "),
        ("-2h", "this is not a time: "),
        ("1.5h", "this is not a time: "),
        ("5", "this is not a time: "),
        ("-5", "this is not a time: "),
        ("1e12", "this is not a time: "),
        ("", "this is not a time: "),
        ("\u0661h", "this is not a time: "),
        ("2026-02-30", "this is not a time: "),
        ("1767873600", "these are seconds since the epoch, milliseconds are needed: 1767873600000?"),
        ("1767873600000000", "a time must be between 1900 and 2299: write "),
        ("9" * 5000, "a time must be between 1900 and 2299: write "),
        ("999999999w", "a time must be between 1900 and 2299: write "),
        ("0001-01-01T00:00:00+14:00", "a time must be between 1900 and 2299: write "),
        ("9999-12-31T23:59:59Z", "a time must be between 1900 and 2299: write "),
    ],
)
def test_what_is_not_a_time_is_wrong_usage_that_names_the_option(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert str(refused.value).startswith(f"--since={text}: {said}")


@given(st.text())
@example("2026-01-08T12:00:00+99:99")
@example("\udcff")
def test_any_text_is_a_time_or_wrong_usage(text: str) -> None:
    try:
        moment = parse(text)
    except UsageError:
        return
    assert parse(shown(moment)) == moment


def test_a_window_has_to_hold_something() -> None:
    require_order(NOW - 1, NOW)
    with pytest.raises(UsageError, match=r"^--start 2026-01-08T12:00:00.000Z is --end 2026-01-08T12:00:00.000Z: "):
        require_order(NOW, NOW)
    with pytest.raises(UsageError, match=r"^FROM 2026-01-08T12:00:00.001Z is after TO 2026-01-08T12:00:00.000Z: "):
        require_order(NOW + 1, NOW, "FROM", "TO")
