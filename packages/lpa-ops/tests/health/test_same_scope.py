"""What a check tells to look at is what it looked at itself."""

from __future__ import annotations

import pytest

from lpa_core.health.check import Scope
from lpa_core.settings.settings import Settings
from lpa_core.time_window import parse_time
from lpa_ops.health.same_scope import since_option

NOW_MS = 1_767_873_600_000


@pytest.mark.parametrize(
    ("window_ms", "option"),
    [
        (24 * 3_600_000, "--since 24h"),
        (90 * 60_000, "--since 90m"),
        (90_000, "--since 2026-01-08T11:58:30.000Z"),
    ],
)
def test_the_window_is_the_checks(window_ms: int, option: str) -> None:
    scope = Scope(Settings(), NOW_MS, NOW_MS - window_ms)
    assert since_option(scope) == option
    assert parse_time(option.split()[1], "--since", NOW_MS) == scope.since_ms


def test_so_is_the_database_but_a_password_is_not_told() -> None:
    def of(sink: str) -> str:
        return since_option(Scope(Settings(), NOW_MS, NOW_MS - 3_600_000, sink=sink))

    assert of("clickhouse://reader@host:8123/events") == "--since 1h --sink clickhouse://reader@host:8123/events"
    assert of("clickhouse://reader:secret@host:8123/events") == "--since 1h"
