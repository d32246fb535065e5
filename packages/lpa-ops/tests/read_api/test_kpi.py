"""Key figures: a window, the one before it, and what changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lpa_ops.read_api.kpi import Hour, Jobs, requests, streaming

HOUR = 3_600_000
END = 500_000 * HOUR


def test_figures_are_those_of_the_window_beside_the_one_before() -> None:
    hours = [Hour(END - 3 * HOUR, 4, 4, 2, 60, 0.5), Hour(END - HOUR, 10, 10, 1, 120, 2.0)]
    figures = streaming(hours, END - 2 * HOUR, END, 6, 4)
    assert figures["successRate"] == {"value": 90.0, "delta": 40.0}
    assert figures["orchestratorsObserved"] == {"value": 6, "delta": 50.0}
    assert figures["dailyUsageMins"] == {"value": 20 * 12, "delta": 100.0}
    assert figures["dailySessionCount"] == {"value": 10 * 12, "delta": 150.0}
    assert figures["dailyNetworkFeesEth"] == {"value": 24.0, "delta": 300.0}
    assert figures["hourlySessions"] == [{"hour": END - 2 * HOUR, "value": 0}, {"hour": END - HOUR, "value": 10}]
    assert figures["hourlyUsage"][1] == {"hour": END - HOUR, "value": 20.0}


def test_jobs_are_compared_with_those_before() -> None:
    assert requests(Jobs(20, 10, 9), Jobs(10, 10, 8), 12) == {
        "successRate": {"value": 90.0, "delta": 10.0},
        "dailyJobCount": {"value": 40.0, "delta": 100.0},
    }
    assert requests(Jobs(0, 0, 0), Jobs(0, 0, 0), 24)["successRate"] == {"value": None, "delta": None}


def test_what_is_not_known_is_null_and_not_zero() -> None:
    figures = streaming([], END - HOUR, END, 0, 0)
    assert figures["successRate"] == {"value": None, "delta": None}
    assert figures["dailySessionCount"] == {"value": 0.0, "delta": None}


@given(st.lists(st.tuples(st.integers(1, 48), st.integers(0, 50), st.integers(0, 600)), unique_by=lambda each: each[0]))
def test_the_series_add_up_to_the_figures(given_: list[tuple[int, int, int]]) -> None:
    hours = [Hour(END - ago * HOUR, count, count, 0, samples, 0.0) for ago, count, samples in given_]
    figures = streaming(hours, END - 24 * HOUR, END, 1, 1)
    assert len(figures["hourlySessions"]) == len(figures["hourlyUsage"]) == 24
    assert sum(each["value"] for each in figures["hourlySessions"]) == figures["dailySessionCount"]["value"]
    assert abs(sum(each["value"] for each in figures["hourlyUsage"]) - figures["dailyUsageMins"]["value"]) < 1e-6
