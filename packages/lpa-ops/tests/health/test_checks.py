"""Each check goes red on a fault made for it, and green again; on a healthy day none is red."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

import attrs
import pytest

from lpa_core.cli import build_app
from lpa_core.health.check import Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.health.report import HealthReport
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import load
from lpa_core.settings.thresholds import State
from lpa_core.testing.claim_damage import closed_store
from lpa_ops.backup.backup import DATABASE_FOLDER
from lpa_ops.backup.store import BackupStore
from lpa_ops.health.checks import (
    CHECKS,
    api_view_parity,
    attribution_coverage,
    backup_age,
    dedup_store,
    deduplication_windows,
    disk,
    dlq_rate,
    input_to_fact_freshness,
    quarantine_rate,
    rollup_lag,
    schema_drift,
    session_consistency,
)
from lpa_ops.health.parity import judge_parity
from lpa_ops.positions.checkpoints import sink_name
from lpa_ops.testing.backups import FULL
from lpa_ops.testing.checked_database import HOUR_MS, CheckedDatabase, ok, red


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def commands(action: str) -> list[list[str]]:
    return [shlex.split(command) for command in re.findall(r"`lpa ([^`]+)`", action)]


@pytest.mark.slow
def test_a_healthy_day_has_nothing_red_and_says_what_it_cannot_judge(day: CheckedDatabase) -> None:
    scope = Scope(day.settings, day.now_ms, day.now_ms - 86_400_000, day.sink)
    report = HealthReport(CheckRunner(CHECKS, day.settings, 600).run(scope))
    assert {r.check.name: r.finding.detail for r in report.results if r.finding.state.rank > 1} == {}
    assert report.state is State.OK


def test_checks_judge_by_the_time_that_is_documented(day: CheckedDatabase) -> None:
    page = (Path(__file__).parents[4] / "docs" / "operations" / "health.md").read_text()
    documented = dict(re.findall(r"^\| \[(\w+)\]\(#[\w-]+\) \| .+? \| \w+ \| ([\w ]+) \|", page, re.MULTILINE))
    everything = PluginManager(load({"LPA_FLINK_ADDRESS": "http://flink:8092"})).health_checks()
    assert documented.keys() == {check.name for check in everything}
    # What arrived in the last two hours is of hours before.
    scope = Scope(day.settings, day.now_ms, day.now_ms - 2 * HOUR_MS, day.sink)
    windowed = [check for check in CHECKS if documented[check.name] != "now"]
    judged = {
        result.check.name: "event time" if result.finding.state is State.NOT_APPLICABLE else "arrival"
        for result in CheckRunner(windowed, day.settings, 600).run(scope)
    }
    assert judged == {check.name: documented[check.name] for check in windowed}


def test_dead_letters_beyond_a_threshold(day: CheckedDatabase) -> None:
    ok(day, dlq_rate.CHECK)
    day.run(
        "INSERT INTO day.streaming_events_dlq (source_topic, source_partition, source_offset, failure_class) "
        "SELECT 'fault', 0, number, 'SCHEMA_INVALID' FROM numbers(100)"
    )
    red(day, dlq_rate.CHECK, State.CRITICAL, "records were dead-lettered")
    day.run("DELETE FROM day.streaming_events_dlq WHERE source_topic = 'fault'")
    ok(day, dlq_rate.CHECK)


def test_dead_letters_that_are_few_but_more_than_usual(day: CheckedDatabase) -> None:
    day.run(
        "INSERT INTO day.streaming_events (source_topic, dedup_key, ingestion_timestamp) "
        "SELECT 'fault', toString(number), now64(3) - INTERVAL 2 DAY FROM numbers(50000)"
    )
    day.run(
        "INSERT INTO day.streaming_events_dlq (source_topic, source_partition, source_offset, failure_class) "
        "SELECT 'fault', 0, number, 'SCHEMA_INVALID' FROM numbers(6)"
    )
    red(day, dlq_rate.CHECK, State.WARNING, "0.00% in the 7 days before")
    ok(day, dlq_rate.CHECK, usual_days=1)
    for table in ("streaming_events", "streaming_events_dlq"):
        day.run(f"DELETE FROM day.{table} WHERE source_topic = 'fault'")
    ok(day, dlq_rate.CHECK)


def test_more_duplicates_than_are_normal(day: CheckedDatabase) -> None:
    ok(day, quarantine_rate.CHECK)
    day.run(
        "INSERT INTO day.streaming_events_quarantine (source_topic, source_partition, source_offset) "
        "SELECT 'fault', 0, number FROM numbers(300)"
    )
    red(day, quarantine_rate.CHECK, State.WARNING, "records were quarantined")
    day.run("DELETE FROM day.streaming_events_quarantine WHERE source_topic = 'fault'")
    ok(day, quarantine_rate.CHECK)


def test_a_deduplication_window_that_is_too_small(day: CheckedDatabase) -> None:
    ok(day, deduplication_windows.CHECK)
    table = "day.streaming_events_dlq"
    day.run(f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 1")
    red(day, deduplication_windows.CHECK, State.WARNING, "streaming_events_dlq remembers 1")
    day.run(f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 0")
    red(day, deduplication_windows.CHECK, State.CRITICAL, "streaming_events_dlq remembers 0")
    day.run(f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 10000")
    ok(day, deduplication_windows.CHECK)


def test_a_table_that_has_drifted(day: CheckedDatabase) -> None:
    ok(day, schema_drift.CHECK)
    day.run("ALTER TABLE day.stream_trace_events ADD COLUMN extra String")
    red(day, schema_drift.CHECK, State.WARNING, "column extra String is not expected")
    day.run("ALTER TABLE day.stream_trace_events DROP COLUMN extra")
    day.run("ALTER TABLE day.stream_trace_events RENAME COLUMN orchestrator_url TO url")
    red(day, schema_drift.CHECK, State.CRITICAL, "column orchestrator_url String is missing")
    day.run("ALTER TABLE day.stream_trace_events RENAME COLUMN url TO orchestrator_url")
    ok(day, schema_drift.CHECK)


def test_a_disk_that_is_filling(day: CheckedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = {"free": 150}
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(1000, 1000 - usage["free"], usage["free"]))
    red(day, disk.CHECK, State.WARNING, "15% of")
    usage["free"] = 50
    red(day, disk.CHECK, State.CRITICAL, "5% of")
    usage["free"] = 500
    ok(day, disk.CHECK)


def test_claims_that_take_too_much_room(day: CheckedDatabase, tmp_path: Path) -> None:
    day = attrs.evolve(day, settings=attrs.evolve(day.settings, lpa=attrs.evolve(day.settings.lpa, data_dir=tmp_path)))
    assert day(dedup_store.CHECK).finding.state is State.NOT_APPLICABLE, "there are none yet"
    closed_store(tmp_path / "dedup", 86_400_000, day.now_ms, 100)
    ok(day, dedup_store.CHECK)
    red(day, dedup_store.CHECK, State.CRITICAL, "for a TTL of 1,440 minutes", dedup_store_gigabytes="0.000001,0.000001")


def test_an_event_that_no_fact_is_made_of(day: CheckedDatabase) -> None:
    ok(day, input_to_fact_freshness.CHECK)
    later = f"fromUnixTimestamp64Milli({day.now_ms}, 'UTC') - INTERVAL 30 MINUTE"
    day.run(f"INSERT INTO day.ai_stream_status (stream_id, ingestion_timestamp) SELECT 'fault', {later}")
    red(day, input_to_fact_freshness.CHECK, State.WARNING, "behind the newest status event")
    red(day, input_to_fact_freshness.CHECK, State.CRITICAL, "behind", freshness_minutes="1,2")
    day.run(
        f"INSERT INTO day.fact_stream_status_samples_versions (stream_id, ingestion_timestamp) SELECT 'fault', {later}"
    )
    ok(day, input_to_fact_freshness.CHECK)
    for table in ("ai_stream_status", "fact_stream_status_samples_versions"):
        day.run(f"DELETE FROM day.{table} WHERE stream_id = 'fault'")


def test_a_fact_that_no_rollup_is_made_of(day: CheckedDatabase) -> None:
    ok(day, rollup_lag.CHECK)
    later = f"fromUnixTimestamp64Milli({day.now_ms}, 'UTC') - INTERVAL 30 MINUTE"
    day.run(
        "INSERT INTO day.fact_stream_status_samples_versions (stream_id, is_attributed, ingestion_timestamp) "
        f"SELECT 'fault', 1, {later}"
    )
    red(day, rollup_lag.CHECK, State.WARNING, "behind the newest attributed sample")
    day.run("DELETE FROM day.fact_stream_status_samples_versions WHERE stream_id = 'fault'")
    ok(day, rollup_lag.CHECK)


@pytest.mark.slow
def test_failure_18_what_an_api_view_tells_is_rebuilt_as_told(
    day: CheckedDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    ((minute,),) = day.query("SELECT toUnixTimestamp(min(window_start)) FROM day.agg_stream_performance_1m")
    day.run(f"DELETE FROM day.agg_stream_performance_1m_versions WHERE window_start = toDateTime64({minute}, 3, 'UTC')")
    action = red(day, api_view_parity.CHECK, State.CRITICAL, "minute_rollup_matches_samples")
    (check, rebuild) = commands(action)
    capsys.readouterr()
    app = build_app(day.settings, PluginManager(day.settings))
    assert app([*check, "--json", "minute_rollup_matches_samples"]) == 1
    (shown,) = json.loads(capsys.readouterr().out)
    assert (shown["assertion"], shown["found"]) == ("minute_rollup_matches_samples", "fail")
    assert app(rebuild) is None
    # That all of them hold is what the healthy day shows: here the one that did not is enough.
    ok(day, attrs.evolve(api_view_parity.CHECK, judge=lambda scope: judge_parity(scope, "", {36})))


@pytest.mark.slow
def test_failure_18_a_session_is_rebuilt_as_told(day: CheckedDatabase) -> None:
    ok(day, session_consistency.CHECK)
    lost = "SELECT workflow_session_id FROM day.fact_workflow_session_segments ORDER BY segment_start_ts LIMIT 1"
    ((session,),) = day.query(lost)
    day.run(f"DELETE FROM day.fact_workflow_sessions_versions WHERE workflow_session_id = '{session}'")
    action = red(day, session_consistency.CHECK, State.CRITICAL, "segments_reference_sessions")
    (rebuild,) = commands(action)
    assert build_app(day.settings, PluginManager(day.settings))(rebuild) is None
    ok(day, session_consistency.CHECK)


@pytest.mark.slow
def test_rows_that_are_not_attributed(day: CheckedDatabase) -> None:
    ok(day, attribution_coverage.CHECK)
    day.run(
        "INSERT INTO day.fact_workflow_sessions_versions (workflow_session_id, model_id, gpu_id, orchestrator_address, "
        "session_start_ts, known_stream, version) "
        "SELECT concat('fault|', toString(number)), concat('model-', toString(number)), 'gpu', '0xfault', "
        "now64(3) - INTERVAL 2 HOUR, 1, 1 FROM numbers(50)"
    )
    red(day, attribution_coverage.CHECK, State.CRITICAL, "rows with a model have a pipeline")
    day.run("DELETE FROM day.fact_workflow_sessions_versions WHERE startsWith(workflow_session_id, 'fault|')")
    ok(day, attribution_coverage.CHECK)


def test_a_backup_that_is_too_old(day: CheckedDatabase, tmp_path: Path) -> None:
    assert day(backup_age.CHECK).finding.state is State.NOT_APPLICABLE, "none was ever made"
    settings = attrs.evolve(day.settings, lpa=attrs.evolve(day.settings.lpa, backup_dir=str(tmp_path)))
    day = attrs.evolve(day, settings=settings)
    red(day, backup_age.CHECK, State.CRITICAL, "has no backup of a_day")

    def keep(id_: str, hours: int) -> None:
        database = tmp_path / id_ / DATABASE_FOLDER
        database.mkdir(parents=True)
        (database / "data.bin").write_bytes(b"rows")
        created = day.now_ms - hours * HOUR_MS
        made = attrs.evolve(FULL, id=id_, created_ms=created, sink=sink_name(day.sink, day.settings))
        BackupStore(str(tmp_path)).keep(made, {})

    keep("backup-20260101T000000Z-000001", 60)
    red(day, backup_age.CHECK, State.CRITICAL, "60.0 hours old")
    keep("backup-20260103T000000Z-000002", 30)
    red(day, backup_age.CHECK, State.WARNING, "30.0 hours old")
    keep("backup-20260104T000000Z-000003", 3)
    ok(day, backup_age.CHECK)
