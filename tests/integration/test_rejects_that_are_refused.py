"""Records whose rejects no table takes as they are: tables and topics get them reduced, and nothing stops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec
from services.job import Job, event

from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE

NewJob = Callable[..., Job]


def test_failure_01_a_refused_reject_stops_no_job_though_it_is_killed_meanwhile(new_job: NewJob) -> None:
    job = new_job()
    with job.clickhouse.client() as client:
        for table in (DLQ_TABLE, QUARANTINE_TABLE):
            client.command(
                f"ALTER TABLE livepeer_analytics.{table.name} "
                "ADD CONSTRAINT good CHECK position(payload_body, 'bad') = 0"
            )
    odd = [
        event("a"),
        event("b", type="bad"),
        event("c", gateway="bad"),
        event("c", gateway="bad"),
        event("d", __replay_attempt=-5),
        event("d", __replay_attempt=2**63),
        event("e", type="unknown", __replay_attempt=2**70),
    ]
    job.start()
    job.produce(odd)
    job.produce([event("f"), b"nope"], timestamp=2**62)
    job.until(lambda: job.committed() >= 0, "a range is prepared")
    job.kill()
    job.start()
    job.until_committed(len(odd) + 2)
    assert job.stop() == 0
    assert job.stored() == Counter((0, offset) for offset in (0, 2, 4, 7))
    assert job.stored(DLQ_TABLE.name) == Counter((0, offset) for offset in (1, 6, 8))
    assert job.stored(QUARANTINE_TABLE.name) == Counter((0, offset) for offset in (3, 5))
    with job.clickhouse.client() as client:
        rejects = (
            "SELECT source_offset FROM merge('livepeer_analytics', '^streaming_events_(dlq|quarantine)$') "
            "WHERE payload_truncated ORDER BY source_offset"
        )
        assert [offset for (offset,) in client.query(rejects).result_rows] == [1, 3]
    published = [
        msgspec.json.decode(message.value() or b"")
        for topic in (job.dlq, job.quarantine)
        for message in job.records(topic)
    ]
    assert sorted(each["source"]["offset"] for each in published) == [1, 3, 5, 6, 8]
    assert sorted(each["source"]["offset"] for each in published if each["payload"]["truncated"]) == [1, 3]
