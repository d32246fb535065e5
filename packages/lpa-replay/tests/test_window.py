"""Windows: how they are written, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.replays import ReplayRefused
from lpa_core.settings.settings import ReplaySettings, Settings
from lpa_replay.window import Window, parse_moment, shown, window

NOW = 1_767_873_600_000
NOTHING = Settings()
SET = attrs.evolve(NOTHING, replay=ReplaySettings(start_epoch_ms=NOW - 10, end_epoch_ms=NOW))


def asked(
    start: str | None = None,
    end: str | None = None,
    since: str | None = None,
    everything: bool = False,
    settings: Settings = NOTHING,
) -> Window:
    return window(start, end, since, everything, settings, NOW)


@given(start=st.integers(NOW - 9, NOW + 9), length=st.integers(1, 20), moment=st.integers(NOW - 40, NOW + 40))
def test_the_start_is_in_and_the_end_is_not(start: int, length: int, moment: int) -> None:
    assert (moment in asked(str(start), str(start + length))) == (start <= moment < start + length)


@given(st.integers(100_000_000_000, 10_413_791_999_999))
def test_a_moment_reads_the_same_as_milliseconds_and_in_iso_8601(moment: int) -> None:
    assert parse_moment(str(moment), "--start") == moment == parse_moment(shown(moment), "--start")


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2299, 1, 1)),
    st.integers(-12 * 60, 14 * 60),
)
def test_iso_8601_with_a_zone(local: datetime, minutes: int) -> None:
    zone = timedelta(minutes=minutes)
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = f"{local.isoformat()}{sign}{hours:02}:{rest:02}"
    expected = (local.replace(tzinfo=UTC) - zone - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert parse_moment(text, "--start") == expected


def test_without_a_zone_it_is_utc() -> None:
    assert parse_moment("2026-01-08T12:00:00", "--start") == parse_moment("2026-01-08T12:00:00Z", "--start") == NOW
    assert parse_moment("2026-01-08", "--start") == NOW - 12 * 3_600_000


@pytest.mark.parametrize(
    ("since", "length"), [("90s", 90_000), ("30m", 1_800_000), ("2h", 7_200_000), ("7d", 604_800_000)]
)
def test_a_relative_window_ends_now_or_where_it_is_told(since: str, length: int) -> None:
    assert asked(since=since) == Window(NOW - length, NOW)
    assert asked(since=since, end=str(NOW - 5)) == Window(NOW - 5 - length, NOW - 5)


def test_a_window_without_an_end_ends_now() -> None:
    assert asked(str(NOW - 1)) == Window(NOW - 1, NOW)


def test_the_settings_give_a_window_and_options_win_over_them() -> None:
    assert asked(settings=SET) == Window(NOW - 10, NOW)
    assert asked("1767000000000", settings=SET) == Window(1_767_000_000_000, NOW)
    assert asked(everything=True, settings=SET).everything


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "no window: give --start and --end, or --since 2h, or REPLAY_START_EPOCH_MS"),
        ({"end": str(NOW)}, "no window: "),
        ({"start": str(NOW), "end": str(NOW)}, "--start 2026-01-08T12:00:00.000Z is --end 2026-01-08T12:00:00.000Z"),
        ({"start": str(NOW), "end": str(NOW - 1)}, "is after --end 2026-01-08T11:59:59.999Z"),
        ({"start": "yesterday"}, "--start=yesterday: no moment: give milliseconds since the epoch, or ISO 8601"),
        ({"start": "1767873600"}, "these are seconds since the epoch, milliseconds are needed: 1767873600000?"),
        ({"start": "1767873600000000"}, "this is after the year 2299"),
        ({"start": "-5"}, "no moment"),
        ({"start": "1e12"}, "no moment"),
        ({"since": "2 hours"}, "--since=2 hours: no span: give a number and one of s, m, h, d, w, such as 2h"),
        ({"since": "0h"}, "no span"),
        ({"since": "2h", "start": str(NOW)}, "--start and --since cannot be given together"),
        ({"everything": True, "since": "2h"}, "--since and --all cannot be given together"),
    ],
)
def test_what_is_no_window(arguments: dict[str, str], said: str) -> None:
    with pytest.raises(ReplayRefused) as refused:
        asked(**arguments)  # type: ignore[arg-type]  # texts and one flag
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_settings_that_are_no_window_are_named_by_their_variables() -> None:
    swapped = attrs.evolve(NOTHING, replay=ReplaySettings(start_epoch_ms=NOW, end_epoch_ms=NOW - 10))
    with pytest.raises(ReplayRefused, match=r"REPLAY_START_EPOCH_MS .* is after REPLAY_END_EPOCH_MS"):
        asked(settings=swapped)
