"""docs/sessions.md against the rules there are."""

from __future__ import annotations

import re
from pathlib import Path

from lpa_core.lifecycle.attribution import method
from lpa_core.lifecycle.capabilities import TTL_MS, CapabilityIndex
from lpa_core.lifecycle.fold import fold
from lpa_core.lifecycle.session import EXCUSABLE_ERRORS
from lpa_core.testing.lifecycle import Story

PAGE = (Path(__file__).parents[1] / "docs" / "sessions.md").read_text()


def test_the_methods_are_documented_with_their_confidence() -> None:
    documented = re.findall(r"^\| `(\w+)` \| ([01]\.\d) \|", PAGE, re.MULTILINE)
    chosen = [method(snapshot, TTL_MS * 2) for snapshot in (TTL_MS * 2, TTL_MS, TTL_MS * 3, 0)]
    assert documented == [(name, str(confidence)) for name, confidence in chosen] + [
        ("ambiguous", "0.0"),
        ("none", "0.0"),
        ("segment_window_join", "1.0"),
    ]


def test_the_excusable_errors_are_documented_and_no_others() -> None:
    (sentence,) = re.findall(r"^An error is excusable[^.]*\.", PAGE, re.MULTILINE)
    assert re.findall(r"`([^`]+)`", sentence) == list(EXCUSABLE_ERRORS)


def test_the_reasons_of_coverage_are_documented_and_no_others() -> None:
    request, processed, playable, close = (
        "gateway_receive_stream_request",
        "gateway_receive_first_processed_segment",
        "gateway_receive_few_processed_segments",
        "gateway_ingest_stream_closed",
    )
    reasons = set()
    for traces in ([close], [request, close], [request, processed, close], [request, processed, playable, close]):
        story = Story()
        for time, trace in enumerate(traces):
            story.trace(time, trace)
        reasons |= {row.unmatched_reason for row in fold("s", story.signals, CapabilityIndex()).coverage}
    (table,) = re.findall(r"^\| `unmatched_reason`.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", table)) == reasons - {""}
