"""What a replay does with events that are stored, or whose claim somebody has."""

from __future__ import annotations

import base64

import msgspec
import pytest

from lpa_core.dedup.rocksdb import RocksDBDedupStore
from lpa_replay.testing.place import MOMENT, ReplayPlace, event

GOOD = [event(f"e-{number}", MOMENT + number, pipeline="p") for number in range(20)]


def write_accepted(place: ReplayPlace) -> None:
    """A file of the accepted events as they were sent."""
    lines = [msgspec.json.encode(each) for each in GOOD]
    (place.folder / "accepted.ndjson").write_bytes(b"\n".join(lines))


@pytest.mark.slow
def test_a_dead_letter_owns_no_claim_though_its_key_and_id_stay_the_same(place: ReplayPlace) -> None:
    place.ingest([event("same")])
    assert place.replay("--all", "--fix", "fix.toml")["published"] == 1
    assert place.rows("SELECT dedup_key FROM {}.streaming_events") == [("same",)]
    assert place.count("streaming_events_quarantine") == 0


@pytest.mark.slow
def test_an_event_that_a_sink_refused_is_stored_by_its_replay(place: ReplayPlace) -> None:
    place.ingest([event("first", pipeline="p")])
    table = f"{place.database}.ai_stream_status"
    place.engine.command(f"ALTER TABLE {table} ADD CONSTRAINT brief CHECK state != 'refused'")
    place.ingest([event("refused", pipeline="p", state="refused")], "more.ndjson")
    assert place.rows("SELECT failure_class, dedup_key FROM {}.streaming_events_dlq") == [("DLQ_SINK_WRITE", "refused")]
    place.engine.command(f"ALTER TABLE {table} DROP CONSTRAINT brief")
    assert place.replay("--all")["published"] == 1
    assert place.rows("SELECT count() FROM {}.streaming_events WHERE dedup_key = 'refused'") == [(1,)]


@pytest.mark.slow
@pytest.mark.parametrize("forced", [False, True])
def test_accepted_events_are_never_doubled(place: ReplayPlace, forced: bool) -> None:
    place.ingest(GOOD)
    write_accepted(place)
    force = ("--force",) if forced else ()
    done = place.replay("--all", "--from", "accepted.ndjson", *force)
    assert (done["already_stored"], done["published"]) == ((0, 20) if forced else (20, 0))
    checks = place.verified(done["id"])
    assert checks["every record in one place"]["figures"]["skipped"] == 20
    assert place.count("streaming_events") == 20
    assert place.count("streaming_events_quarantine") == (20 if forced else 0)


@pytest.mark.slow
def test_nor_when_the_dedup_store_has_forgotten_them(place: ReplayPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """25 hours later with a TTL of 24: the claims are gone, the rows are not."""
    monkeypatch.setenv("QUALITY_DEDUP_TTL_MINUTES", "1440")
    place.ingest(GOOD)
    folder = place.folder / "lpa-data" / "dedup"
    store = RocksDBDedupStore(folder, 1440 * 60_000)
    later = place.rows("SELECT toUnixTimestamp64Milli(max(ingestion_timestamp)) FROM {}.streaming_events")[0][0]
    later += 25 * 3_600_000
    keys = [each["id"] for each in GOOD]
    assert store.claim(keys, "elsewhere", 0, list(range(20)), later) == [None] * 20, "they are free again"
    store.release(keys, "elsewhere", 0, list(range(20)))
    store.close()

    write_accepted(place)
    done = place.replay("--all", "--from", "accepted.ndjson")
    assert (done["already_stored"], done["published"]) == (20, 0)
    assert place.count("streaming_events") == 20
    forced = place.replay("--all", "--from", "accepted.ndjson", "--force")
    assert forced["published"] == 20
    checks = place.verified(forced["id"], status=1)
    assert not checks["duplicates by dedup key"]["passed"], "forced past the TTL it doubles, and verify says so"


@pytest.mark.slow
def test_base64_is_counted_or_repaired(place: ReplayPlace) -> None:
    place.ingest([b"\xff" + base64.b64encode(b"x"), b"{'id': 1}"])
    done = place.replay("--all")
    assert (done["unrecoverable"], done["published"]) == (2, 0)
    assert place.verified(done["id"])["every record in one place"]["figures"]["unrecoverable"] == 2


def test_a_quarantined_duplicate_is_taken_only_when_asked_for(place: ReplayPlace) -> None:
    place.ingest([GOOD[0], GOOD[0]])
    assert place.plan("--all")["selected"] == 0
    plan = place.plan("--all", "--from", "quarantine-table")
    assert (plan["selected"], plan["already_stored"]) == (1, 1)
