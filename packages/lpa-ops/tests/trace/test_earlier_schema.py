"""A database that an earlier version made is read once it has what this version reads; until then, it is said how."""

from __future__ import annotations

import pytest

from lpa_core.cli import run
from lpa_replay.testing.place import ReplayPlace, event

REMEDY = "`lpa schema check` says what the database lacks, and what brings it"


@pytest.fixture
def earlier(place: ReplayPlace) -> ReplayPlace:
    """A database without hashes of keys."""
    place.ingest([event("one", pipeline="p", state="ONLINE"), event("bad")])
    place.engine.command(f"ALTER TABLE {place.database}.streaming_events DROP COLUMN dedup_key_hash")
    place.engine.command(f"DELETE FROM {place.database}.schema_migrations WHERE name = 'hashes-of-keys'")
    return place


@pytest.mark.slow
def test_commands_name_what_tells_and_brings_a_column_that_is_missing(earlier: ReplayPlace) -> None:
    for arguments in (("trace", "one"), ("trace", "events.ndjson/0/0"), ("triage",)):
        said = " ".join(earlier.lpa(*arguments, status=2).split())
        assert "dedup_key_hash" in said
        assert REMEDY in said
    checks = {each["name"]: each for each in earlier.lpa("health", status=1)["checks"]}
    assert REMEDY in str(checks["dlq_rate"])
    assert "dedup_key_hash" in str(checks["schema_drift"])
    assert run(["schema", "apply", "--sink", earlier.sink]) == 0
    (record,) = earlier.lpa("trace", "one")["records"]
    assert record["claim"]["owner"] == record["position"]
    assert earlier.lpa("triage")["failures"] != []
