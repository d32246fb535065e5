"""Hypothesis strategies for all that may happen to a session: ties, copies, shared wallets, stale snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from lpa_core.lifecycle.capabilities import TTL_MS, Capability
from lpa_core.lifecycle.signals import Signal, SignalKind, TraceType

NOON = 1_767_873_600_000
"""The time around which everything happens, in epoch ms."""

_OFFSETS = (0, 1, 1000, 60_000, TTL_MS - 1, TTL_MS, TTL_MS + 1, 2 * TTL_MS)

times = st.integers(-5, 5).map(lambda steps: NOON + steps * 500) | st.builds(
    lambda offset, side: NOON + offset * side, st.sampled_from(_OFFSETS), st.sampled_from((-1, 1))
)
"""Often the same, often on one side or the other of the edge of freshness."""

wallets = st.sampled_from(("0xhot1", "0xhot2", "0xcan1", "0xcan2", "0xcan3", ""))
models = st.sampled_from(("sdxl", "SDXL", "llama", ""))
urls = st.sampled_from(("https://one", "https://two", ""))
gpus = st.sampled_from(("GPU-1", "GPU-2", ""))

capabilities = st.builds(
    Capability,
    snapshot_ts=times,
    source_event_id=st.sampled_from(("a", "b")),
    canonical=st.sampled_from(("0xcan1", "0xCAN1", "0xcan2", "0xcan3", "")),
    local=st.sampled_from(("0xhot1", "0xhot2", "0xcan1", "")),
    url=urls,
    pipeline=st.sampled_from(("live-video-to-video", "sdxl", "")),
    model_id=models,
    gpu_id=gpus | st.none(),
)
"""Snapshots of few wallets, so that they meet in every way."""

_STATUS = st.fixed_dictionaries(
    {
        "kind": st.just(SignalKind.STATUS),
        "pipeline": models,
        "orchestrator_address": wallets,
        "orchestrator_url": urls,
        "state": st.sampled_from(("ONLINE", "LOADING", "loading", "")),
        "output_fps": st.sampled_from((0.0, 15.5)),
        "last_error": st.sampled_from((None, " ", "OOM")),
        "start_time": st.none() | st.just(0) | times,
    }
)
_TRACE = st.fixed_dictionaries(
    {
        "kind": st.just(SignalKind.TRACE),
        "trace_type": st.sampled_from([*(trace_type.value for trace_type in TraceType), "runner_other", "odd"]),
        "orchestrator_address": wallets,
        "orchestrator_url": urls,
    }
)
_AI_EVENT = st.fixed_dictionaries(
    {
        "kind": st.just(SignalKind.AI_EVENT),
        "pipeline": models,
        "ai_event_type": st.sampled_from(("error", "Params_Update", "other")),
        "message": st.sampled_from(("WHIP disconnected", "CUDA out of memory", "")),
    }
)


@st.composite
def arrivals(draw: st.DrawFn, max_size: int = 12) -> Sequence[Signal]:
    """Signals of one session in the order of their arrival, which may be any; some arrive again, elsewhere."""
    told: list[tuple[dict[str, Any], int]] = draw(
        st.lists(st.tuples(_STATUS | _TRACE | _AI_EVENT, times), min_size=1, max_size=max_size)
    )
    signals = [
        Signal(
            signal_ts=time,
            event_timestamp=time,
            topic="events",
            partition=number % 2,
            offset=number,
            stream_id="stream",
            request_id="request",
            gateway="" if number % 3 else "gateway",
            source_event_uid=f"uid-{number}",
            **values,
        )
        for number, (values, time) in enumerate(told)
    ]
    copied = draw(st.lists(st.sampled_from(signals), max_size=3))
    copies = [replace(signal, offset=1000 + number) for number, signal in enumerate(copied)]
    return draw(st.permutations(signals + copies))
