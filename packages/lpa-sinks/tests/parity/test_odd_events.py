"""Events as only odd producers send them: events, facts, rollups and views still agree."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_sinks.materialize.rebuild import Rebuild
from lpa_sinks.materialize.row_filter import TimeSpan
from lpa_sinks.parity import AssertionResult, ask, assertions
from lpa_sinks.testing.damage import DerivedDatabase
from lpa_sinks.testing.stored_events import StoredEvents

HOUR = 3_600_000
START = 1_767_902_400_000
"""2026-01-08 20:00"""
NUMBERS = count(1)


def event(kind: str, at: int, data: Any, gateway: str = "g") -> bytes:
    identity = f"e{next(NUMBERS)}"
    return json.dumps(
        {"id": identity, "type": kind, "timestamp": START + at, "gateway": gateway, "data": data}
    ).encode()


def snapshot(at: int, address: str, model: str, *, pipeline: str = "live", gpu: str = "", local: str = "") -> bytes:
    hardware = {"pipeline": pipeline, "model_id": model, "gpu_info": {"0": {"id": gpu or None}}}
    data = {"address": address, "local_address": local or f"{address}-proxy", "orch_uri": "u", "hardware": [hardware]}
    return event("network_capabilities", at, [data])


def status(at: int, stream: str, address: str, model: str, **more: Any) -> bytes:
    data = {
        "stream_id": stream,
        "request_id": stream.strip(),
        "pipeline": model,
        "state": "ONLINE",
        "orchestrator_info": {"address": address, "url": "u"},
        "inference_status": {"fps": more.pop("fps", 15.0)},
        "timestamp": START + at,
    }
    return event("ai_stream_status", at, data, **more)


def trace(at: int, stream: str, kind: str, address: str = "", **more: Any) -> bytes:
    data = {"stream_id": stream, "request_id": stream, "type": kind, "timestamp": START + at}
    return event("stream_trace", at, data | {"orchestrator_info": {"address": address}}, **more)


def payment(at: int, request: str) -> bytes:
    names = ("sessionID", "manifestID", "sender", "recipient", "orchestrator", "numTickets", "price", "winProb")
    return event("create_new_payment", at, {**dict.fromkeys(names, "x"), "faceValue": "10 WEI", "requestID": request})


def stream_ids_with_spaces() -> Sequence[bytes]:
    """One session by its trimmed ids, whose orchestrators are told of different spellings of its stream."""
    return [
        snapshot(0, "0xa1", "m", gpu="GPU-a1"),
        snapshot(0, "0xa2", "m", gpu="GPU-a2"),
        status(1_000, "spaces ", "0xa1", "m"),
        status(2_000, "spaces", "0xa1", "m"),
        status(3_000, " spaces", "0xa2", "m"),
    ]


def a_session_that_did_nothing_but_pay() -> Sequence[bytes]:
    return [trace(1_000, "payer", "unknown_step", gateway="a gateway of no other"), payment(2_000, "payer")]


def a_gpu_that_is_named_later() -> Sequence[bytes]:
    return [
        snapshot(0, "0xb1", "m"),
        status(1_000, "later", "0xb1", "m"),
        snapshot(60_000, "0xb1", "m", gpu="GPU-b1"),
        status(61_000, "later", "0xb1", "m"),
    ]


def a_pipeline_that_is_named_later() -> Sequence[bytes]:
    return [
        snapshot(0, "0xc1", "m", pipeline="", gpu="GPU-c1"),
        status(1_000, "nameless", "0xc1", "m"),
        snapshot(60_000, "0xc1", "m", gpu="GPU-c1"),
        status(61_000, "nameless", "0xc1", "m"),
    ]


def a_model_that_is_known_by_its_label_alone() -> Sequence[bytes]:
    """The snapshot names none; the wallet of the second status names nobody."""
    return [
        snapshot(0, "0xd1", "", gpu="GPU-d1"),
        status(1_000, "labelled", "0xd1", "label"),
        status(2_000, "labelled", "0xnobody", "label"),
        status(3_000, "labelled", "0xd1", "label"),
    ]


def models_that_differ_by_white_space() -> Sequence[bytes]:
    return [
        snapshot(0, "0xe1", " m", gpu="GPU-e1"),
        snapshot(0, "0xe2", "m", gpu="GPU-e2"),
        status(1_000, "white", "0xe1", "m"),
        status(2_000, "white", "0xe2", "m"),
    ]


def a_snapshot_whose_pipeline_repeats_its_model() -> Sequence[bytes]:
    return [
        snapshot(0, "0x91", "m", pipeline="M", gpu="GPU-91"),
        status(1_000, "repeats", "0x91", "m"),
        snapshot(60_000, "0x92", "m", pipeline="M", gpu="GPU-92"),
        status(61_000, "named", "0x92", "m"),
        snapshot(120_000, "0x92", "m", gpu="GPU-92"),
        status(121_000, "named", "0x92", "m"),
    ]


def a_snapshot_without_a_wallet() -> Sequence[bytes]:
    return [
        snapshot(0, "0x71", "m", gpu="GPU-71", local="0xproxy"),
        snapshot(1_000, "", "m", gpu="GPU-71", local="0xproxy"),
        status(2_000, "walletless", "0x71", "m"),
        status(3_000, "walletless", "0xproxy", "m"),
    ]


KINDS = [
    (stream_ids_with_spaces, "network_demand_matches_facts"),
    (a_session_that_did_nothing_but_pay, "network_demand_matches_facts"),
    (a_gpu_that_is_named_later, "samples_agree_with_segments"),
    (a_pipeline_that_is_named_later, "samples_agree_with_segments"),
    (a_model_that_is_known_by_its_label_alone, "samples_agree_with_segments"),
    (models_that_differ_by_white_space, "change_flags_agree_with_segments"),
    (a_snapshot_whose_pipeline_repeats_its_model, "session_pipelines_are_no_models"),
    (a_snapshot_whose_pipeline_repeats_its_model, "samples_agree_with_segments"),
    (a_snapshot_without_a_wallet, "proxies_stand_for_one_orchestrator"),
]
"""Each with the assertion that told of it. All the others are asked of events that are changed at random."""


@pytest.fixture(scope="module")
def odd(engine: Client) -> Iterator[StoredEvents]:
    yield StoredEvents(engine, "odd")
    engine.command("DROP DATABASE odd SYNC")


def derive(odd: StoredEvents, records: Sequence[bytes]) -> None:
    odd.clear()
    odd.store(records)
    rebuild = Rebuild(odd.database, FoldRules(), TimeSpan(START - HOUR, START + HOUR))
    rebuild.prepare()
    while rebuild.step():
        pass


def asked(odd: StoredEvents, name: str) -> AssertionResult:
    (assertion,) = (each for each in assertions() if each.name == name)
    start, end = (datetime.fromtimestamp((START + shift) / 1000, UTC) for shift in (-HOUR, HOUR))
    return ask(odd.client, odd.name, assertion, start, end)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_failure_01_parity_holds_on_odd_events(
    odd: StoredEvents, kind: Callable[[], Sequence[bytes]], name: str
) -> None:
    derive(odd, kind())
    assert asked(odd, name).rows == []


@pytest.mark.slow
@pytest.mark.parametrize("column", ["gpu_id", "model_id", "pipeline", "orchestrator_address"])
def test_failure_01_what_nobody_offered_is_still_told_of(odd: StoredEvents, column: str) -> None:
    derive(odd, a_gpu_that_is_named_later())
    stored = DerivedDatabase(odd)
    with stored.mended(["fact_stream_status_samples_versions"], []):
        stored.change("fact_stream_status_samples", **{column: "'another'"})
        assert len(asked(odd, "samples_agree_with_segments").rows) == 1
    assert asked(odd, "samples_agree_with_segments").rows == []
