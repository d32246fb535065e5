"""Families of jobs, tickets and heartbeats: docs/spec/producers.md section 3, cases P9, P14, P15, P17, P19 and P20."""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from lpa_core import job_events
from lpa_core.events import ai_stream_events, create_signed_ticket, stream_heartbeat, stream_stats
from lpa_core.events.network_capabilities import HARDWARE_TABLE, PRICES_TABLE
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.generate.generator import generate
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.verdicts import Accepted, Verdict
from lpa_core.plugin import EventType, check_event_type
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ProcessSettings, Settings

TIME = 1_770_000_000_000
JOB_TYPES = {event_type.name: event_type for event_type in job_events.lpa_event_types()}
FAST = Pipeline([*BUILTIN_EVENT_TYPES, *JOB_TYPES.values()])
THOROUGH = Pipeline([*BUILTIN_EVENT_TYPES, *JOB_TYPES.values()], plugin_validators=[lambda document: None])
ORCHESTRATOR = {"address": " 0xCAN1", "url": "https://a.test:1"}


def event(kind: str, data: Any, **changes: Any) -> dict[str, Any]:
    return {"id": "e", "type": kind, "timestamp": TIME, "gateway": "g", "data": data} | changes


def judged(kind: str, data: Any, **changes: Any) -> Verdict:
    record = json.dumps(event(kind, data, **changes)).encode()
    fast, thorough = FAST.validate(record), THOROUGH.validate(record)
    if isinstance(fast, Accepted) and isinstance(thorough, Accepted):
        for each in ("rows", "dedup_key", "dedup_strategy", "discarded"):
            assert getattr(fast, each) == getattr(thorough, each)
    else:
        assert fast == thorough
    return fast


def accepted(kind: str, data: Any, **changes: Any) -> Accepted:
    verdict = judged(kind, data, **changes)
    assert isinstance(verdict, Accepted), verdict
    return verdict


def rows(kind: str, data: Any, table: Any = None) -> list[dict[str, Any]]:
    return [
        dict(zip(found.column_names[-len(row) :], row, strict=True))
        for found, row in accepted(kind, data).rows
        if table in (None, found)
    ]


def reason(kind: str, data: Any) -> str:
    verdict = judged(kind, data)
    assert not isinstance(verdict, Accepted)
    return str(verdict.failure.reason.value)  # type: ignore[union-attr]


BYOC = {
    "request_id": "r2", "capability": "chat", "type": "x", "orchestrator_info": ORCHESTRATOR,
    "success": True, "error": "e",
}  # fmt: skip
BATCH = {"request_id": "r1", "type": "x", "orch_url": "https://a.test:1", "success": True, "error": "e"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "ai_batch_request": BATCH | {
        "pipeline": "upscale", "model_id": "m", "tries": 1, "duration_ms": 900, "latency_score": 0.5,
        "price_per_unit": 1.5, "error_type": "timeout",
    },
    "ai_llm_request": BATCH | {
        "model": "m", "finish_reason": "stop", "prompt_tokens": 3, "completion_tokens": 20, "total_tokens": 23,
        "total_duration_ms": 2500, "ttft_ms": 90, "tokens_per_second": 8.0, "latency_score": 0.5, "price_per_unit": 1.5,
    },
    "job_gateway": BYOC | {
        "attempt_index": 1, "selected": 1, "duration_ms": 50, "latency_ms": 7, "available_capacity": 2,
        "completed_at": TIME - 5, "http_status": 200, "streaming": True, "orch_url": "https://b.test:1",
    },
    "job_orchestrator": BYOC | {
        "worker_url": "http://w:8", "reason": "full", "sender_address": "0xs", "http_status": 502, "duration_ms": 70,
        "timeout_ms": 9, "price_per_unit": 90, "pixels_per_unit": 1, "charged_compute": True, "retryable": True,
        "has_payment": True,
    },
    "job_payment": BYOC | {
        "stream_id": "s", "sender": "0xs", "balance": "-5", "diff": "1", "min_balance": "2", "with_tickets": True,
        "on_error": True, "elapsed_seconds": 3, "price_per_unit": 90, "total_charged": 270,
    },
    "job_auth": BYOC | {"sender": "0xs", "worker_url": "http://w:8", "stream_id": "s", "stream_name": "a"},
    "worker_lifecycle": BYOC | {
        "id": "u1", "worker_url": "http://w:8", "reason": "gone", "price_per_unit": 90, "price_scaling": 1,
        "worker_options": [{"model": "m1"}],
    },
    "create_signed_ticket": {
        "session_id": "s1", "session_status": "new", "app": "app", "pipeline": "live", "model_id": "m",
        "request_id": "r", "manifest_id": "35_m", "auth_id": "app:u", "orch_address": "0xHOT", "orch_url": "https://a.test:1",
        "current_time_unix": TIME, "previous_time_unix": TIME - 10_000, "billable_secs": 10.0, "pixels": 1,
        "sequence_number": 1, "num_tickets": 1, "computed_fee": "250", "session_balance": "-3", "cost": "2.0",
    },
    "stream_heartbeat": {
        "stream_id": "s", "request_id": "r", "orchestrator_info": ORCHESTRATOR,
        "dimensions": {"width": 512, "height": 512}, "timestamp": TIME,
        "fps": dict.fromkeys(("ingress_video_fps", "egress_video_fps", "ingress_audio_fps", "egress_audio_fps"), 24.5),
    },
    "stream_stats": {
        "stream_id": "s", "request_id": "r", "orchestrator_info": ORCHESTRATOR, "timestamp": 81_234.5,
        "stream": {"running": True, "width": 512, "height": 512},
    },
}  # fmt: skip
BUILT_IN = (create_signed_ticket.EVENT_TYPE, stream_heartbeat.EVENT_TYPE, stream_stats.EVENT_TYPE)


@pytest.mark.parametrize("event_type", [*JOB_TYPES.values(), *BUILT_IN], ids=lambda event_type: str(event_type.name))
def test_every_column_of_a_family_is_read(event_type: EventType) -> None:
    check_event_type(event_type, [event(event_type.name, EXAMPLES[event_type.name])])


@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize("data", [[], "x", 7])
def test_the_data_of_a_family_is_an_object(kind: str, data: Any) -> None:
    required = FAST.event_types[kind].required
    assert reason(kind, data) == ("missing_field" if required else "invalid_data_shape")


@pytest.mark.parametrize(
    ("kind", "key", "subtype"),
    [
        ("job_orchestrator", "has_payment", "job_orchestrator_received"),
        ("job_orchestrator", "http_status", "job_orchestrator_worker_result"),
        ("job_orchestrator", "reason", "job_orchestrator_capacity_rejected"),
        ("job_payment", "elapsed_seconds", "payment_compute_charged"),
        ("job_payment", "min_balance", "payment_insufficient_balance"),
        ("job_payment", "diff", "payment_balance_sync"),
        ("job_payment", "with_tickets", "payment_created"),
        ("job_payment", "stream_id", "payment_stream_cycle"),
        ("job_auth", "stream_name", "job_auth_webhook_result"),
        ("job_auth", "sender", "job_credential_verify_result"),
        ("worker_lifecycle", "price_per_unit", "worker_registered"),
        ("worker_lifecycle", "options_filter", "worker_capacity_exhausted"),
        ("worker_lifecycle", "reason", "worker_unregistered"),
    ],
)
@pytest.mark.parametrize("value", [None, "", 7, {"a": 1}])
def test_a_key_tells_the_subtype_that_was_left_out(kind: str, key: str, subtype: str, value: Any) -> None:
    for left_out in ({}, {"type": ""}, {"type": " "}, {"type": None}):
        assert rows(kind, {"capability": "chat", key: value, **left_out})[0]["subtype"] == subtype
    assert rows(kind, {"capability": "chat", key: value, "type": "own"})[0]["subtype"] == "own"


@pytest.mark.parametrize("kind", ["job_orchestrator", "job_payment", "job_auth", "worker_lifecycle"])
def test_without_such_a_key_the_subtype_is_empty(kind: str) -> None:
    assert rows(kind, {"capability": "chat"})[0]["subtype"] == ""


def test_the_first_key_that_is_there_tells_the_subtype() -> None:
    data = {"capability": "chat", "http_status": 502, "reason": "full"}
    assert rows("job_orchestrator", data)[0]["subtype"] == "job_orchestrator_worker_result"


def test_p14_a_relayed_result_is_told_by_its_status() -> None:
    (row,) = rows("job_orchestrator", {"request_id": "r", "capability": "c", "http_status": 502, "success": False})
    assert (row["subtype"], row["http_status"], row["success"]) == ("job_orchestrator_worker_result", 502, 0)


def test_p15_an_event_of_a_worker_has_one_key_under_every_id() -> None:
    for id_ in ("one", "two", ""):
        verdict = accepted("worker_lifecycle", {"id": "u1", "capability": "chat"}, id=id_)
        assert (verdict.dedup_key, verdict.dedup_strategy) == ("worker_lifecycle|u1", "data_id")
    for blank in ({}, {"id": ""}, {"id": " "}, {"id": None}):
        verdict = accepted("worker_lifecycle", {"capability": "chat", **blank}, id="one")
        assert (verdict.dedup_key, verdict.dedup_strategy) == ("one", "event_id")
    assert accepted("worker_lifecycle", {"capability": "chat"}, id="").dedup_strategy == "payload_hash"


def test_models_of_a_worker_are_joined() -> None:
    options: list[Any] = [{"model": "m2"}, {"model": "m1"}, {"model": "m2"}, {}, {"model": ""}, {"model": None}]
    for some, models in ((options, "m2,m1"), ([], ""), (None, ""), ("x", ""), ([7, {"model": "m"}], "m")):
        assert rows("worker_lifecycle", {"capability": "c", "worker_options": some})[0]["models"] == models


def test_paths_that_stand_in_for_others() -> None:
    assert rows("job_auth", {"pipeline": "p"})[0]["capability"] == "p"
    assert rows("job_auth", {"pipeline": "p", "capability": "c"})[0]["capability"] == "c"
    payment = {"sender_address": "0xs", "balance_after": "5"}
    assert [rows("job_payment", payment)[0][name] for name in ("sender", "balance")] == ["0xs", "5"]


def test_p17_the_unit_cost_of_a_ticket_has_two_names() -> None:
    ticket = {"session_id": "s", "auth_id": "app:u", "computed_fee": "100"}
    assert rows("create_signed_ticket", ticket | {"cost_per_pixel": "0.5"})[0]["unit_cost"] == "0.5"
    assert rows("create_signed_ticket", ticket | {"cost": "2", "cost_per_pixel": "0.5"})[0]["unit_cost"] == "2"
    assert reason("create_signed_ticket", {"session_id": "s"}) == "missing_field"


def test_times_in_seconds_are_left_out() -> None:
    seconds = {"current_time_unix": TIME // 1000, "previous_time_unix": TIME // 1000}
    verdict = accepted("create_signed_ticket", {"session_id": "s", "computed_fee": "1", **seconds})
    assert verdict.discarded == ("seconds", "seconds")
    heartbeat = rows("stream_heartbeat", {"stream_id": "s", "timestamp": 81_234})
    assert heartbeat[0]["data_timestamp"] == TIME


def test_p9_an_event_of_pytrickle_needs_no_pipeline() -> None:
    data = {"stream_id": "s", "request_id": "r", "type": "params_updated", "orchestrator_info": ORCHESTRATOR}
    (row,) = rows("ai_stream_events", data, ai_stream_events.TABLE)
    assert (row["pipeline"], row["event_type"]) == ("", "params_updated")
    assert (row["orchestrator_address"], row["orchestrator_url"]) == ("0xcan1", "https://a.test:1")


def price(capability: int, constraint: str, wei: int) -> dict[str, Any]:
    return {"capability": capability, "constraint": constraint, "pricePerUnit": wei, "pixelsPerUnit": 1}


def offers(**orchestrator: Any) -> list[tuple[Any, ...]]:
    found = rows("network_capabilities", orchestrator, HARDWARE_TABLE)
    return [
        tuple(row[name] for name in ("pipeline", "model_id", "gpu_id", "capability_id", "price_per_unit"))
        for row in found
    ]


def test_p19_the_price_of_a_byoc_capability_has_its_name() -> None:
    hardware = [{"pipeline": "chat", "model_id": "m1", "gpu_info": {"0": {"id": "GPU-1"}}}]
    prices = [price(37, "img", 5000), price(37, "chat", 2500)]
    assert offers(hardware=hardware, capabilities_prices=prices) == [("chat", "m1", "GPU-1", 37, 2500)]


def test_a_price_of_the_model_goes_before_that_of_a_byoc_capability() -> None:
    hardware = [{"pipeline": "llm", "model_id": "m1"}]
    capabilities = {"constraints": {"PerCapability": {"33": {"models": {"m1": {}}}}}}
    prices = [price(37, "llm", 1), price(33, "m1", 2)]
    assert offers(hardware=hardware, capabilities=capabilities, capabilities_prices=prices) == [
        ("llm", "m1", None, 33, 2)
    ]


def test_p20_models_without_hardware() -> None:
    per = {"33": {"models": {"a": {}, "b": {}}}, "37": {"models": {"c": {}}}, "35": {"models": {"d": {"warm": True}}}}
    prices = [price(33, "b", 7)]
    assert offers(capabilities={"constraints": {"PerCapability": per}}, capabilities_prices=prices) == [
        ("llm", "a", None, 33, 7),
        ("llm", "b", None, 33, 7),
        ("live-video-to-video", "d", None, 35, 7),
    ]
    assert offers(hardware=None) == []


def test_options_of_a_byoc_capability_without_hardware() -> None:
    options = {"chat": [{"model": "m1"}, {"model_id": "m2"}], "img": [{"model": "m3"}]}
    hardware = [{"pipeline": "img", "model_id": "m3"}]
    assert offers(hardware=hardware, capability_options=options, capabilities_prices=[price(37, "chat", 9)]) == [
        ("img", "m3", None, 37, 9),
        ("chat", "m1", None, 37, 9),
        ("chat", "m2", None, 37, 9),
    ]


def test_a_general_price_has_no_capability() -> None:
    general = {"price_info": {"pricePerUnit": 5, "pixelsPerUnit": 2}}
    (row,) = rows("network_capabilities", general, PRICES_TABLE)
    named = ("capability_id", "constraint_name", "price_per_unit", "pixels_per_unit")
    assert [row[name] for name in named] == [-1, None, 5, 2]


def test_the_plugin_can_be_disabled() -> None:
    assert JOB_TYPES.keys() <= {each.name for each in PluginManager(Settings()).event_types()}
    without = PluginManager(Settings(lpa=ProcessSettings(plugins_disabled=("jobs",))))
    assert not JOB_TYPES.keys() & {each.name for each in without.event_types()}


def test_a_family_is_a_short_declaration_over_the_public_api() -> None:
    modules = [*Path(inspect.getfile(job_events)).parent.glob("*.py")]
    assert len(modules) == len(JOB_TYPES) + 2
    for module in modules:
        text = module.read_text()
        imported = {
            node.module or "" for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom) and node.module
        }
        ours = {name for name in imported if name.startswith("lpa_core")}
        assert ours <= {"lpa_core.plugin", "lpa_core.job_events", "lpa_core.job_events.job_columns"}, module
        assert len(text.splitlines()) < 60, module


def test_generated_jobs_have_every_family_and_are_well_formed() -> None:
    kinds = set()
    for record in generate(3000, duplicates=0, bad=0, jobs=0.5, sessions=5, seed=1):
        verdict = FAST.validate(record)
        assert isinstance(verdict, Accepted)
        assert (verdict.unfit, verdict.discarded) == (0, ())
        kinds.add(verdict.envelope.type)
    assert kinds == set(FAST.event_types)
