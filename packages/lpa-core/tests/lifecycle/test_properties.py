"""What holds for every session: the facts are a function of the set of its signals and of the capabilities."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from lpa_core.lifecycle.capabilities import Capability, CapabilityIndex
from lpa_core.lifecycle.facts import Facts
from lpa_core.lifecycle.fold import SessionFold, fold
from lpa_core.lifecycle.pipeline_model import PipelineModelMode
from lpa_core.lifecycle.signals import Signal, SignalKind, order
from lpa_core.testing.lifecycle import fold_in_steps
from lpa_core.testing.lifecycle_strategies import arrivals, capabilities

SESSION = "stream|request"
modes = st.sampled_from(PipelineModelMode)


def comparable(facts: Facts) -> dict[str, Any]:
    """Without the order of rows, which means nothing in a table."""
    return {name: sorted(map(repr, rows)) if isinstance(rows, list) else rows for name, rows in asdict(facts).items()}


@given(arrivals(), st.lists(capabilities, max_size=8), st.data(), modes)
def test_any_order_of_arrival_gives_the_same_facts(
    signals: Sequence[Signal], snapshots: list[Capability], data: st.DataObject, mode: PipelineModelMode
) -> None:
    facts = fold(SESSION, signals, CapabilityIndex(snapshots), mode=mode)
    otherwise = fold(
        SESSION,
        data.draw(st.permutations(signals)),
        CapabilityIndex(data.draw(st.permutations(snapshots))),
        mode=mode,
    )
    assert comparable(otherwise) == comparable(facts)


@given(arrivals(), st.lists(capabilities, max_size=8))
def test_repetitions_change_nothing(signals: Sequence[Signal], snapshots: list[Capability]) -> None:
    once = {(signal.kind, signal.source_event_uid): signal for signal in sorted(signals, key=order, reverse=True)}
    index = CapabilityIndex([*snapshots, *snapshots])
    again = [*signals, *(replace(signal, topic="zz") for signal in signals), *signals]
    assert comparable(fold(SESSION, again, index)) == comparable(
        fold(SESSION, once.values(), CapabilityIndex(snapshots))
    )


@given(arrivals(max_size=16), st.lists(capabilities, max_size=8), st.data(), modes)
def test_a_fold_in_steps_ends_with_the_rows_of_the_whole_fold_after_each_of_them(
    signals: Sequence[Signal], snapshots: list[Capability], data: st.DataObject, mode: PipelineModelMode
) -> None:
    in_order = sorted(signals, key=order)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(in_order)), max_size=5)) | {len(in_order)})
    steps = [in_order[first:last] for first, last in zip([0, *cuts], cuts, strict=False)]
    index = CapabilityIndex(snapshots)
    for done in range(1, len(steps) + 1):
        stepwise = fold_in_steps(SessionFold(SESSION, index, mode=mode), steps[:done])
        whole = fold(SESSION, in_order[: cuts[done - 1]], index, mode=mode)
        assert comparable(stepwise) == comparable(whole)


@given(arrivals(), st.lists(capabilities, max_size=8))
def test_a_signal_from_before_the_last_is_turned_away_and_leaves_no_trace(
    signals: Sequence[Signal], snapshots: list[Capability]
) -> None:
    index = CapabilityIndex(snapshots)
    folding, taken_in = SessionFold(SESSION, index), []
    for signal in signals:
        older = folding.last is not None and order(signal) < order(folding.last)
        assert folding.apply(signal) is not older
        if not older:
            taken_in.append(signal)
    assert comparable(folding.take()) == comparable(fold(SESSION, taken_in, index))
    assert folding.take() == Facts()


@given(arrivals(), st.lists(capabilities, max_size=8))
def test_rows_agree_with_each_other(signals: Sequence[Signal], snapshots: list[Capability]) -> None:
    facts = fold(SESSION, signals, CapabilityIndex(snapshots))
    session, segments = facts.session, facts.segments
    assert session is not None
    distinct = {(signal.kind, signal.source_event_uid) for signal in signals}
    kinds = [kind for kind, _ in distinct]
    assert session.event_count == len(facts.coverage) == len(distinct)
    assert session.status_sample_count == len(facts.status_samples) == kinds.count(SignalKind.STATUS)
    assert len(facts.trace_edges) == kinds.count(SignalKind.TRACE)

    assert [segment.segment_index for segment in segments] == list(range(len(segments)))
    assert segments[0].segment_start_ts == min(signal.signal_ts for signal in signals)
    for one, following in pairwise(segments):
        assert one.segment_end_ts == following.segment_start_ts
        assert one.orchestrator_address not in ("", following.orchestrator_address)
    last = segments[-1]
    assert (last.orchestrator_address, last.orchestrator_url) == (
        session.orchestrator_address,
        session.orchestrator_url,
    )
    assert (last.model_id, last.gpu_id) == (session.model_id, session.gpu_id)
    orchestrators = {segment.orchestrator_address for segment in segments} - {""}
    assert session.inferred_orchestrator_change_count == max(0, len(orchestrators) - 1)

    outcomes = [session.startup_success, session.startup_excused, session.startup_unexcused]
    assert sum(outcomes) == 1 if session.known_stream else not any(outcomes[1:])
    for row in [*facts.status_samples, *facts.trace_edges]:
        assert (row.orchestrator_address in orchestrators) is bool(row.is_attributed)


def test_nothing_in_nothing_out() -> None:
    assert fold(SESSION, [], CapabilityIndex()) == Facts()


@pytest.mark.parametrize("waiting", [0, 5000])
def test_the_rows_that_wait_are_answered_once_until_they_are_settled(waiting: int) -> None:
    """Otherwise each take would cost as much as the session is long."""
    folding = SessionFold(SESSION, CapabilityIndex())
    for time in range(waiting + 1):
        folding.apply(Signal(kind=SignalKind.STATUS, signal_ts=time, event_timestamp=time, source_event_uid=str(time)))
    assert len(folding.take().status_samples) == waiting + 1
    folding.apply(Signal(kind=SignalKind.STATUS, signal_ts=waiting + 1, event_timestamp=0, source_event_uid="last"))
    assert [sample.source_event_uid for sample in folding.take().status_samples] == ["last"]
