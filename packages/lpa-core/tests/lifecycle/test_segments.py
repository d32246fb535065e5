"""Where segments begin and end, and which of them a status sample or trace edge belongs to."""

from __future__ import annotations

from typing import Any

import pytest

from lpa_core.lifecycle.capabilities import Capability, CapabilityIndex
from lpa_core.lifecycle.facts import Facts
from lpa_core.lifecycle.fold import SessionFold, fold
from lpa_core.testing.lifecycle import Story

CLOSE = "gateway_ingest_stream_closed"

ONE, TWO = (
    Capability(0, f"c{n}", f"0xcan{n}", f"0xhot{n}", f"https://{n}", "live-video-to-video", "sdxl", f"GPU-{n}")
    for n in (1, 2)
)


def folded(story: Story) -> Facts:
    return fold("stream|request", story.signals, CapabilityIndex([ONE, TWO]))


def windows(story: Story) -> list[tuple[Any, ...]]:
    return [
        (segment.segment_start_ts, segment.segment_end_ts, segment.orchestrator_address, segment.reason)
        for segment in folded(story).segments
    ]


def attributed(story: Story) -> dict[int, str]:
    facts = folded(story)
    rows: dict[int, str] = {row.sample_ts: row.orchestrator_address for row in facts.status_samples}
    rows |= {row.edge_ts: row.orchestrator_address for row in facts.trace_edges}
    assert {row.is_attributed for row in [*facts.status_samples, *facts.trace_edges] if row.orchestrator_address} <= {1}
    return dict(sorted(rows.items()))


def test_a_segment_that_opened_without_an_orchestrator_keeps_its_start_when_it_gets_one() -> None:
    story = Story()
    story.ai_event(10, "other")
    story.status(20, orchestrator_address="0xhot1")
    assert windows(story) == [(10, None, "0xcan1", "initial")]


def test_the_start_is_the_earliest_time_whatever_arrived_first() -> None:
    story = Story()
    story.status(20, orchestrator_address="0xhot2")
    story.trace(30, CLOSE)
    story.status(10, orchestrator_address="0xhot1")
    assert windows(story) == [(10, 20, "0xcan1", "orchestrator_change"), (20, 30, "0xcan2", "stream_closed")]


def test_what_comes_after_the_close_leaves_the_end_where_it_is_and_lies_outside() -> None:
    story = Story()
    story.status(10, orchestrator_address="0xhot1")
    story.trace(20, CLOSE)
    story.status(20, orchestrator_address="0xhot1")
    story.status(21, orchestrator_address="0xhot1")
    assert windows(story) == [(10, 20, "0xcan1", "stream_closed")]
    assert attributed(story)[21] == ""
    at_the_end = [sample.is_attributed for sample in folded(story).status_samples if sample.sample_ts == 20]
    assert at_the_end == [0], "the end is exclusive"
    assert attributed(story)[10] == "0xcan1"
    (segment,) = folded(story).segments
    assert (segment.source_trace_type, segment.source_event_uid) == (CLOSE, "uid-3")


def test_a_closing_edge_is_inside_its_segment_also_where_it_moves_the_end() -> None:
    story = Story()
    story.status(10, orchestrator_address="0xhot1")
    story.trace(20, CLOSE)
    story.trace(30, CLOSE)
    assert windows(story) == [(10, 30, "0xcan1", "stream_closed")]
    assert attributed(story) == {10: "0xcan1", 20: "0xcan1", 30: "0xcan1"}


def test_another_orchestrator_after_the_close_opens_the_next_segment() -> None:
    story = Story()
    story.status(10, orchestrator_address="0xhot1")
    story.trace(20, CLOSE)
    story.status(30, orchestrator_address="0xhot2")
    assert windows(story) == [
        (10, 30, "0xcan1", "orchestrator_change"),
        (30, None, "0xcan2", "orchestrator_change"),
    ]
    assert attributed(story)[30] == "0xcan2"


def test_a_closing_edge_that_opens_the_segment_does_not_close_it() -> None:
    story = Story()
    story.trace(10, CLOSE)
    assert windows(story) == [(10, None, "", "initial")]


def test_going_back_to_the_first_orchestrator_is_a_segment_more_but_no_new_orchestrator() -> None:
    story = Story()
    for time, wallet in ((10, "0xhot1"), (20, "0xhot2"), (30, "0xhot1")):
        story.status(time, orchestrator_address=wallet)
    assert [window[2] for window in windows(story)] == ["0xcan1", "0xcan2", "0xcan1"]
    session = folded(story).session
    assert session is not None
    assert session.inferred_orchestrator_change_count == 1


def test_other_models_and_gpus_are_no_boundary_and_a_sample_keeps_those_of_its_time() -> None:
    other = Capability(15, "c3", "0xcan1", "0xhot1", "https://1", "live-video-to-video", "SDXL", "GPU-3")
    story = Story()
    story.status(10, orchestrator_address="0xhot1", pipeline="sdxl")
    story.status(20, orchestrator_address="0xhot1", pipeline="llama")
    story.status(30, orchestrator_address="0xhot1", pipeline="llama")
    llama = Capability(15, "c4", "0xcan1", "0xhot1", "https://1", "text", "llama", "GPU-4")
    facts = fold("stream|request", story.signals, CapabilityIndex([ONE, other, llama]))
    assert [sample.gpu_id for sample in facts.status_samples] == ["GPU-1", "GPU-4", "GPU-4"]
    (segment,) = facts.segments
    assert (segment.gpu_id, segment.model_id) == ("GPU-4", "llama")
    assert segment.pipeline == "live-video-to-video", "a segment keeps the first"
    session = facts.session
    assert session is not None
    assert (session.pipeline, session.has_model_change, session.has_pipeline_change) == ("text", 1, 1)


@pytest.mark.parametrize("named", [True, False])
def test_rows_wait_for_the_first_attribution_of_their_segment(named: bool) -> None:
    story = Story()
    story.trace(10, "gateway_receive_stream_request")
    story.status(20)
    story.status(30, orchestrator_address="0xhot1" if named else "0xunknown")
    assert set(attributed(story).values()) == ({"0xcan1"} if named else {""})
    urls = {sample.orchestrator_url for sample in folded(story).status_samples}
    assert urls == ({"https://1"} if named else {""})


def test_a_row_that_names_another_url_does_not_get_the_first_attribution_of_its_segment() -> None:
    story = Story()
    story.status(10, orchestrator_url="https://elsewhere")
    story.trace(20, "runner_other", orchestrator_url="https://elsewhere")
    story.status(30, orchestrator_address="0xhot1")
    assert attributed(story) == {10: "", 20: "", 30: "0xcan1"}
    first, _ = folded(story).status_samples
    assert (first.orchestrator_url, first.attribution_status) == ("https://elsewhere", "unresolved")


def test_a_signal_that_nobody_is_found_for_keeps_the_orchestrator_unless_it_names_another_url() -> None:
    story = Story()
    story.status(10, orchestrator_url="https://1")
    story.status(20, orchestrator_address="0xunknown")
    story.status(30, orchestrator_address="0xunknown", orchestrator_url="https://elsewhere")
    story.trace(31, "runner_other", orchestrator_url="https://elsewhere")
    story.ai_event(32, "params_update", orchestrator_url="https://elsewhere")
    story.status(40)
    assert attributed(story) == {10: "0xcan1", 20: "0xcan1", 30: "", 31: "", 40: "0xcan1"}
    assert windows(story) == [(10, None, "0xcan1", "initial")]
    facts = folded(story)
    (update,) = facts.param_updates
    assert (update.orchestrator_address, update.orchestrator_url, update.gpu_id) == ("", "https://elsewhere", None)
    assert {row.source_event_uid: row.orchestrator_address for row in facts.coverage}["uid-2"] == ""
    elsewhere = facts.status_samples[2]
    assert (elsewhere.attribution_status, elsewhere.attribution_reason) == ("unresolved", "missing_candidate")
    session, (segment,) = facts.session, facts.segments
    assert session is not None
    for fact in (session, segment):
        assert (fact.orchestrator_url, fact.attribution_status) == ("https://1", "resolved")


def test_a_row_that_waits_is_answered_unattributed_and_again_when_it_is_settled() -> None:
    story = Story()
    first = story.status(10)
    edge = story.trace(11, "runner_other")
    settling = story.status(20, orchestrator_address="0xhot1")
    folding = SessionFold("stream|request", CapabilityIndex([ONE]))
    folding.apply(first)
    assert [sample.is_attributed for sample in folding.take().status_samples] == [0]
    folding.apply(edge)
    taken = folding.take()
    assert taken.status_samples == []
    assert [row.is_attributed for row in taken.trace_edges] == [0]
    folding.apply(settling)
    taken = folding.take()
    assert [(sample.sample_ts, sample.is_attributed) for sample in taken.status_samples] == [(10, 1), (20, 1)]
    assert [(row.edge_ts, row.is_attributed) for row in taken.trace_edges] == [(11, 1)]


def test_only_segments_that_changed_are_taken() -> None:
    story = Story()
    for time, wallet in ((10, "0xhot1"), (20, "0xhot2"), (30, "0xhot2")):
        story.status(time, orchestrator_address=wallet)
    folding = SessionFold("stream|request", CapabilityIndex([ONE, TWO]))
    indexes = []
    for signal in story.signals:
        folding.apply(signal)
        indexes.append([segment.segment_index for segment in folding.take().segments])
    assert indexes == [[0], [0, 1], [1]]


def test_the_category_of_a_trace_is_its_prefix() -> None:
    story = Story()
    types = ["gateway_x", "orchestrator_swap", "runner_x", "app_x", "gateway", "other_x", ""]
    for time, trace_type in enumerate(types):
        story.trace(time, trace_type)
    edges = folded(story).trace_edges
    assert [edge.trace_category for edge in edges] == ["gateway", "orchestrator", "runner", "app", *["other"] * 3]
    assert [edge.is_swap_event for edge in edges] == [0, 1, 0, 0, 0, 0, 0]
