"""All families of generated events, in two orgs: conservation, parity and health hold.

``LPA_ORGS_EVENTS`` says how many.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from services.preloaded import preloaded_lpa
from test_main_job import query

pytestmark = pytest.mark.slow

EVENTS = int(os.environ.get("LPA_ORGS_EVENTS", "20000")) // 2
SHARES = {"duplicates": 0.02, "bad": 0.002, "jobs": 0.2, "ignored": 0.3}
ORGS = {"of-a.ndjson": "a", "of-b.ndjson": "b"}


def test_conservation_parity_and_health_hold(tmp_path: Path) -> None:
    def lpa(*arguments: str) -> Any:
        done = subprocess.run(
            [preloaded_lpa(), *arguments],
            cwd=tmp_path,
            env={
                **os.environ,
                "LPA_LOG_LEVEL": "error",
                "QUALITY_INPUT_TOPICS": ",".join(ORGS),
                "QUALITY_TOPIC_ORG_MAP": ",".join(f"{topic}={org}" for topic, org in ORGS.items()),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout) if "--json" in arguments else None

    shares = [word for name, share in SHARES.items() for word in (f"--{name}", str(share))]
    for seed, topic in enumerate(ORGS):
        lpa("generate", "--events", str(EVENTS), *shares, "--seed", str(seed), "--until", "2h", "--output", topic)
        read = lpa("ingest", topic, "--json")
        counts = {name: read[name] for name in ("dead_lettered", "quarantined", "ignored")}
        # A worker's event that two gateways drain is a duplicate beside those that were asked for.
        more = counts["quarantined"] - round(EVENTS * 0.02)
        assert 0 <= more < EVENTS / 200
        assert counts == {
            "dead_lettered": round(EVENTS * 0.002),
            "quarantined": round(EVENTS * 0.02) + more,
            "ignored": round(EVENTS * 0.3),
        }
    families = (
        "ai_batch_request ai_llm_request ai_stream_events ai_stream_status create_new_payment create_signed_ticket",
        "discovery_results job_auth job_gateway job_orchestrator job_payment network_capabilities stream_heartbeat",
        "stream_ingest_metrics stream_stats stream_trace worker_lifecycle",
    )
    stored, sessions, places = query(
        tmp_path,
        "SELECT DISTINCT org, toString(type) FROM livepeer_analytics.streaming_events",
        "SELECT org, uniqExact(workflow_session_id) FROM livepeer_analytics.fact_workflow_sessions GROUP BY org",
        "SELECT topic, count(), uniqExact(at) FROM ("
        " SELECT toString(source_topic) AS topic, source_offset AS at FROM livepeer_analytics.streaming_events"
        " UNION ALL SELECT source_topic, source_offset FROM livepeer_analytics.streaming_events_dlq"
        " UNION ALL SELECT source_topic, source_offset FROM livepeer_analytics.streaming_events_quarantine"
        " UNION ALL SELECT toString(source_topic), arrayJoin(range(source_offset, next_offset))"
        " FROM livepeer_analytics.known_gaps) GROUP BY topic",
    )
    for org in ORGS.values():
        assert {kind for of, kind in stored if of == org} == {name for some in families for name in some.split()}
    assert {org for org, count in sessions if count > 10} == {*ORGS.values()}
    assert sorted(places) == [[topic, EVENTS, EVENTS] for topic in ORGS]
    found = lpa("check", "parity", "--start", "8h", "--end", "1h", "--json")
    assert [each for each in found if each["found"] not in ("holds", "info")] == []
    health = lpa("health", "--json")
    states = {check["name"]: check["state"] for check in health["checks"]}
    assert states["conservation"] == "ok"
    assert set(states.values()) <= {"ok", "not applicable"}, states
