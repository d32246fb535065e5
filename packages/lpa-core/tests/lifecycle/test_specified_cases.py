"""Worked examples: docs/spec/lifecycle.md section 13, L1 to L16, and docs/spec/producers.md section 5, A1 to A3."""

from __future__ import annotations

from typing import Any

import pytest

from lpa_core.lifecycle.capabilities import Capability, CapabilityIndex
from lpa_core.lifecycle.facts import Facts
from lpa_core.lifecycle.fold import fold
from lpa_core.testing.lifecycle import Story

T = 1_767_873_600_000

REQ = "gateway_receive_stream_request"
PROC = "gateway_receive_first_processed_segment"
PLAY = "gateway_receive_few_processed_segments"
CLOSE = "gateway_ingest_stream_closed"
NOORCH = "gateway_no_orchestrators_available"
SWAP = "orchestrator_swap"

MODEL = "streamdiffusion-sdxl"
C1 = Capability(T - 60_000, "c1", "0xCAN1", "0xHOT1", "u1", "live-video-to-video", MODEL, "GPU-1")
C2 = Capability(T - 60_000, "c2", "0xCAN2", "0xHOT2", "u2", "live-video-to-video", MODEL, "GPU-2")


def folded(story: Story, *capabilities: Capability) -> Facts:
    return fold("stream|request", story.signals, CapabilityIndex(capabilities))


def session(story: Story, *capabilities: Capability) -> Any:
    return folded(story, *capabilities).session


def has(fact: Any, **expected: Any) -> None:
    assert {name: getattr(fact, name) for name in expected} == expected


def clean_success() -> Story:
    story = Story()
    story.trace(T, REQ)
    story.trace(T + 4000, PROC, "0xHOT1")
    story.trace(T + 6500, PLAY, "0xHOT1")
    story.status(T + 7000, pipeline=MODEL, orchestrator_address="0xHOT1", start_time=T + 500)
    story.trace(T + 60_000, CLOSE)
    return story


def test_l1_clean_success() -> None:
    facts = folded(clean_success(), C1)
    has(facts.session, known_stream=1, startup_success=1, startup_excused=0, startup_unexcused=0)
    has(facts.session, confirmed_swap_count=0, inferred_orchestrator_change_count=0, swap_count=0)
    has(facts.session, orchestrator_address="0xcan1", model_id=MODEL, gpu_id="GPU-1", pipeline="live-video-to-video")
    has(facts.session, workflow_id="ai_live_video_stream", workflow_type="ai_live_video_stream", session_id="")
    has(facts.session, gpu_attribution_method="nearest_prior_snapshot", gpu_attribution_confidence=0.9)
    has(facts.session, session_start_ts=T, session_end_ts=T + 60_000, event_count=5, region=None)
    has(facts.session, status_sample_count=1, loading_only_session=0, zero_output_fps_session=0)
    has(facts.session, health_signal_count=3, health_expected_signal_count=3, health_completeness_ratio=1.0)
    has(facts.session, has_model_change=0, has_pipeline_change=0, orchestrator_url="u1", gateway="gateway")
    has(facts.session, source_first_event_uid="uid-0", source_last_event_uid="uid-4")
    has(facts.latency, prompt_to_first_frame_ms=4000.0, startup_time_ms=2500.0, e2e_latency_ms=6500.0)
    has(facts.latency, has_prompt_to_first_frame=1, has_startup_time=1, has_e2e_latency=1, sample_ts=T)
    has(facts.latency, edge_semantics_version="v1", orchestrator_address="0xcan1", gpu_id="GPU-1")
    (segment,) = facts.segments
    has(segment, segment_index=0, segment_start_ts=T, segment_end_ts=T + 60_000, reason="stream_closed")
    has(segment, orchestrator_address="0xcan1", gpu_id="GPU-1", model_id=MODEL, pipeline="live-video-to-video")
    has(segment, source_trace_type=CLOSE, source_event_uid="uid-4", worker_id="", region=None)
    (sample,) = facts.status_samples
    has(sample, sample_ts=T + 7000, is_attributed=1, gpu_attribution_method="segment_window_join")
    has(sample, gpu_attribution_confidence=1.0, gpu_id="GPU-1", pipeline="live-video-to-video", output_fps=15.5)
    assert [edge.is_attributed for edge in facts.trace_edges] == [1, 1, 1, 1]


def test_l2_no_orchestrators() -> None:
    story = Story()
    story.trace(T, REQ)
    story.trace(T + 1200, NOORCH)
    story.trace(T + 1500, CLOSE)
    facts = folded(story, C1)
    has(facts.session, known_stream=1, startup_success=0, startup_excused=1, startup_unexcused=0)
    has(facts.session, health_signal_count=0, health_expected_signal_count=3, health_completeness_ratio=0.0)
    has(facts.session, orchestrator_address="", pipeline="", model_id=None)
    has(facts.latency, prompt_to_first_frame_ms=None, startup_time_ms=None, e2e_latency_ms=None)
    has(facts.latency, has_prompt_to_first_frame=0, has_startup_time=0, has_e2e_latency=0)
    assert [row.unmatched_reason for row in facts.coverage] == [
        "awaiting_first_processed_segment_edge",
        "awaiting_first_processed_segment_edge",
        "missing_first_processed_segment_edge",
    ]
    assert [row.is_terminal_signal for row in facts.coverage] == [0, 0, 1]


@pytest.mark.parametrize(
    ("second", "excusable", "excused"),
    [("Missing video: no frames", 2, 1), ("CUDA out of memory", 1, 0)],
    ids=["l3", "l4"],
)
def test_l3_and_l4_a_start_is_excused_where_every_error_is(second: str, excusable: int, excused: int) -> None:
    story = Story()
    story.trace(T, REQ)
    story.ai_event(T + 1, "error", "WHIP disconnected unexpectedly")
    story.ai_event(T + 2, "Error", second)
    has(session(story), error_count=2, excusable_error_count=excusable)
    has(session(story), startup_excused=excused, startup_unexcused=1 - excused)


def test_l5_silence() -> None:
    story = Story()
    story.trace(T, REQ)
    story.trace(T + 30_000, CLOSE)
    has(session(story), error_count=0, startup_excused=0, startup_unexcused=1)
    assert folded(story).coverage[-1].unmatched_reason == "missing_first_processed_segment_edge"


def test_l6_playable_without_request() -> None:
    story = Story()
    story.trace(T, PLAY)
    facts = folded(story)
    has(facts.session, known_stream=0, startup_success=1, startup_excused=0, startup_unexcused=0)
    has(facts.session, health_signal_count=1, health_expected_signal_count=0, health_completeness_ratio=1.0)
    has(facts.latency, prompt_to_first_frame_ms=None, startup_time_ms=None, e2e_latency_ms=None)
    has(facts.coverage[0], unmatched_reason="missing_stream_request_edge", has_first_playable_edge=1)
    has(facts.coverage[0], startup_edge_matched=0, playable_edge_matched=0)


def test_l7_swap() -> None:
    story = Story()
    story.trace(T, REQ)
    story.trace(T + 1000, PROC, "0xHOT1")
    story.trace(T + 20_000, SWAP, "0xHOT2")
    story.trace(T + 21_000, PLAY, "0xHOT2")
    story.trace(T + 40_000, CLOSE)
    facts = folded(story, C1, C2)
    has(facts.session, confirmed_swap_count=1, inferred_orchestrator_change_count=1, swap_count=1)
    has(facts.session, orchestrator_address="0xcan2", gpu_id="GPU-2", has_model_change=0)
    first, second = facts.segments
    has(first, segment_index=0, segment_start_ts=T, segment_end_ts=T + 20_000, orchestrator_address="0xcan1")
    has(first, reason="orchestrator_change", source_trace_type=SWAP, source_event_uid="uid-2", gpu_id="GPU-1")
    has(second, segment_index=1, segment_start_ts=T + 20_000, segment_end_ts=T + 40_000, reason="stream_closed")
    has(second, orchestrator_address="0xcan2", gpu_id="GPU-2", source_trace_type=CLOSE)
    served = [(edge.orchestrator_address, edge.is_swap_event) for edge in facts.trace_edges]
    assert sorted(served) == [("0xcan1", 0), ("0xcan1", 0), ("0xcan2", 0), ("0xcan2", 0), ("0xcan2", 1)]


def test_l8_a_swap_trace_without_a_change_of_orchestrator_and_the_reverse() -> None:
    same = Story()
    same.trace(T, REQ)
    same.trace(T + 1, PROC, "0xHOT1")
    same.trace(T + 2, SWAP, "0xHOT1")
    has(session(same, C1, C2), confirmed_swap_count=1, inferred_orchestrator_change_count=0)
    assert len(folded(same, C1, C2).segments) == 1
    other = Story()
    other.trace(T, REQ)
    other.trace(T + 1, PROC, "0xHOT1")
    other.trace(T + 2, PLAY, "0xHOT2")
    has(session(other, C1, C2), confirmed_swap_count=0, inferred_orchestrator_change_count=1, swap_count=0)
    assert len(folded(other, C1, C2).segments) == 2


def test_l9_loading_only() -> None:
    story = Story()
    story.trace(T, REQ)
    story.status(T + 1, "LOADING", 0.0)
    story.status(T + 2, "loading", 0.0, last_error="OOM")
    has(session(story), status_sample_count=2, loading_only_session=1, zero_output_fps_session=1)
    has(session(story), status_error_sample_count=1, last_error_occurred=1, error_count=0, startup_unexcused=1)
    has(session(story), health_signal_count=1, health_expected_signal_count=3)
    assert session(story).health_completeness_ratio == pytest.approx(0.33333334)


def test_l10_an_edge_before_the_one_that_it_follows() -> None:
    story = Story()
    story.trace(T, PROC)
    story.trace(T + 100, REQ)
    story.trace(T + 500, PLAY)
    has(folded(story).latency, prompt_to_first_frame_ms=None, has_prompt_to_first_frame=0)
    has(folded(story).latency, startup_time_ms=500.0, e2e_latency_ms=400.0)


@pytest.mark.parametrize(
    ("label", "model", "method", "confidence"),
    [
        (MODEL, MODEL, "nearest_prior_snapshot", 0.9),
        ("", "llama", "exact_orchestrator_time_match", 1.0),
    ],
)
def test_l11_a_wallet_of_two_models(label: str, model: str, method: str, confidence: float) -> None:
    a = Capability(T - 3_600_000, "a", "0xcan1", "0xhot1", "", "", MODEL, None)
    b = Capability(T, "b", "0xcan1", "0xhot1", "", "", "llama", None)
    story = Story()
    story.status(T, pipeline=label, orchestrator_address="0xhot1")
    has(session(story, a, b), model_id=model, gpu_attribution_method=method, gpu_attribution_confidence=confidence)


@pytest.mark.parametrize(("age_hours", "orchestrator"), [(1, ""), (25, "0xcan1")])
def test_l12_a_wallet_of_two_orchestrators(age_hours: int, orchestrator: str) -> None:
    second = Capability(T - age_hours * 3_600_000, "c2", "0xCAN2", "0xHOT1", "u2", "", MODEL, "GPU-2")
    story = Story()
    story.trace(T, REQ, "0xHOT1")
    method = "nearest_prior_snapshot" if orchestrator else "ambiguous"
    has(session(story, C1, second), orchestrator_address=orchestrator, gpu_attribution_method=method)


def test_l12_what_was_attributed_before_stays() -> None:
    both = [Capability(T, canonical, canonical, "0xHOT9", "", "", MODEL, None) for canonical in ("0xCAN8", "0xCAN9")]
    story = Story()
    story.trace(T, REQ, "0xHOT1")
    story.trace(T + 1, PROC, "0xHOT9")
    has(session(story, C1, *both), orchestrator_address="0xcan1", gpu_id="GPU-1", gpu_attribution_confidence=0.9)


@pytest.mark.parametrize(
    ("shift", "method", "confidence"),
    [
        (-86_400_000, "nearest_prior_snapshot", 0.9),
        (-86_400_001, "proxy_address_join", 0.4),
        (1, "nearest_snapshot_within_ttl", 0.7),
        (0, "exact_orchestrator_time_match", 1.0),
    ],
)
def test_l13_the_edges_of_freshness(shift: int, method: str, confidence: float) -> None:
    story = Story()
    story.trace(T, REQ, "0xHOT1")
    fact = session(story, Capability(T + shift, "c", "0xCAN1", "0xHOT1", "u1", "", MODEL, "GPU-1"))
    has(fact, gpu_attribution_method=method, gpu_attribution_confidence=confidence, model_id=MODEL, gpu_id="GPU-1")


def test_l14_an_unattributed_status() -> None:
    story = Story()
    story.status(T, pipeline=MODEL, orchestrator_address="0xHOT9")
    facts = folded(story)
    has(facts.session, pipeline="", model_id=MODEL, orchestrator_address="", gpu_attribution_method="none")
    (sample,) = facts.status_samples
    has(sample, is_attributed=0, model_id=None, pipeline="", orchestrator_address="", gpu_attribution_method="none")


def test_l15_a_start_time_pulls_the_start() -> None:
    """In event-time order the request comes first; the start of the session is the same."""
    story = Story()
    story.status(T, start_time=T - 5000)
    story.trace(T - 4000, REQ)
    has(session(story), session_start_ts=T - 5000, first_stream_request_ts=T - 4000, session_end_ts=T)


def test_l16_an_update_of_parameters() -> None:
    story = clean_success()
    story.ai_event(T + 8000, "Params_Update", "prompt=x")
    facts = folded(story, C1)
    (update,) = facts.param_updates
    has(update, update_ts=T + 8000, update_type="params_update", message="prompt=x", source_event_uid="uid-5")
    has(update, orchestrator_address="0xcan1", gpu_id="GPU-1", pipeline="live-video-to-video", model_id=MODEL)
    has(update, gpu_attribution_method="nearest_prior_snapshot", orchestrator_url="u1", gateway="gateway")
    has(facts.session, error_count=0)
    assert len(facts.segments) == 1


ONE = Capability(T - 60_000, "one", "0xCAN1", "0xHOT", "https://one.test:1", "live", "m", "GPU-1")
TWO = Capability(T - 60_000, "two", "0xCAN2", "0xHOT", "https://two.test:2", "live", "m", "GPU-2")


def named(url: str) -> Story:
    story = Story()
    story.status(T, pipeline="m", orchestrator_address="0xHOT", orchestrator_url=url)
    return story


def states(facts: Facts) -> set[tuple[str, str, str, str]]:
    (sample,), (segment,), session = facts.status_samples, facts.segments, facts.session
    assert session is not None
    return {
        (fact.orchestrator_address, fact.attribution_status, fact.attribution_reason, fact.attribution_candidates)
        for fact in (sample, segment, session)
    }


def test_a1_a_url_decides_between_two_behind_one_wallet() -> None:
    facts = folded(named("https://TWO.test:2/"), ONE, TWO)
    has(facts.session, gpu_attribution_method="nearest_prior_snapshot", gpu_attribution_confidence=0.9, gpu_id="GPU-2")
    assert states(facts) == {("0xcan2", "resolved", "matched", "")}


def test_a2_without_a_url_two_behind_one_wallet_are_ambiguous() -> None:
    facts = folded(named(""), ONE, TWO)
    has(facts.session, gpu_attribution_method="ambiguous", gpu_attribution_confidence=0.0, gpu_id=None)
    candidates = "0xcan1@https://one.test:1,0xcan2@https://two.test:2"
    assert states(facts) == {("", "ambiguous", "ambiguous_candidates", candidates)}


def test_a3_a_wallet_does_not_stand_in_for_a_url_that_nobody_has() -> None:
    facts = folded(named("https://three.test:3"), ONE)
    has(facts.session, gpu_attribution_method="none", orchestrator_url="https://three.test:3")
    assert states(facts) == {("", "unresolved", "missing_uri_snapshot_local_alias_present", "")}
