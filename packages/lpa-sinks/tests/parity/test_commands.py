"""``lpa check parity``."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.errors import Unavailable, UsageError
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.health import HealthSettings
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_core.settings.thresholds import Thresholds
from lpa_core.sinks.sink import SinkMisconfigured, SinkUnavailable
from lpa_core.tables.row_layout import RAW_TABLE
from lpa_sinks.commands.check import check_app
from lpa_sinks.parity import assertions, settled_hours
from lpa_sinks.parity.comparable_hours import end_of_events
from lpa_sinks.parity.page import markdown
from lpa_sinks.schema.apply import apply
from lpa_sinks.schema.ddl import INGESTED_FILE
from lpa_sinks.testing.damage import DerivedDatabase

PAGE = Path(__file__).parents[4] / "docs" / "parity.md"
Run = Callable[..., Any]
WINDOW = ("--start", "2026-01-01", "--end", "2026-02-01")


@pytest.fixture
def run(engine_path: Path, tmp_path: Path) -> Run:
    """Runs ``lpa check parity`` with these arguments, on the healthy database unless they name another."""
    app = check_app(
        PluginManager(
            Settings(clickhouse=ClickHouseSettings(database="parity"), lpa=ProcessSettings(data_dir=tmp_path / "data"))
        ).context
    )

    def command(*arguments: str) -> Any:
        sink = () if "--sink" in arguments else ("--sink", f"chdb://{engine_path}")
        return app(["parity", *sink, *arguments], result_action="return_value", exit_on_error=False)

    return command


@pytest.mark.slow
def test_the_commands_of_the_page_run_and_all_hold(
    stored: DerivedDatabase, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, all_of_a_day, some = map(shlex.split, re.findall(r"^lpa check parity\b(.*)$", markdown(), re.MULTILINE))
    assert run(*some) == 0
    assert {each["found"] for each in json.loads(capsys.readouterr().out)} == {"holds"}
    assert run(*all_of_a_day) == 0
    asked = len(assertions())
    assert capsys.readouterr().out.endswith(f"{asked} assertions: {asked - 1} hold, 1 info, 0 fail\n")
    assert run(*whole) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("from 2026-01-08 01:00 to 2026-01-09 01:00 UTC\n"), (
        "the default of HEALTH_WINDOW_HOURS, up to the newest event"
    )


def test_one_end_of_the_window_is_enough(stored: DerivedDatabase, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with stored.mended(["fact_workflow_sessions_versions"], []):
        stored.change("fact_workflow_sessions", swap_count="77")
        assert run("swap_counts_agree", "--start", "2026-01-01") == 1
        assert capsys.readouterr().out.startswith("from 2026-01-01 00:00 to ")
        assert run("swap_counts_agree", "--end", "2026-01-01") == 0
        assert capsys.readouterr().out.startswith("from 2025-12-31 00:00 to 2026-01-01 00:00 UTC\n")


@pytest.mark.slow
def test_failure_08_one_odd_event_does_not_choose_the_window(engine: Client, engine_path: Path, database: str) -> None:
    apply(engine, database, [])
    end = datetime(2026, 3, 1, tzinfo=UTC)
    for odd in (81_234_000, 946_684_799_999, 10_413_791_999_999):
        engine.command(f"INSERT INTO {database}.streaming_events (timestamp) VALUES ({odd})")
    assert end_of_events(engine, database, end) is None
    check = check_app(PluginManager(Settings(clickhouse=ClickHouseSettings(database=database))).context)
    with pytest.raises(Unavailable, match=f"^{database} has no event before .*--start 1h --end 1s$"):
        check(["parity", "--sink", f"chdb://{engine_path}"], result_action="return_value", exit_on_error=False)
    engine.command(f"INSERT INTO {database}.streaming_events (timestamp) VALUES (1767873600000)")
    assert end_of_events(engine, database, end) == datetime(2026, 1, 8, 13, tzinfo=UTC)


def test_hours_are_settled_once_they_are_over_and_derived() -> None:
    def hours(since: str, now: str) -> tuple[str, str]:
        moments = (int(datetime.fromisoformat(f"2026-01-08T{each}Z").timestamp() * 1000) for each in (since, now))
        first, last = settled_hours(Settings(), *moments)
        return f"{first:%H:%M}", f"{last:%H:%M}"

    assert hours("08:00", "12:15") == ("08:00", "12:00")
    assert hours("08:01", "12:14") == ("09:00", "11:00")
    never = Settings(health=HealthSettings(freshness_minutes=Thresholds(1e305, 1e305)))
    assert settled_hours(never, 0, 1)[1] == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_failure_is_shown_with_what_to_do(
    stored: DerivedDatabase, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with stored.mended(["fact_workflow_sessions_versions"], []):
        stored.change("fact_workflow_sessions", swap_count="77")
        assert run("swap_counts_agree", "facts_are_read_once", *WINDOW) == 1
        shown = capsys.readouterr().out
        assert shown.startswith("fail swap_counts_agree: 1 row\n  swap_count equals confirmed_swap_count.\n  To do: ")
        assert "swap_count=77" in shown
        assert shown.endswith("2 assertions: 1 hold, 1 fail\n")
        assert run("swap_counts_agree", "--json", *WINDOW) == 1
        (found,) = json.loads(capsys.readouterr().out)
    assert (found["assertion"], found["found"], found["rows"][0]["swap_count"]) == ("swap_counts_agree", "fail", 77)


def test_what_lies_outside_the_window_does_not_count(stored: DerivedDatabase, run: Run) -> None:
    with stored.mended(["fact_workflow_sessions_versions"], []):
        stored.change("fact_workflow_sessions", swap_count="77")
        assert run("swap_counts_agree", "--start", "2026-02-01", "--end", "2026-03-01") == 0


def test_warnings_fail_nothing(stored: DerivedDatabase, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with stored.mended(["fact_workflow_sessions_versions"], []):
        stored.change("fact_workflow_sessions", "workflow_session_id = 'tail|tail'", is_deleted="1")
        assert run("samples_reference_sessions", *WINDOW) == 0
    assert capsys.readouterr().out.startswith("warn samples_reference_sessions")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nothing_known", *WINDOW), "there is no assertion 'nothing_known'"),
        (("--start", "2026-02-01", "--end", "2026-02-01"), "--start 2026-02-01T00:00:00.000Z is --end 2026-02-01T"),
        (("--start", "2100-02-01"), "--start 2100-02-01T00:00:00.000Z is after --end 2026-"),
        (
            ("--start", "1960-01-01", "--end", "2026-02-01"),
            "--start=1960-01-01: a window must be between 2000 and 2106",
        ),
        (("--start", "noon"), "--start=noon: this is not a time: write how long before now, such as 90s"),
    ],
)
def test_wrong_usage(stored: DerivedDatabase, run: Run, arguments: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        run(*arguments)


def test_a_database_that_is_not_there_is_a_misconfigured_sink(run: Run) -> None:
    with pytest.raises(SinkMisconfigured, match="there is no embedded database yet"):
        run("--sink", "chdb:///nowhere/at/all", *WINDOW)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == markdown(), "./dev pages writes it anew"


def test_assertions_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    app = check_app(PluginManager(Settings()).context)
    app(["assertions", "--json"], result_action="return_value", exit_on_error=False)
    shown = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in shown] == [each.name for each in assertions()]
    app(["assertions"], result_action="return_value", exit_on_error=False)
    printed = capsys.readouterr().out
    first, *names = [line for line in printed.splitlines() if not line.startswith(" ")]
    assert first == "A list; nothing was checked: `lpa check parity` checks."
    assert names == [each["name"] for each in shown]
    assert printed.count("  severity  fail\n") == sum(each["severity"] == "fail" for each in shown) > 0


def test_a_database_without_facts_is_named_with_what_makes_them(
    engine: Client, engine_path: Path, database: str, run: Run
) -> None:
    app = check_app(PluginManager(Settings(clickhouse=ClickHouseSettings(database=database))).context)
    for missing in ("streaming_events", "fact_workflow_sessions"):
        with pytest.raises(SinkMisconfigured, match=f"^{database} has no {missing}: `lpa schema apply` makes it$"):
            app(["parity", "--sink", f"chdb://{engine_path}"], result_action="return_value", exit_on_error=False)
        apply(engine, database, [RAW_TABLE], [INGESTED_FILE])


def test_a_server_that_does_not_answer(run: Run) -> None:
    with pytest.raises(SinkUnavailable, match="Connection refused"):
        run("--sink", "clickhouse://127.0.0.1:9/db", *WINDOW)
