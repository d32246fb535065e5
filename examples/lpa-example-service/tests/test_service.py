"""The service as a client sees it."""

import json

import pytest
from fastapi.testclient import TestClient

from lpa_example_service.judge import DAY_MS, Judge
from lpa_example_service.service import create_app

ARRIVAL_MS = 1_767_873_600_000
EVENT = {
    "id": "event-1",
    "type": "stream_trace",
    "timestamp": ARRIVAL_MS,
    "data": {"type": "gateway_receive_stream_request", "stream_id": "stream-1", "request_id": "request-1"},
}


class Clock:
    now = ARRIVAL_MS

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(clock: Clock) -> TestClient:
    return TestClient(create_app(Judge(clock=clock)))


def test_an_event_is_accepted_once(client: TestClient) -> None:
    first, second = (client.post("/events", json=EVENT) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == {
        "verdict": "accepted",
        "dedup_key": "event-1",
        "rows": {"stream_trace_events": 1},
        "reason": None,
        "details": None,
    }
    assert second.json() == {**first.json(), "verdict": "duplicate"}


def test_a_key_is_free_again_after_a_day(client: TestClient, clock: Clock) -> None:
    client.post("/events", json=EVENT)
    clock.now += DAY_MS + 1
    assert client.post("/events", json=EVENT).json()["verdict"] == "accepted"


def test_events_without_an_id_are_told_apart_by_their_content(client: TestClient) -> None:
    status = {"type": "ai_stream_status", "timestamp": ARRIVAL_MS}
    data = {"stream_id": "stream-1", "request_id": "request-1", "pipeline": "model-1"}
    events = [{**status, "data": {**data, "state": state}} for state in ("ONLINE", "OFFLINE", "ONLINE")]
    verdicts = [client.post("/events", json=event).json()["verdict"] for event in events]
    assert verdicts == ["accepted", "accepted", "duplicate"]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (b"not json", "json_parse_error"),
        (b"", "root_not_object"),
        (b"\xff\xfe", "json_parse_error"),
        (json.dumps({**EVENT, "id": ""}).encode(), "missing_field"),
        (json.dumps({**EVENT, "type": "unknown"}).encode(), "unsupported_event_type"),
        (json.dumps({**EVENT, "timestamp": ARRIVAL_MS + 2 * DAY_MS}).encode(), "implausible_timestamp"),
    ],
)
def test_a_bad_event_is_rejected_with_its_reason(client: TestClient, event: bytes, reason: str) -> None:
    response = client.post("/events", content=event, headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert (response.json()["verdict"], response.json()["reason"]) == ("rejected", reason)


def test_a_rejected_event_can_be_sent_again_in_order(client: TestClient) -> None:
    bad = {**EVENT, "data": {}}
    assert client.post("/events", json=bad).json()["verdict"] == "rejected"
    assert client.post("/events", json=EVENT).json()["verdict"] == "accepted"
