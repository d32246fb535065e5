"""The chosen snapshot, against docs/spec/lifecycle.md section 5: by table, and over all candidates one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lpa_core.errors import ContractError
from lpa_core.events.coercion import address
from lpa_core.lifecycle.attribution import NearestSnapshot
from lpa_core.lifecycle.attribution_state import AttributionStatus, attributed, unattributed
from lpa_core.lifecycle.capabilities import TTL_MS, Capability, CapabilityIndex
from lpa_core.lifecycle.fold import fold
from lpa_core.testing.lifecycle import Story
from lpa_core.testing.lifecycle_strategies import NOON, capabilities, gpus, models, times, urls, wallets

DAY = 86_400_000
PRIOR, WITHIN = ("nearest_prior_snapshot", 0.9), ("nearest_snapshot_within_ttl", 0.7)
EXACT, STALE = ("exact_orchestrator_time_match", 1.0), ("proxy_address_join", 0.4)


def cap(
    shift: int,
    model: str = "sdxl",
    url: str = "",
    gpu: str | None = None,
    canonical: str = "0xCAN1",
    local: str = "0xHOT1",
) -> Capability:
    """A snapshot ``shift`` milliseconds after noon."""
    return Capability(NOON + shift, f"event{shift}", canonical, local, url, "live-video-to-video", model, gpu)


def who(shift: int, url: str) -> Capability:
    """An identity row: someone answered, and offered nothing."""
    return Capability(NOON + shift, f"event{shift}", "0xCAN1", "0xHOT1", url, "", "", None)


def select(
    snapshots: Sequence[Capability], wallet: str = "0xhot1", model: str = "", url: str = "", gpu: str = ""
) -> tuple[Capability, tuple[str, float]] | None:
    """What a signal at noon is attributed to."""
    found = NearestSnapshot().select(CapabilityIndex(snapshots), wallet, model, url, gpu, NOON)
    if found is None:
        return None
    (chosen,) = {
        snapshot.snapshot_ts: snapshot
        for snapshot in snapshots
        if (snapshot.snapshot_ts, snapshot.model_id, snapshot.url, snapshot.gpu_id or "", address(snapshot.canonical))
        == (found.snapshot_ts, found.offer.model_id, found.offer.url, found.offer.gpu_id, found.offer.canonical)
    }.values()
    return chosen, (found.method, found.confidence)


A, B = cap(-3_600_000, model="streamdiffusion-sdxl"), cap(0, model="llama")
"""A wallet that serves two models."""

CHOSEN = {
    "nothing known": ([], {}, None),
    "another wallet": ([cap(0)], {"wallet": "0xhot2"}, None),
    "the canonical wallet finds it too": ([cap(0)], {"wallet": "0xcan1"}, (0, EXACT)),
    # method and confidence, L13
    "at the time": ([cap(0)], {}, (0, EXACT)),
    "before": ([cap(-1)], {}, (0, PRIOR)),
    "a day before": ([cap(-DAY)], {}, (0, PRIOR)),
    "a day and a bit before": ([cap(-DAY - 1)], {}, (0, STALE)),
    "after": ([cap(1)], {}, (0, WITHIN)),
    "a day after": ([cap(DAY)], {}, (0, WITHIN)),
    "a day and a bit after": ([cap(DAY + 1)], {}, (0, STALE)),
    # compatibility, L11
    "another model is passed over however near": ([A, B], {"model": "streamdiffusion-sdxl"}, (0, PRIOR)),
    "no hint takes the nearest of any model": ([A, B], {}, (1, EXACT)),
    "models compare without case and spaces": ([A, B], {"model": " StreamDiffusion-SDXL "}, (0, PRIOR)),
    "a blank hint is none": ([A, B], {"model": "  "}, (1, EXACT)),
    "no snapshot of the model": ([A, B], {"model": "flux"}, None),
    "a snapshot without a model serves any": ([cap(0, model=" ")], {"model": "flux"}, (0, EXACT)),
    "the model itself comes before no model": ([cap(0, model=""), cap(-DAY - 1)], {"model": "sdxl"}, (1, STALE)),
    # ambiguity, L12
    "two orchestrators behind a wallet": ([cap(-2), cap(-1, canonical="0xcan2")], {}, None),
    "the URL decides between them": (
        [cap(-2, url="u1"), cap(-1, url="u2", canonical="0xcan2")],
        {"url": "u1"},
        (0, PRIOR),
    ),
    "one of them stale": ([cap(-2), cap(-25 * 3_600_000, canonical="0xcan2")], {}, (0, PRIOR)),
    "one of them later": ([cap(-2), cap(DAY, canonical="0xcan2")], {}, None),
    "one of them too late": ([cap(-2), cap(DAY + 1, canonical="0xcan2")], {}, (0, PRIOR)),
    "one of them with another model": (
        [cap(-2), cap(-1, canonical="0xcan2", model="llama")],
        {"model": "sdxl"},
        (0, PRIOR),
    ),
    "both stale": ([cap(-DAY - 2), cap(-DAY - 1, canonical="0xcan2")], {}, (1, STALE)),
    "one orchestrator in two spellings": ([cap(-2), cap(-1, canonical="0xcan1", model="SDXL")], {}, (1, PRIOR)),
    "one without a canonical wallet": ([cap(-2), cap(-1, canonical=" ")], {}, (1, PRIOR)),
    "of the other wallet's own name there is only one": (
        [cap(-2), cap(-1, canonical="0xcan2")],
        {"wallet": "0xcan1"},
        (0, PRIOR),
    ),
    # order
    "the URL comes before the GPU": (
        [cap(-1, gpu="GPU-1"), cap(-2, url="https://one")],
        {"url": " HTTPS://one/", "gpu": "gpu-1"},
        (1, PRIOR),
    ),
    # docs/spec/producers.md section 5
    "the URL decides whatever wallet is named": ([cap(-2, url="u1/")], {"wallet": "0xnobody", "url": "U1"}, (0, PRIOR)),
    "the URL decides without a wallet": ([cap(-2, url="u1")], {"wallet": "", "url": "u1"}, (0, PRIOR)),
    "a known wallet does not help a URL that nobody has": ([cap(-2, url="u1")], {"url": "u2"}, None),
    "only one slash is passed over": ([cap(-2, url="u1//")], {"url": "u1"}, None),
    "a URL of blanks is none": ([cap(-2, url="u1")], {"url": " \t"}, (0, PRIOR)),
    "another model at the URL is passed over": (
        [cap(-2, url="u1"), cap(-1, url="u1", model="m")],
        {"url": "u1", "model": "sdxl"},
        (0, PRIOR),
    ),
    "no other model at the URL is fallen back to": ([cap(-2, url="u1")], {"url": "u1", "model": "flux"}, None),
    "two operators at a URL whose times overlap": (
        [cap(-9, url="u1"), cap(-5, url="u1", canonical="0xcan2"), cap(-1, url="u1")],
        {"url": "u1"},
        None,
    ),
    "two operators at a URL at one time": (
        [cap(-5, url="u1"), cap(-5, url="u1", canonical="0xcan2")],
        {"url": "u1"},
        None,
    ),
    "an operator who moved is the nearest before": (
        [cap(-9, url="u1", gpu="a"), cap(-8, url="u1", gpu="a"), cap(-2, url="u1", gpu="b", canonical="0xcan2")],
        {"url": "u1", "gpu": "a"},
        (2, PRIOR),
    ),
    "an operator who will move is still there": (
        [cap(-9, url="u1"), cap(2, url="u1", canonical="0xcan2")],
        {"url": "u1"},
        (0, PRIOR),
    ),
    "an operator who moved is ambiguous by wallet": ([cap(-9), cap(-2, canonical="0xcan2")], {}, None),
    "times overlap by what lies beyond a day": (
        [
            cap(-2 * DAY, url="u1"),
            cap(-3, url="u1", canonical="0xcan2"),
            cap(-2, url="u1"),
            cap(-3 * DAY, url="u1", canonical="0xcan2"),
        ],
        {"url": "u1"},
        None,
    ),
    "who offers nothing is found by URL": ([who(-2, url="u1")], {"url": "u1", "model": "sdxl"}, (0, PRIOR)),
    "who offers nothing comes after any offer": ([who(-1, url="u1"), cap(-2, url="u1")], {"url": "u1"}, (1, PRIOR)),
    "who offers nothing comes in if all offers are of another model": (
        [who(-1, url="u1"), cap(-2, url="u1")],
        {"url": "u1", "model": "flux"},
        (0, PRIOR),
    ),
    "who offers nothing is not found by wallet": ([who(-1, url="u1")], {}, None),
    "the GPU comes before freshness": ([cap(0), cap(-DAY - 1, gpu="GPU-1")], {"gpu": "gpu-1 "}, (1, STALE)),
    "a prior one comes before a nearer later one": ([cap(-1000, gpu="a"), cap(1, gpu="b")], {}, (0, PRIOR)),
    "a later one comes before a stale one": ([cap(-DAY - 1, gpu="a"), cap(DAY, gpu="b")], {}, (1, WITHIN)),
    "a stale prior one comes before a nearer stale later one": (
        [cap(-DAY - 9, gpu="a"), cap(DAY + 1, gpu="b")],
        {},
        (0, STALE),
    ),
    "a prior one at the edge of freshness comes before a later one": ([cap(-DAY), cap(1)], {}, (0, PRIOR)),
    "a later one at the edge of freshness comes before a stale one": ([cap(-DAY - 1), cap(DAY)], {}, (1, WITHIN)),
    "the nearer one": ([cap(-2, gpu="a"), cap(-1, gpu="b")], {}, (1, PRIOR)),
    "of one time the least model": ([cap(-1, model="b"), cap(-1, model="A")], {}, (1, PRIOR)),
    "then the least URL": ([cap(-1, url="b", gpu="a"), cap(-1, url="A", gpu="b")], {}, (1, PRIOR)),
    "then the least GPU": ([cap(-1, gpu="b"), cap(-1, gpu="A")], {}, (1, PRIOR)),
    "a blank GPU comes before letters": ([cap(-1, gpu="b"), cap(-1)], {}, (1, PRIOR)),
}


@pytest.mark.parametrize(("snapshots", "asked", "expected"), CHOSEN.values(), ids=CHOSEN.keys())
def test_the_snapshot_that_is_chosen(
    snapshots: list[Capability], asked: dict[str, str], expected: tuple[int, tuple[str, float]] | None
) -> None:
    answer = select(snapshots, **asked)
    assert answer == (expected and (snapshots[expected[0]], expected[1]))
    assert select(snapshots[::-1], **asked) == answer


def test_more_than_32_snapshots_of_a_wallet_all_count() -> None:
    snapshots = [cap(-minute * 60_000, model="llama" if minute < 40 else "sdxl") for minute in range(50)]
    answer = select(snapshots, model="sdxl")
    assert answer is not None
    assert answer[0].snapshot_ts == NOON - 40 * 60_000


def test_an_old_snapshot_that_comes_late_drives_none_out() -> None:
    index = CapabilityIndex([cap(-1)])
    index.add(cap(-10 * DAY))
    found = NearestSnapshot().select(index, "0xhot1", "", "", "", NOON)
    assert found is not None
    assert found.snapshot_ts == NOON - 1


def test_a_snapshot_that_names_no_wallet_is_passed_over() -> None:
    assert not CapabilityIndex().add(cap(0, canonical=" ", local=""))


def test_a_new_offer_counts_at_once() -> None:
    policy, index = NearestSnapshot(), CapabilityIndex([cap(-2)])
    assert policy.select(index, "0xhot1", "sdxl", "", "GPU-1", NOON) is not None
    index.add(cap(-1, gpu="GPU-1"))
    found = policy.select(index, "0xhot1", "sdxl", "", "GPU-1", NOON)
    assert found is not None
    assert found.offer.gpu_id == "GPU-1"


def test_a_snapshot_that_is_there_already_adds_nothing() -> None:
    index = CapabilityIndex([cap(0)])
    assert [index.add(cap(0)), index.add(cap(1)), index.add(cap(1))] == [False, True, False]


def normal(text: str | None) -> str:
    return (text or "").strip().lower() or "__empty__"


def is_identity(one: Capability) -> bool:
    return not (one.pipeline or one.model_id or one.gpu_id)


def as_specified(
    snapshots: list[Capability], wallet: str, model: str, url: str, gpu: str, time: int
) -> tuple[object, ...] | None:
    """Sections 5 and 5.2 to the letter: the minimum over all candidates."""
    named = [one for one in snapshots if one.canonical or one.local]
    if url:
        bucket = [one for one in named if one.url == url]
    else:
        bucket = [one for one in named if wallet and wallet in (address(one.canonical), address(one.local))]
    compatible = [
        one
        for one in bucket
        if not is_identity(one)
        and (not model.strip() or not one.model_id.strip() or normal(one.model_id) == normal(model))
    ]
    if url and not compatible:
        compatible = [one for one in bucket if is_identity(one)]
    near = {address(one.canonical) for one in compatible if abs(time - one.snapshot_ts) <= TTL_MS} - {""}
    if len(near) > 1:
        times = {who: [one.snapshot_ts for one in compatible if address(one.canonical) == who] for who in near}
        if not url or any(
            max(times[one]) >= min(times[other]) and max(times[other]) >= min(times[one])
            for one, other in combinations(near, 2)
        ):
            return None
        before = [(time - ts, who) for who, all_ in times.items() for ts in all_ if 0 <= time - ts <= TTL_MS]
        after = [(ts - time, who) for who, all_ in times.items() for ts in all_ if 0 <= ts - time <= TTL_MS]
        _, chosen = min(before or after)
        compatible = [one for one in compatible if address(one.canonical) == chosen]

    def rank(one: Capability) -> tuple[object, ...]:
        distance = abs(time - one.snapshot_ts)
        prior, fresh = one.snapshot_ts <= time, distance <= TTL_MS
        freshness = (
            0
            if distance == 0
            else {(True, True): 1, (False, True): 2, (True, False): 3, (False, False): 4}[prior, fresh]
        )
        return (
            int(not (model.strip() and normal(one.model_id) == normal(model))),
            int(not (gpu.strip() and normal(one.gpu_id) == normal(gpu))),
            freshness,
            distance,
            -one.snapshot_ts,
            normal(one.model_id),
            normal(one.url),
            normal(one.gpu_id),
        )

    return min(map(rank, compatible), default=None)


@given(st.lists(capabilities, max_size=12), wallets, models, urls, gpus, times)
@example([cap(0), cap(-DAY - 1)], "0xhot1", "", "", "", NOON + DAY)
def test_the_choice_is_the_minimum_over_all_candidates(
    snapshots: list[Capability], wallet: str, model: str, url: str, gpu: str, time: int
) -> None:
    found = NearestSnapshot().select(CapabilityIndex(snapshots), wallet, model, url, gpu, time)
    expected = as_specified(snapshots, wallet, model, url, gpu, time)
    if found is None or expected is None:
        assert found is None
        assert expected is None
        return
    offer = found.offer
    assert expected[4:] == (-found.snapshot_ts, normal(offer.model_id), normal(offer.url), normal(offer.gpu_id))


HOT = "0xhot1"
OTHER_URLS = ("https://one", "https://two", "https://three")


@given(
    st.lists(st.tuples(st.integers(0, 2), times, models), min_size=1, max_size=12),
    st.sampled_from(("", *OTHER_URLS)),
    models,
    times,
)
def test_of_three_orchestrators_behind_one_wallet_never_the_wrong_one_is_chosen(
    offered: list[tuple[int, int, str]], url: str, model: str, time: int
) -> None:
    """Each at a URL of its own: a URL decides, and without one two that were seen near are ambiguous."""
    snapshots = [
        Capability(at, "e", f"0xcan{number}", HOT, OTHER_URLS[number], "live", offer, f"GPU-{number}")
        for number, at, offer in offered
    ]
    index = CapabilityIndex(snapshots)
    found = NearestSnapshot().select(index, HOT, model, url, "", time)
    state = unattributed(index, HOT, model, url, time) if found is None else attributed(found, time)
    if url:
        assert found is None or found.offer.url == url
        assert state.status is not AttributionStatus.AMBIGUOUS
        return
    near = {
        number
        for number, at, offer in offered
        if abs(time - at) <= TTL_MS and (not model or not offer or normal(model) == normal(offer))
    }
    if len(near) > 1:
        assert state.status is AttributionStatus.AMBIGUOUS
        assert state.candidates == ",".join(sorted(f"0xcan{number}@{OTHER_URLS[number]}" for number in near))
    elif near and state.status is not AttributionStatus.STALE:
        assert found is not None
        assert found.offer.canonical in {f"0xcan{number}" for number in near}


STATES = {
    "matched": ([cap(-1, gpu="GPU-1")], {}, ("resolved", "matched", "")),
    "without a GPU": ([cap(-1)], {}, ("hardware_less", "matched_without_hardware", "")),
    "beyond a day": ([cap(-DAY - 1, gpu="GPU-1")], {}, ("stale", "stale_candidate", "")),
    "beyond a day ahead, without a GPU": ([cap(DAY + 1)], {}, ("stale", "stale_candidate", "")),
    "several": (
        [cap(-1, url="https://B/"), cap(-2, url="https://a", canonical="0xcan2")],
        {},
        ("ambiguous", "ambiguous_candidates", "0xcan1@https://b,0xcan2@https://a"),
    ),
    "one of several near": (
        [cap(-1), cap(-2, canonical="0xcan2"), cap(-DAY - 1, url="https://old")],
        {},
        ("ambiguous", "ambiguous_candidates", "0xcan1@,0xcan2@"),
    ),
    "nine": (
        [cap(-1, canonical=f"0xcan{number}") for number in range(9)],
        {},
        ("ambiguous", "ambiguous_candidates", ",".join(f"0xcan{number}@" for number in range(8))),
    ),
    "nobody": ([], {}, ("unresolved", "missing_candidate", "")),
    "nobody at the URL": ([], {"url": "u1"}, ("unresolved", "missing_candidate", "")),
    "another model": ([cap(-1)], {"model": "flux"}, ("unresolved", "missing_candidate", "")),
    "another model at the URL": (
        [cap(-1, url="u1")],
        {"model": "m", "url": "u1"},
        ("unresolved", "missing_candidate", ""),
    ),
    "the proxy of others": (
        [cap(-1, url="u1")],
        {"url": "u2"},
        ("unresolved", "missing_uri_snapshot_local_alias_present", ""),
    ),
    "the wallet of others": (
        [cap(-1, url="u1")],
        {"url": "u2", "wallet": "0xcan1"},
        ("unresolved", "missing_uri_snapshot_address_match_present", ""),
    ),
}


@pytest.mark.parametrize(("snapshots", "asked", "expected"), STATES.values(), ids=STATES.keys())
def test_status_reason_and_candidates(
    snapshots: list[Capability], asked: dict[str, str], expected: tuple[str, str, str]
) -> None:
    index = CapabilityIndex(snapshots)
    wallet, model, url = asked.get("wallet", "0xhot1"), asked.get("model", ""), asked.get("url", "")
    found = NearestSnapshot().select(index, wallet, model, url, "", NOON)
    state = unattributed(index, wallet, model, url, NOON) if found is None else attributed(found, NOON)
    assert state == expected


@pytest.mark.parametrize(("capability", "gpu"), [("chat", "GPU-2"), (" CHAT", "GPU-2"), ("", "GPU-1"), ("img", None)])
def test_offers_of_a_byoc_job_are_those_of_its_capability(capability: str, gpu: str | None) -> None:
    chat = attrs.evolve(cap(-2, gpu="GPU-2"), pipeline="Chat")
    found = NearestSnapshot().select(
        CapabilityIndex([cap(-1, gpu="GPU-1"), chat]), "0xhot1", "", "", "", NOON, capability
    )
    assert (found and found.offer.gpu_id) == gpu


@pytest.mark.parametrize(("wallet", "mismatch"), [("0xhot1", False), ("0xcan1", False), ("0xother", True), ("", False)])
def test_a_wallet_that_nobody_at_the_url_has_is_told(wallet: str, mismatch: bool) -> None:
    found = NearestSnapshot().select(CapabilityIndex([cap(-1, url="u1")]), wallet, "", "u1", "", NOON)
    assert found is not None
    assert found.names_another_wallet is mismatch


class Wrong:
    """A policy that does what no policy may."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer

    def select(self, capabilities: CapabilityIndex, wallet: str, model: str, url: str, gpu: str, time: int) -> Any:
        return self._answer()


@pytest.mark.parametrize(
    ("answer", "did"),
    [
        (dict, "returned a dict"),
        (lambda: ("snapshot", 5), "returned a tuple"),
        (lambda: 1 / 0, "raised ZeroDivisionError: division by zero"),
    ],
)
def test_failure_30_a_policy_that_breaks_its_contract_is_named(answer: Callable[[], Any], did: str) -> None:
    story = Story()
    story.trace(NOON, "gateway_receive_stream_request", orchestrator_address="0xhot")
    with pytest.raises(ContractError, match=rf"test_attribution\.Wrong\.select {did}: it must return an Attribution"):
        fold("s", story.signals, CapabilityIndex([]), Wrong(answer))
