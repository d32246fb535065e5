"""What became of dead letters is told apart, wherever they are counted: a repair turns what was red green."""

from __future__ import annotations

import pytest

from lpa_core.settings.thresholds import State
from lpa_ops.dead_letters.statement import dead_letters
from lpa_ops.health.checks import dlq_rate, quarantine_rate
from lpa_ops.testing.checked_database import HOUR_MS, CheckedDatabase, ok, red

_MARKED = '{"__replay":true,"__replay_origin":"%s","data":{}}'


@pytest.fixture
def worn(bare: CheckedDatabase) -> CheckedDatabase:
    """A hundred events and two dead letters, t[0]@0 and t[0]@1, an hour before the checks look."""
    accept(bare, "t", 1000, *(f"good-{number}" for number in range(100)))
    reject(bare, "t", 0, key="a")
    reject(bare, "t", 1, key="b")
    return bare


def moment(day: CheckedDatabase, minutes: int = 0) -> str:
    return f"fromUnixTimestamp64Milli({day.now_ms - HOUR_MS + minutes * 60_000}, 'UTC')"


def accept(day: CheckedDatabase, topic: str, first: int, *keys: str, origin: str = "", minutes: int = 0) -> None:
    for offset, key in enumerate(keys, first) if len(keys) < 10 else ():
        day.run(
            "INSERT INTO day.streaming_events (source_topic, source_offset, dedup_key, raw_json, replay, replay_id, "
            f"ingestion_timestamp) SELECT '{topic}', {offset}, '{key}', '{_MARKED % origin}', {int(bool(origin))}, "
            f"'{'run' if origin else ''}', {moment(day, minutes)}"
        )
    if len(keys) >= 10:
        day.run(
            "INSERT INTO day.streaming_events (source_topic, source_offset, dedup_key, ingestion_timestamp) "
            f"SELECT '{topic}', {first} + number, concat('good-', toString(number)), {moment(day, minutes)} "
            f"FROM numbers({len(keys)})"
        )


def reject(
    day: CheckedDatabase, topic: str, offset: int, *, key: str = "", origin: str = "", attempt: int = 0,
    minutes: int = 0, table: str = "dlq", failure: str = "SCHEMA_INVALID",
) -> None:  # fmt: skip
    body = _MARKED % origin if origin else "{}"
    day.run(
        f"INSERT INTO day.streaming_events_{table} (source_topic, source_offset, failure_class, dedup_key, "
        f"payload_body, replay, attempt, ingestion_timestamp) SELECT '{topic}', {offset}, '{failure}', "
        f"nullIf('{key}', ''), '{body}', {int(bool(origin))}, {attempt}, {moment(day, minutes)}"
    )


def outcome(day: CheckedDatabase, offset: int, what: str, why: str = "") -> None:
    day.run(
        "INSERT INTO day.replay_outcomes (replay_id, number, source_topic, source_offset, outcome, why, recorded_at) "
        f"SELECT 'run', {offset}, 't', {offset}, '{what}', '{why}', {moment(day, 30)}"
    )


def states(day: CheckedDatabase, asked: str = "1") -> list[tuple[str, str]]:
    query = dead_letters(moment(day, -60), asked).replace("livepeer_analytics.", "day.")
    return day.query(f"SELECT origin, state FROM ({query}) WHERE {asked} ORDER BY origin")


def test_failure_19_dead_letters_that_a_replay_recovered_are_no_longer_red(worn: CheckedDatabase) -> None:
    red(worn, dlq_rate.CHECK, State.CRITICAL, "2 of 102 records were dead-lettered")
    accept(worn, "replay-run", 0, "a", origin="t:0:0", minutes=10)
    red(worn, dlq_rate.CHECK, State.WARNING, "1 of 102 records were dead-lettered (0.98%); 1 more are recovered",
        dlq_share="0.005,0.01")  # fmt: skip
    accept(worn, "replay-run", 1, "another key: the fix changed it", origin="t:0:1", minutes=10)
    ok(worn, dlq_rate.CHECK)
    assert "0 of 102 records were dead-lettered (0.00%); 2 more are recovered" in worn(dlq_rate.CHECK).finding.detail


def test_failure_19_an_attempt_that_failed_again_is_the_same_dead_letter(worn: CheckedDatabase) -> None:
    for attempt in (1, 2):
        reject(worn, f"replay-{attempt}", 0, key="a", origin="t:0:0", attempt=attempt, minutes=attempt)
    red(worn, dlq_rate.CHECK, State.CRITICAL, "2 of 102 records were dead-lettered")
    assert states(worn) == [("t:0:0", "outstanding"), ("t:0:1", "outstanding")]
    accept(worn, "replay-3", 0, "a", origin="t:0:0", minutes=3)
    assert states(worn) == [("t:0:0", "recovered"), ("t:0:1", "outstanding")]


def test_failure_19_an_event_that_came_again_after_its_rejection_is_recovered(worn: CheckedDatabase) -> None:
    accept(worn, "mended.ndjson", 0, "a", minutes=5)
    accept(worn, "t", 2, "b")  # in the same batch, behind the dead letter
    assert states(worn) == [("t:0:0", "recovered"), ("t:0:1", "recovered")]
    ok(worn, dlq_rate.CHECK)


def test_failure_19_an_event_that_was_rejected_before_it_had_a_key_is_known_by_its_id(worn: CheckedDatabase) -> None:
    worn.run("ALTER TABLE day.streaming_events_dlq UPDATE event_id = ifNull(dedup_key, ''), dedup_key = NULL WHERE 1")
    accept(worn, "mended.ndjson", 0, "a", minutes=5)
    assert states(worn) == [("t:0:0", "recovered"), ("t:0:1", "outstanding")]


def test_failure_19_an_event_that_was_stored_before_recovers_nothing_unless_a_replay_found_it(
    bare: CheckedDatabase,
) -> None:
    accept(bare, "t", 0, "a")
    reject(bare, "t", 1, key="a")
    reject(bare, "t", 2, key="", minutes=1)
    accept(bare, "t", 3, "", minutes=5)
    assert states(bare) == [("t:0:1", "outstanding"), ("t:0:2", "outstanding")]
    outcome(bare, 1, "skipped", "already stored")
    outcome(bare, 2, "skipped", "fix: there is no data.a")
    assert states(bare) == [("t:0:1", "recovered"), ("t:0:2", "outstanding")]


def test_failure_19_a_replay_that_was_interrupted_recovers_only_what_arrived(worn: CheckedDatabase) -> None:
    outcome(worn, 0, "published")
    outcome(worn, 1, "published")
    accept(worn, "replay-run", 0, "a", origin="t:0:0", minutes=10)
    assert states(worn) == [("t:0:0", "recovered"), ("t:0:1", "outstanding")]


def test_failure_19_the_state_of_a_dead_letter_is_the_same_whichever_are_asked_for(worn: CheckedDatabase) -> None:
    worn.run("ALTER TABLE day.streaming_events_dlq UPDATE event_id = 'b', dedup_key = NULL WHERE source_offset = 1")
    accept(worn, "mended.ndjson", 0, "a", "b", minutes=5)
    reject(worn, "t", 2, key="c", minutes=6)
    known = states(worn)
    assert [state for _, state in known] == ["recovered", "recovered", "outstanding"]
    assert [row for offset in range(3) for row in states(worn, f"source_offset = {offset}")] == known


@pytest.mark.slow
def test_failure_19_duplicates_of_replays_and_records_given_up_are_no_duplicates_of_producers(
    worn: CheckedDatabase,
) -> None:
    for offset in (0, *range(10, 18)):
        reject(worn, "replay-run", offset, origin=f"t:0:{offset}", table="quarantine", failure="DUPLICATE")
    reject(worn, "t", 1, table="quarantine", failure="REPLAY_EXHAUSTED")
    outcome(worn, 1, "exhausted", "replayed 3 times")
    ok(worn, quarantine_rate.CHECK, quarantine_share="0.001,0.01")
    assert states(worn) == [("t:0:0", "recovered"), ("t:0:1", "given up")]
    red(worn, dlq_rate.CHECK, State.WARNING, "1 of 101 records were dead-lettered (0.99%); 1 more are recovered, "
        "replays gave 1 of them up", dlq_share="0.005,0.01")  # fmt: skip
    reject(worn, "t", 2, table="quarantine", failure="DUPLICATE")
    red(worn, quarantine_rate.CHECK, State.WARNING, "1 of 103 records", quarantine_share="0.001,0.01")
