"""What every attribution policy must do, as tests.

Subclass in a test module and say how a policy is made::

    class TestMyPolicy(AttributionPolicyContract):
        @pytest.fixture
        def make_policy(self) -> Callable[[], AttributionPolicy]:
            return MyPolicy
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Final

import pytest

from lpa_core.lifecycle.attribution import Attribution, AttributionPolicy
from lpa_core.lifecycle.capabilities import Capability, CapabilityIndex

NOON: Final = 1_767_873_600_000
HOUR: Final = 3_600_000

SNAPSHOTS: Final = tuple(
    Capability(NOON + hours * HOUR, f"event {hours}", canonical, "0xhot", url, "live-video", model, gpu)
    for hours, (canonical, url, model, gpu) in enumerate(
        [
            ("0xcan1", "https://one", "sdxl", "GPU-1"),
            ("0xcan1", "https://one", "llama", "GPU-2"),
            ("0xcan2", "https://two", "sdxl", None),
            ("", "", "", None),
        ],
        start=-2,
    )
)
QUESTIONS: Final = tuple(
    (wallet, model, url, gpu, NOON + hours * HOUR)
    for wallet, model, url, gpu, hours in product(
        ("0xhot", "0xcan1", "0xnobody"), ("", "sdxl", "other"), ("", "https://two"), ("", "GPU-1"), (-3, 0, 30)
    )
)


class AttributionPolicyContract:
    """For every policy: facts are a function of stored data, and so is what a policy chooses."""

    @pytest.fixture
    def make_policy(self) -> Callable[[], AttributionPolicy]:
        raise NotImplementedError("override the fixture make_policy")

    def test_it_chooses_nothing_of_nothing(self, make_policy: Callable[[], AttributionPolicy]) -> None:
        policy, nothing = make_policy(), CapabilityIndex([])
        assert {policy.select(nothing, *question) for question in QUESTIONS} == {None}

    def test_it_chooses_what_is_there(self, make_policy: Callable[[], AttributionPolicy]) -> None:
        policy, index = make_policy(), CapabilityIndex(SNAPSHOTS)
        times = {snapshot.snapshot_ts for snapshot in SNAPSHOTS}
        for question in QUESTIONS:
            found = policy.select(index, *question)
            assert found is None or isinstance(found, Attribution), question
            if found is not None:
                assert found.snapshot_ts in times, question
                assert 0 <= found.confidence <= 1, question
                assert found.method, question

    def test_what_was_asked_before_changes_nothing(self, make_policy: Callable[[], AttributionPolicy]) -> None:
        policy, index = make_policy(), CapabilityIndex(SNAPSHOTS)
        first = [_chosen(policy, index, question) for question in QUESTIONS]
        again = [_chosen(policy, index, question) for question in reversed(QUESTIONS)]
        other = [_chosen(make_policy(), CapabilityIndex(SNAPSHOTS), question) for question in QUESTIONS]
        assert first == again[::-1] == other

    def test_the_order_in_which_snapshots_came_changes_nothing(
        self, make_policy: Callable[[], AttributionPolicy]
    ) -> None:
        answers = [
            [_chosen(make_policy(), CapabilityIndex(snapshots), question) for question in QUESTIONS]
            for snapshots in (SNAPSHOTS, SNAPSHOTS[::-1], (*SNAPSHOTS, *SNAPSHOTS))
        ]
        assert answers[0] == answers[1] == answers[2]


def _chosen(
    policy: AttributionPolicy, index: CapabilityIndex, question: tuple[str, str, str, str, int]
) -> tuple[object, ...] | None:
    """What a policy chose, by value."""
    found = policy.select(index, *question)
    if found is None:
        return None
    offer = found.offer
    named = offer.canonical, offer.url, offer.pipeline, offer.model_id, offer.gpu_id
    return *named, found.snapshot_ts, found.method, found.confidence
