"""Windows: how they are written, and what is none."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.errors import UsageError
from lpa_core.settings.settings import ReplaySettings, Settings
from lpa_replay.sources.window import Window, window

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


@pytest.mark.parametrize(
    ("since", "length"), [("90s", 90_000), ("30m", 1_800_000), ("2h", 7_200_000), ("7d", 604_800_000)]
)
def test_a_relative_window_ends_now_or_where_it_is_told(since: str, length: int) -> None:
    assert asked(since=since) == Window(NOW - length, NOW)
    assert asked(since=since, end=str(NOW - 5)) == Window(NOW - 5 - length, NOW - 5)


def test_a_window_may_begin_and_end_so_long_ago_and_since_may_be_a_time() -> None:
    assert asked(start="2h", end="1h") == Window(NOW - 7_200_000, NOW - 3_600_000)
    assert asked(since="2026-01-08T11:00:00") == Window(NOW - 3_600_000, NOW)


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
        ({"start": "yesterday"}, "--start=yesterday: this is not a time: write "),
        ({"end": "yesterday"}, "--end=yesterday: this is not a time: write "),
        ({"since": "2 hours"}, "--since=2 hours: this is not a time: write "),
        ({"since": "2026-01-09"}, "--since 2026-01-09T00:00:00.000Z is after --end 2026-01-08T12:00:00.000Z"),
        ({"since": "2h", "start": str(NOW)}, "--start and --since cannot be given together"),
        ({"everything": True, "since": "2h"}, "--since and --all cannot be given together"),
    ],
)
def test_what_is_no_window(arguments: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        asked(**arguments)  # type: ignore[arg-type]  # texts and one flag
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_settings_that_are_no_window_are_named_by_their_variables() -> None:
    swapped = attrs.evolve(NOTHING, replay=ReplaySettings(start_epoch_ms=NOW, end_epoch_ms=NOW - 10))
    with pytest.raises(UsageError, match=r"REPLAY_START_EPOCH_MS .* is after REPLAY_END_EPOCH_MS"):
        asked(settings=swapped)
