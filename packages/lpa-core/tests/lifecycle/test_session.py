"""What a session's row says, beyond the specified cases: identity, names, outcomes, coverage and parameter updates."""

from __future__ import annotations

from typing import Any

import pytest

from lpa_core.lifecycle.attribution import Attribution
from lpa_core.lifecycle.capabilities import Capability, CapabilityIndex
from lpa_core.lifecycle.facts import EdgeCoverage, Facts, SessionFact, StatusSample, column_names, columns
from lpa_core.lifecycle.fold import fold
from lpa_core.lifecycle.pipeline_model import PipelineModelMode, canonical_pipeline
from lpa_core.testing.lifecycle import Story

NATIVE = PipelineModelMode.NATIVE_CORRECT
LEGACY = PipelineModelMode.LEGACY_MISNAMED
REQ, PROC, PLAY, CLOSE = (
    "gateway_receive_stream_request",
    "gateway_receive_first_processed_segment",
    "gateway_receive_few_processed_segments",
    "gateway_ingest_stream_closed",
)


def cap(number: int = 1, model: str = "sdxl", **values: Any) -> Capability:
    given = {
        "snapshot_ts": 0,
        "source_event_id": "c",
        "canonical": f"0xCAN{number}",
        "local": f"0xHOT{number}",
        "url": f"https://{number}",
        "pipeline": "live-video-to-video",
        "gpu_id": f"GPU-{number}",
    }
    return Capability(model_id=model, **(given | values))


def folded(story: Story, *capabilities: Capability, mode: PipelineModelMode = LEGACY) -> Facts:
    return fold("stream|request", story.signals, CapabilityIndex(capabilities), mode=mode)


def session(story: Story, *capabilities: Capability, mode: PipelineModelMode = LEGACY) -> SessionFact:
    fact = folded(story, *capabilities, mode=mode).session
    assert fact is not None
    return fact


def test_a_swap_that_an_ai_event_tells_counts_unless_a_trace_tells_one() -> None:
    story = Story()
    for time in (1, 2):
        story.ai_event(time, "orchestrator_swap")
    assert session(story).confirmed_swap_count == 2
    story.trace(3, "orchestrator_swap")
    assert (session(story).confirmed_swap_count, session(story).swap_count) == (1, 1)


def test_p9_what_pytrickle_says_is_no_param_update() -> None:
    story = Story()
    story.ai_event(1, "params_updated")
    assert folded(story).param_updates == []


@pytest.mark.parametrize(
    ("mode", "capabilities", "pipeline", "model"),
    [
        (LEGACY, [], "", "label"),
        (LEGACY, [cap(model="")], "live-video-to-video", None),
        (LEGACY, [cap(model="LABEL", pipeline="")], "", "LABEL"),
        (NATIVE, [], "label", "label"),
        (NATIVE, [cap(model="LABEL")], "label", "LABEL"),
    ],
)
def test_where_pipeline_and_model_come_from(
    mode: PipelineModelMode, capabilities: list[Capability], pipeline: str, model: str | None
) -> None:
    story = Story()
    story.status(10, pipeline="label", orchestrator_address="0xhot1")
    fact = session(story, *capabilities, mode=mode)
    assert (fact.pipeline, fact.model_id) == (pipeline, model)


@pytest.mark.parametrize(("mode", "model"), [(LEGACY, "one"), (NATIVE, "two")])
def test_without_a_snapshot_the_first_label_stays_in_legacy_mode_and_the_last_counts_in_native(
    mode: PipelineModelMode, model: str
) -> None:
    story = Story()
    story.status(10, pipeline="one")
    story.ai_event(20, "other", pipeline="two")
    story.trace(30, PLAY)
    fact = session(story, mode=mode)
    assert fact.model_id == model
    assert fact.has_model_change == (mode is NATIVE)
    assert (fact.pipeline, fact.has_pipeline_change) == (("two", 1) if mode is NATIVE else ("", 0))


def test_native_for_short() -> None:
    assert PipelineModelMode("native") is NATIVE
    with pytest.raises(ValueError, match="modern"):
        PipelineModelMode("modern")


def test_a_model_that_changes_in_case_only_is_no_other_model() -> None:
    story = Story()
    story.status(10, pipeline="SDXL", orchestrator_address="0xhot1")
    fact = session(story, cap(model="sdxl"))
    assert (fact.model_id, fact.has_model_change) == ("sdxl", 0)


def test_the_hint_keeps_the_model_of_a_wallet_that_serves_several() -> None:
    story = Story()
    story.status(10, pipeline="sdxl", orchestrator_address="0xhot1")
    story.trace(20, CLOSE, "0xhot1")
    fact = session(story, cap(), cap(model="llama", snapshot_ts=20))
    assert (fact.model_id, fact.gpu_attribution_method) == ("sdxl", "nearest_prior_snapshot")


def test_a_blank_label_is_no_hint() -> None:
    story = Story()
    story.status(10, pipeline="sdxl", orchestrator_address="0xhot1")
    story.status(20, pipeline=" ", orchestrator_address="0xhot1")
    assert session(story, cap(), cap(model="llama", snapshot_ts=20)).model_id == "sdxl"


def test_a_blank_label_is_none_for_coverage() -> None:
    story = Story()
    story.status(10, pipeline=" ")
    story.status(20, pipeline="sdxl")
    assert [row.model_id for row in folded(story).coverage] == [None, "sdxl"]


def test_what_a_snapshot_does_not_say_is_unknown_until_the_label_says_it() -> None:
    story = Story()
    story.status(10, pipeline="label", orchestrator_address="0xhot1")
    assert session(story, cap(model="", gpu_id=None)).model_id is None
    story.status(20, pipeline="label", orchestrator_address="0xunknown")
    assert session(story, cap(model="", gpu_id=None)).model_id == "label"


def test_a_snapshot_without_a_gpu_takes_away_that_of_the_one_before() -> None:
    story = Story()
    story.status(10, orchestrator_address="0xhot1")
    story.status(20, orchestrator_address="0xhot2")
    facts = folded(story, cap(1), cap(2, gpu_id=" "))
    assert [segment.gpu_id for segment in facts.segments] == ["GPU-1", None]


def test_a_label_counts_as_a_model_that_was_held_also_where_a_snapshot_has_none() -> None:
    story = Story()
    story.status(10, pipeline="label", orchestrator_address="0xhot1")
    story.status(20, orchestrator_address="0xhot2")
    assert session(story, cap(1, model=""), cap(2)).has_model_change == 1


def test_a_signal_without_a_wallet_is_attributed_by_that_of_the_session() -> None:
    story = Story()
    story.status(10, orchestrator_address="0xhot1")
    story.trace(20, CLOSE)
    found = session(story, cap(snapshot_ts=10))
    assert found.gpu_attribution_method == "nearest_prior_snapshot", "the status was at the time of the snapshot"


def test_of_several_edges_of_a_kind_the_first_counts() -> None:
    story = Story()
    for time in (10, 20):
        for trace_type in (REQ, PROC, PLAY):
            story.trace(time, trace_type)
    fact = session(story)
    assert (fact.first_stream_request_ts, fact.first_processed_ts, fact.first_playable_ts) == (10, 10, 10)


def test_a_blank_error_of_a_status_is_none() -> None:
    story = Story()
    story.status(10, last_error=" ")
    assert session(story).last_error_occurred == 0


def test_the_gpu_stays_where_several_would_do() -> None:
    story = Story()
    story.status(10, orchestrator_address="0xhot1")
    story.status(30, orchestrator_address="0xhot1")
    fact = session(story, cap(gpu_id="GPU-2"), cap(gpu_id="GPU-0", snapshot_ts=20))
    assert fact.gpu_id == "GPU-2"


@pytest.mark.parametrize(("closing_url", "gpu"), [("", "GPU-2"), ("https://1", "GPU-1")])
def test_the_close_decides_by_the_url_that_it_names(closing_url: str, gpu: str) -> None:
    story = Story()
    story.status(10, orchestrator_address="0xunknown", orchestrator_url="https://2")
    story.trace(20, CLOSE, "0xhot1", orchestrator_url=closing_url)
    facts = folded(story, cap(gpu_id="GPU-1"), cap(gpu_id="GPU-2", url="https://2"))
    assert facts.session is not None
    assert (facts.session.gpu_id, facts.segments[0].gpu_id) == (gpu, gpu)


def test_the_url_is_the_last_that_its_orchestrator_was_named_by_and_that_of_the_snapshot_where_none_was() -> None:
    story = Story()
    story.status(10, orchestrator_address="0xhot1")
    assert session(story, cap()).orchestrator_url == "https://1"
    story.status(20, orchestrator_address="0xhot1", orchestrator_url="HTTPS://1/")
    story.status(30, orchestrator_address="0xhot1", orchestrator_url=" ")
    assert session(story, cap()).orchestrator_url == "HTTPS://1/"
    story.status(40, orchestrator_address="0xhot1", orchestrator_url="https://elsewhere")
    assert session(story, cap()).orchestrator_url == "HTTPS://1/"


def test_another_orchestrator_that_is_found_by_its_wallet_brings_its_url() -> None:
    story = Story()
    story.status(10, orchestrator_url="https://1")
    story.status(20, orchestrator_address="0xhot2")
    assert session(story, cap(1), cap(2)).orchestrator_url == "https://2"


def test_the_workflow_is_named_after_the_pipeline_that_the_first_signal_has() -> None:
    story = Story()
    story.status(10, orchestrator_address="0xhot1")
    assert session(story, cap()).workflow_id == "live-video-to-video"


def test_names_are_the_first_that_are_not_blank() -> None:
    story = Story(gateway=" ")
    story.trace(10, REQ)
    story.trace(20, PROC, gateway="one")
    story.trace(30, PLAY, gateway="two")
    assert session(story).gateway == "one"


def test_a_start_time_of_1970_is_none() -> None:
    story = Story()
    story.status(1_767_873_600_000, start_time=0)
    assert session(story).session_start_ts == 1_767_873_600_000


@pytest.mark.parametrize(
    ("reason", "traces"),
    [
        ("missing_stream_request_edge", [PROC, PLAY, CLOSE]),
        ("missing_first_processed_segment_edge", [REQ, PLAY, CLOSE]),
        ("missing_playable_edge", [REQ, PROC, CLOSE]),
        ("awaiting_first_processed_segment_edge", [REQ, PLAY]),
        ("awaiting_playable_edge", [REQ, PROC]),
        ("", [REQ, PROC, PLAY]),
        ("", [REQ, PROC, PLAY, CLOSE]),
    ],
)
def test_why_edges_are_unmatched(reason: str, traces: list[str]) -> None:
    story = Story()
    for time, trace_type in enumerate(traces):
        story.trace(time, trace_type)
    assert folded(story).coverage[-1].unmatched_reason == reason


def test_coverage_names_the_label_and_the_orchestrator_as_of_its_signal() -> None:
    story = Story()
    story.trace(10, REQ)
    story.status(20, pipeline="label", orchestrator_address="0xhot1")
    story.status(30, pipeline="other", orchestrator_address="0xhot1")
    rows = folded(story, cap(model="")).coverage
    assert [(row.pipeline, row.model_id, row.orchestrator_address) for row in rows] == [
        ("", None, ""),
        ("label", "label", "0xcan1"),
        ("label", "label", "0xcan1"),
    ]
    assert [(row.known_stream, row.trace_type, row.signal_ts) for row in rows] == [
        (1, REQ, 10),
        (1, "", 20),
        (1, "", 30),
    ]


def test_an_excused_start_becomes_a_success_with_a_playable_edge() -> None:
    story = Story()
    story.trace(10, REQ)
    story.trace(20, "gateway_no_orchestrators_available")
    assert session(story).startup_excused == 1
    story.trace(30, PLAY)
    fact = session(story)
    assert (fact.startup_success, fact.startup_excused, fact.startup_unexcused) == (1, 0, 0)


def test_no_orchestrators_excuses_whatever_else_went_wrong() -> None:
    story = Story()
    story.trace(10, REQ)
    story.ai_event(20, "error", "CUDA out of memory")
    story.trace(30, "gateway_no_orchestrators_available")
    assert session(story).startup_excused == 1


@pytest.mark.parametrize(
    "message",
    [
        "No orchestrators available",
        "mediamtx ingest disconnected",
        "WHIP disconnected",
        "missing video",
        "ICE connection state failed",
        "user disconnected",
    ],
)
def test_the_errors_that_excuse(message: str) -> None:
    story = Story()
    story.ai_event(10, "ERROR", f"then: {message}!")
    story.ai_event(20, "error", " ")
    story.ai_event(30, "warning", message)
    fact = session(story)
    assert (fact.error_count, fact.excusable_error_count) == (2, 1)


def test_an_update_of_parameters_keeps_the_first_url_and_waits_for_nothing() -> None:
    story = Story()
    story.ai_event(10, "params_update", "early")
    story.status(20, orchestrator_address="0xhot1", orchestrator_url="https://1")
    story.status(30, orchestrator_address="0xhot2", orchestrator_url="https://2")
    story.ai_event(40, "params_update", "late")
    early, late = folded(story, cap(1), cap(2)).param_updates
    assert (early.message, early.orchestrator_address, early.gpu_attribution_method) == ("early", "", "none")
    assert (late.orchestrator_address, late.orchestrator_url, late.gpu_id) == ("0xcan2", "https://1", "GPU-2")


@pytest.mark.parametrize(
    ("pipeline", "model", "expected"),
    [("p", "m", "p"), ("Same", "sAME", ""), (" ", "m", ""), ("p", "", "p"), ("", "", "")],
)
def test_the_pipeline_is_shown_unless_it_repeats_the_model(pipeline: str, model: str, expected: str) -> None:
    assert canonical_pipeline(pipeline, model) == expected


def test_a_pipeline_that_repeats_the_model_is_left_out_of_samples() -> None:
    story = Story()
    story.status(10, orchestrator_address="0xhot1")
    (sample,) = folded(story, cap(pipeline="SDXL")).status_samples
    assert (sample.pipeline, sample.model_id, sample.is_attributed) == ("", "sdxl", 1)


def test_another_policy_decides() -> None:
    class Nobody:
        def select(self, *asked: object) -> Attribution | None:
            return None

    story = Story()
    story.status(10, orchestrator_address="0xhot1")
    facts = fold("stream|request", story.signals, CapabilityIndex([cap()]), Nobody())
    assert facts.session is not None
    assert facts.session.orchestrator_address == ""


def test_facts_become_columns() -> None:
    story = Story()
    story.status(10)
    story.status(20, output_fps=1.0)
    facts = folded(story)
    by_name = dict(zip(column_names(StatusSample), columns(facts.status_samples), strict=True))
    assert by_name["sample_ts"] == (10, 20)
    assert by_name["output_fps"] == (15.5, 1.0)
    assert columns([]) == []
    assert column_names(EdgeCoverage)[:3] == ("org", "signal_ts", "workflow_session_id")
