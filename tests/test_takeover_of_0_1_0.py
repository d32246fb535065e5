"""What version 0.1.0 wrote is taken over. Every later version has to pass this; the fixtures stay as they are.

``fixtures/0.1.0/record.py`` says how they were made. What Kafka keeps is in integration/test_takeover_on_a_broker.py.
"""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from taken_over import TakenOver

from lpa_core.dedup.rocksdb import RocksDBDedupStore
from lpa_core.delivery.commit_metadata import decode
from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.records import Position
from lpa_ops.savepoint.store import FileSavepointStore

pytestmark = [pytest.mark.slow, pytest.mark.each_share]

LINES = 153
"""Of each of the two files, of which the second was killed in its second range."""
NOT_OF_THE_DATA = {"dlq_rate", "quarantine_rate", "backup_age", "disk"}
"""Health checks that judge when something was rejected or backed up, and this machine."""
OF_THE_LAST_HOURS = {
    "unserved_demand",
    "demand_collapse",
    "health_signal_coverage",
    "sample_attribution",
    "job_coverage",
}


@pytest.fixture
def place(tmp_path: Path) -> TakenOver:
    return TakenOver(tmp_path, "files")


def every_line_once(place: TakenOver, *more: str) -> list[tuple[str, int, int]]:
    names = sorted(("events.ndjson", "more.ndjson", *more))
    return [(name, 0, line) for name in names for line in range(LINES)]


def test_a_data_folder_is_gone_on_with(place: TakenOver) -> None:
    """The prepared range is repeated, what was read stays read, old claims find duplicates, and all is well."""
    (place.folder / "copy.ndjson").write_bytes((place.folder / "events.ndjson").read_bytes())
    applied, checked, again, known = place.lpa(
        "schema apply",
        "schema check",
        "ingest more.ndjson --archive archive --json",
        "ingest events.ndjson --archive archive --json",
    )
    assert applied.status == 0, applied.err
    assert checked.status == 0, checked.out
    assert place.told["prepared"]["start"] == 60
    assert again.json["read"] == LINES - 60, "from the start of the prepared range on"
    assert known.json["read"] == 0
    assert place.records() == every_line_once(place)
    assert place.rows() == place.told_rows(), "as 0.1.0 has them where nothing is killed"

    health, copied = place.lpa("health --json --since 2026-01-08T00:00:00", "ingest copy.ndjson --json")
    states = {each["name"]: (each["state"], each["detail"]) for each in json.loads(health.out)["checks"]}
    assert {name for name, (state, _) in states.items() if state != "ok"} <= {
        *NOT_OF_THE_DATA,
        *OF_THE_LAST_HOURS,
        "consumer_lag",
        "group_offsets",
    }, states
    assert (copied.json["read"], copied.json["accepted"]) == (LINES, 0), "each is a duplicate, or broken as before"
    assert place.records() == every_line_once(place, "copy.ndjson")


def test_orgs_are_told_apart_in_its_tables_also_after_a_rollback(place: TakenOver) -> None:
    """The same events under another org: sessions of the same ids, and those of before stay as they are."""
    (place.folder / "copy.ndjson").write_bytes((place.folder / "events.ndjson").read_bytes())
    applied, _ = place.lpa("schema apply", "ingest events.ndjson --json")
    assert applied.status == 0, applied.err
    facts = "livepeer_analytics.fact_workflow_sessions"
    without_org = f"SELECT * EXCEPT (ingestion_timestamp, version) FROM {facts} WHERE org = '' ORDER BY ALL"
    demand = "livepeer_analytics.v_api_network_demand"
    hours = f"SELECT org, sum(status_samples), sum(known_sessions) FROM {demand} GROUP BY org ORDER BY org"
    keys = "SELECT count() FROM system.tables WHERE sorting_key LIKE '%, org_key'"
    before, shown, keyed = place.ask(without_org, hours, keys)
    assert [row[0] for row in shown] == [""]
    assert keyed == [[13]]

    with_a_map = {"QUALITY_INPUT_TOPICS": "streaming_events", "QUALITY_TOPIC_ORG_MAP": "streaming_events=a"}
    (copied,) = place.lpa("ingest copy.ndjson --json", **with_a_map)
    assert copied.json["accepted"] > 0, "what is claimed without an org is not of this one"
    in_both = f"SELECT workflow_session_id FROM {facts} GROUP BY ALL HAVING count() = 2 ORDER BY ALL LIMIT 1"
    after, of_both, ((name,),) = place.ask(without_org, hours, in_both)
    assert after == before
    assert [row[0] for row in of_both] == ["", "unknown"]
    assert of_both[0] == shown[0]
    several, one, *back = place.lpa(
        f"triage sessions {name}",
        f"triage sessions {name} --org unknown --json",
        "schema rollback",
        "schema rollback",
    )
    assert "is a session of each of no org, unknown: choose one by --org" in several.err
    assert [row["org"] for row in one.json["session"]] == ["unknown"]

    assert [each.status for each in back] == [0, 0], back
    kept, keyed = place.ask(without_org, keys)
    assert (kept, keyed) == (before, [[13]])
    assert place.lpa("schema apply")[0].status == 0
    assert place.ask(hours)[0] == of_both


def test_its_tables_merge_as_new_ones_do(place: TakenOver) -> None:
    """The engine's configuration decides: no table has a setting of its own that would stand against it."""
    in_force, own = place.ask(
        "SELECT value FROM system.merge_tree_settings WHERE name = 'merge_selector_base'",
        "SELECT count(), countIf(engine_full LIKE '%merge_selector%') FROM system.tables "
        "WHERE database = 'livepeer_analytics' AND engine LIKE '%MergeTree'",
    )
    assert in_force == [["16"]]
    ((tables, with_their_own),) = own
    assert tables > 10
    assert with_their_own == 0


def test_an_archive_is_replayed_into_an_empty_database(place: TakenOver) -> None:
    applied, replayed = place.lpa(
        "schema apply", "replay run --all --from archive --archive archive --yes --json", LPA_DATA_DIR="empty"
    )
    assert applied.status == 0, applied.err
    archived = replayed.json["selected"]
    assert archived == LINES, "of the file that was finished"
    ((stored,),) = place.ask("SELECT count() FROM livepeer_analytics.streaming_events", LPA_DATA_DIR="empty")[0]
    ((before,),) = place.ask(
        "SELECT count() FROM livepeer_analytics.streaming_events WHERE source_topic = 'events.ndjson'"
        " AND NOT (type = 'stream_trace' AND startsWith(JSONExtractString(data, 'type'), 'app_'))"
    )[0]
    assert stored == before


def test_backups_are_restored_and_gone_on_from(place: TakenOver) -> None:
    """A full one, and one that adds to it with a prepared range in it."""
    full, incremental = (f"backups/{place.told[kind]}" for kind in ("full", "incremental"))
    verified, restored, *ingested = place.lpa(
        f"backup verify {incremental}",
        f"backup restore {full}",
        "ingest events.ndjson --json",
        "ingest more.ndjson --json",
        LPA_DATA_DIR="from-full",
    )
    assert verified.status == 0, verified.out
    assert restored.status == 0, restored.err
    assert [each.json["read"] for each in ingested] == [0, LINES]
    assert place.records(LPA_DATA_DIR="from-full") == every_line_once(place)
    assert place.rows(LPA_DATA_DIR="from-full") == place.told_rows(LPA_DATA_DIR="from-full")

    restored, applied, *ingested = place.lpa(
        f"backup restore {incremental}",
        "schema apply",
        "ingest events.ndjson --json",
        "ingest more.ndjson --json",
        LPA_DATA_DIR="from-incremental",
    )
    assert restored.status == 0, restored.err
    assert applied.status == 0, applied.err
    assert [each.json["read"] for each in ingested] == [0, LINES - 60]
    assert place.records(LPA_DATA_DIR="from-incremental") == every_line_once(place)
    assert place.rows(LPA_DATA_DIR="from-incremental") == place.told_rows(LPA_DATA_DIR="from-incremental")


def test_a_recovery_that_was_broken_off_is_finished(tmp_path: Path) -> None:
    """0.1.0 was killed after it had restored the tables, with the database barred."""
    place = TakenOver(tmp_path, "files", "broken-off")
    refused, recovered, again, nothing = place.lpa(
        "ingest more.ndjson",
        "recover total-loss --execute",
        "ingest more.ndjson --json",
        "recover total-loss",
    )
    assert refused.status == 1
    assert "a restore was broken off" in refused.err, "0.1.0 has written the message"
    assert recovered.status == 0, recovered.err
    assert again.json["read"] == LINES - 60
    assert place.rows() == place.told_rows()
    assert "There is nothing to recover" in nothing.out


def test_commit_metadata_and_a_savepoint_are_read(tmp_path: Path) -> None:
    place = TakenOver(tmp_path, "topic")
    topic = place.told["topic"]
    stood = {Partition(topic, int(number)): Commit(*found) for number, found in place.told["committed"].items()}
    prepared = {partition: decode(partition, commit.metadata) for partition, commit in stood.items()}
    first = prepared[Partition(topic, 0)]
    assert first is not None
    assert prepared[Partition(topic, 1)] is None
    range_ = first.range
    assert (range_.start, range_.end, range_.count) == (77, 129, 52)
    assert range_.duplicates == {122}
    assert range_.batch_time == 1_795_945_423_899

    opened = tmp_path / "opened"
    savepoint = FileSavepointStore(str(tmp_path / "savepoints")).open(place.told["savepoint"], opened)
    assert savepoint.commits == stood
    ttl_ms = 5_256_000 * 60_000
    for number, records in enumerate(place.told["records"]):
        event = json.loads(records[0])
        with closing(RocksDBDedupStore(opened / savepoint.dedup[Partition(topic, number)], ttl_ms)) as store:
            (owner,) = store.claim([event["id"]], topic, number, [1_000], range_.batch_time)
            assert owner == Position(topic, number, 0)
