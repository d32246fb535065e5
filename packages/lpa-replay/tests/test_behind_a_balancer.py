"""A replay whose database is behind a balancer that sends each statement to another server."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from clickhouse_connect.driver.client import Client

from lpa_core.orgs import EventKey
from lpa_core.records import Position
from lpa_replay.database import ReplayDatabase
from lpa_replay.staging.stored_knowledge import Earlier, StoredKnowledge
from lpa_sinks.clickhouse.client import Endpoint, connect
from lpa_sinks.schema.apply import apply
from lpa_sinks.testing.http_front import PASSWORD, USER, Front


def test_failure_21_stored_events_are_found_behind_a_balancer(engine: Client, engine_path: Path, database: str) -> None:
    apply(engine, database, [])
    engine.command(f"INSERT INTO {database}.streaming_events (dedup_key) VALUES ('one')")
    engine.command(
        f"INSERT INTO {database}.replay_outcomes"
        " (replay_id, source_topic, source_offset, outcome, dedup_key, recorded_at)"
        " VALUES ('earlier', 't', 7, 'published', 'seven', now64(3))"
    )
    with Front(engine_path).serving() as front:
        front.servers = 2
        url = f"http://127.0.0.1:{front.port}"
        with closing(connect(Endpoint(database, url=url, user=USER), PASSWORD)) as client:
            knowledge = StoredKnowledge(ReplayDatabase(client, database), "now")
            keys = [EventKey("", "one"), EventKey("", "other"), EventKey("another org", "one")]
            assert knowledge.stored(keys) == {keys[0]}
            origins = [Position("t", 0, 7), Position("t", 0, 8)]
            assert knowledge.earlier(origins) == {origins[0]: Earlier(0, ["seven"], False)}
        assert not any("TEMPORARY" in statement for statement in front.statements)
