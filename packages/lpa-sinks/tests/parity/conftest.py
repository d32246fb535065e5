"""A small database in which everything agrees, and a way to damage and mend it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.generate.generator import START_MS, generate
from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_sinks.materialize.rebuild import Rebuild
from lpa_sinks.materialize.row_filter import TimeSpan
from lpa_sinks.testing.damage import DerivedDatabase
from lpa_sinks.testing.job_records import JobRecords, job_network
from lpa_sinks.testing.network_events import T
from lpa_sinks.testing.stored_events import StoredEvents

HOUR: Final = 3_600_000


@pytest.fixture(scope="session")
def stored(engine: Client) -> Iterator[DerivedDatabase]:
    events = StoredEvents(engine, "parity")
    records = [*generate(1200, duplicates=0, bad=0.02, sessions=20, seed=3, start_ms=START_MS)]
    of_sessions = [*records, *_odd_sessions(records)]
    events.store(of_sessions)
    rebuild = Rebuild(events.database, FoldRules(), TimeSpan(START_MS - 24 * HOUR, START_MS + 24 * HOUR))
    rebuild.prepare()
    while rebuild.step():
        pass
    events.materializer().update([events.store(_jobs(), len(of_sessions), 4_000_000_000_001)])
    yield DerivedDatabase(events)
    engine.command("DROP DATABASE parity SYNC")


def _jobs() -> list[bytes]:
    """Jobs, and what is neither a job nor a session and has a view."""
    told = JobRecords("more")
    auth = {"stream_name": "a", "pipeline": "chat", "success": True}
    worker = told.worker(T, "registered", 3, "stays", worker_options=[{"model": "m1"}])
    ticket = told.ticket(T, 5, orch_url="https://o1.test:1")
    return [*job_network(), told.discovery(T, success=False), told.record("job_auth", T, auth), worker, ticket]


def _odd_sessions(records: Sequence[bytes]) -> Iterator[bytes]:
    """Sessions that are idle: over the end of an hour, within an hour, and for long."""
    status = next(event for event in map(_read, records) if event.get("type") == "ai_stream_status")
    edge = (START_MS // HOUR + 2) * HOUR
    for name, times in {
        "tail": [edge + 3 * HOUR - 5_000, edge + 3 * HOUR + 5_000],
        "short": [edge + 60_000, edge + 61_000],
        "long": [edge + 60_000, edge + 70_000, edge + 80_000, edge + 90_000],
    }.items():
        for number, at in enumerate(times):
            data = {
                **status["data"],
                **{"stream_id": name, "request_id": name, "state": "OFFLINE", "start_time": times[0], "timestamp": at},
                "inference_status": {"fps": 0},
            }
            yield json.dumps({**status, "id": f"{name}-{number}", "timestamp": at, "data": data}).encode()


def _read(record: bytes) -> dict[str, Any]:
    try:
        read = json.loads(record)
    except ValueError:
        return {}
    return read if isinstance(read, dict) and isinstance(read.get("data"), dict) else {}
