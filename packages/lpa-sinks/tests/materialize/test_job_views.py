"""What the views of jobs say, against docs/spec/producers.md sections 6 and 9."""

from __future__ import annotations

import time
from typing import Any, Final

import pytest

from lpa_sinks.testing.job_records import HOT, JobRecords, job_network
from lpa_sinks.testing.network_events import HOUR, MINUTE, T
from lpa_sinks.testing.stored_events import NewStore, StoredEvents

NOW: Final = time.time_ns() // 1_000_000
TEN: Final = "2096-09-25 10:00:00"


@pytest.fixture
def store(new_store: NewStore) -> StoredEvents:
    return new_store()


def told(store: StoredEvents, *records: bytes, org: str = "", number: int = 0) -> None:
    stored = store.store(records, 1_000 * number, 4_000_000_000_000 + number, topic=f"of-{org}", org=org)
    store.materializer().update([stored])


def rows(store: StoredEvents, view: str, columns: str) -> list[tuple[Any, ...]]:
    return store.query(f"SELECT {columns} FROM $.{view} ORDER BY ALL")


def test_demand_counts_each_job_by_its_outcome(store: StoredEvents) -> None:
    records = JobRecords("more")
    told(store, *job_network(), records.discovery(T, success=False), records.discovery(T, success=True, selected=2))
    keys = "toString(window_start), job_type, pipeline, model_id, orchestrator_address"
    counts = "jobs, success, failed, no_orchestrator, lost, selected, duration_ms_sum, duration_samples, charged_wei"
    found = rows(store, "v_api_job_demand", f"{keys}, {counts}, discovery_failures")
    hour = f"{TEN}.000"
    assert found == [
        (hour, "ai_batch", "llm", "m", "", 2, 0, 0, 1, 0, 0, 0, 0, 0, 0),
        (hour, "ai_batch", "llm", "m", "0xcan2", 2, 2, 0, 0, 0, 2, 2500, 1, 0, 0),
        (hour, "byoc", "chat", "", "", 1, 1, 0, 0, 0, 1, 0, 0, 0, 1),
        (hour, "byoc", "chat", "big", "0xcan2", 1, 1, 0, 0, 0, 1, 70, 1, 67, 0),
        (hour, "byoc", "chat", "m1", "0xcan1", 1, 1, 0, 0, 0, 1, 0, 0, 0, 0),
        (hour, "byoc", "chat", "m1", "0xcan3", 2, 1, 1, 0, 0, 2, 0, 0, 0, 0),
    ]


def test_failure_32_a_job_that_is_open_for_an_hour_is_lost(store: StoredEvents) -> None:
    records = JobRecords()
    told(store, records.batch(NOW - HOUR - MINUTE, "received", "old"), records.batch(NOW - MINUTE, "received", "new"))
    assert store.query("SELECT sum(jobs), sum(lost) FROM $.v_api_job_demand") == [(2, 1)]
    assert store.query("SELECT DISTINCT outcome FROM $.fact_jobs") == [("open",)]


@pytest.mark.slow
def test_orgs_have_rows_of_their_own(store: StoredEvents) -> None:
    for number, org in enumerate(("a", "b")):
        told(store, *job_network(), JobRecords("t").ticket(T, 5), org=org, number=number)
    for view in ("v_api_job_demand", "v_api_llm_usage", "v_api_job_payments", "v_api_ticket_cost"):
        of_a, of_b = (store.query(f"SELECT * EXCEPT org FROM $.{view} WHERE org = '{o}' ORDER BY ALL") for o in "ab")
        assert of_a == of_b != [], view


def test_use_of_language_models(store: StoredEvents) -> None:
    records = JobRecords()
    for number, (tokens, seconds) in enumerate(((20, 2), (100, 4))):
        request, numbers = f"r{number}", {"completion_tokens": tokens, "prompt_tokens": 1, "total_tokens": tokens + 1}
        took = {"total_duration_ms": 1000 * seconds, "ttft_ms": 90}
        told(
            store,
            records.batch(T, "received", request),
            records.batch(T + 5, "completed", request, success=True),
            records.llm(T + 9, "llm_stream_completed", request, **numbers, **took),
            number=number,
        )
    told(store, records.batch(T, "received", "unanswered"), number=2)
    assert rows(store, "v_api_llm_usage", "* EXCEPT (window_start, org)") == [
        ("m", "", 2, 2, 120, 122, 20.0, 180, 2),
    ]


def test_authorisation_and_payments(store: StoredEvents) -> None:
    records = JobRecords()
    auth = {"stream_name": "a", "pipeline": "chat"}
    told(
        store,
        *(records.record("job_auth", T, auth | {"success": success}) for success in (True, False, False)),
        records.orchestrator(T, 1, has_payment=True, price_per_unit=90, pixels_per_unit=4),
        records.charge(T + 1, 1, 3),
        records.charge(T + 2, 1, 3, request_id=""),
        records.charge(T + 3, 2, 1),
        records.record("job_payment", T, {"capability": "chat", "with_tickets": True, "request_id": "r"}),
    )
    assert rows(store, "v_api_job_auth", "* EXCEPT (window_start, org)") == [
        ("chat", "job_auth_webhook_result", 3, 1, 2)
    ]
    assert rows(store, "v_api_job_payments", "* EXCEPT (window_start, org)") == [
        ("chat", "payment_compute_charged", 3, 0, 67 + 270 + 90, 2),
        ("chat", "payment_created", 1, 1, 0, 0),
    ]


def test_p16_a_worker_is_gone_after_it_unregistered(store: StoredEvents) -> None:
    records, columns = JobRecords(), "orchestrator_address, worker_url, models, price_per_unit, toString(registered_at)"
    told(
        store,
        records.worker(T, "registered", 1, "u1", price_per_unit=80, price_scaling=4, worker_options=[{"model": "a"}]),
        records.worker(T + 1_000, "registered", 1, "u2", "http://W:8/", price_per_unit=90, price_scaling=1),
        records.worker(T, "registered", 1, "u3", "http://other"),
        records.worker(T, "registered", 2, "u4"),
        records.worker(T + 2_000, "unregistered", 1, "u5", "http://other/"),
    )
    assert rows(store, "v_api_byoc_workers", columns) == [
        ("0xcan1", "http://W:8/", "", 90, "2096-09-25 10:40:01.000"),
        ("0xcan2", "http://w:8", "", None, "2096-09-25 10:40:00.000"),
    ]
    told(store, records.worker(T + 3_000, "unregistered", 1, "u6", ""), number=1)
    assert rows(store, "v_api_byoc_workers", "orchestrator_address") == [("0xcan2",)]
    told(store, records.worker(T + 4_000, "registered", 1, "u7"), number=2)
    assert rows(store, "v_api_byoc_workers", "orchestrator_address") == [("0xcan1",), ("0xcan2",)]


def test_p17_what_tickets_cost(store: StoredEvents) -> None:
    records = JobRecords()
    info = {"orch_address": HOT, "orch_url": "https://O1.test:1/"}
    told(
        store,
        records.capability(T, 1),
        records.ticket(T, 100, cost_per_pixel="0.5", billable_secs=10, pixels=7, **info),
        records.ticket(T + MINUTE, 250, cost="2", current_time_unix=T + 2 * MINUTE, num_tickets=3, **info),
        records.ticket(T + 15 * MINUTE, 1, current_time_unix=T + 21 * MINUTE),
        records.ticket(T + 15 * MINUTE, 2, current_time_unix=T + 90 * MINUTE),
    )
    columns = (
        "toString(window_start), auth_id, client_id, orchestrator_url, orchestrator_address, signings, num_tickets"
    )
    assert rows(store, "v_api_ticket_cost", f"{columns}, fee_wei, billable_secs, pixels") == [
        (f"{TEN}.000", "app:u", "app", "", "", 1, 1, 2, 0, 0),
        (f"{TEN}.000", "app:u", "app", "https://o1.test:1", "0xcan1", 2, 4, 350, 10, 7),
        ("2096-09-25 11:00:00.000", "app:u", "app", "", "", 1, 1, 1, 0, 0),
    ]
    assert rows(store, "signed_ticket_events", "unit_cost") == [("",), ("",), ("0.5",), ("2",)]


def test_of_several_orchestrators_at_a_url_none_is_named(store: StoredEvents) -> None:
    records = JobRecords()
    moved = records.capability(T, 2).replace(b"https://o2.test:1", b"https://o1.test:1")
    told(store, records.capability(T, 1), moved, records.ticket(T, 5, orch_url="https://o1.test:1"))
    assert rows(store, "v_api_ticket_cost", "orchestrator_address") == [("",)]
