from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpa_core.dedup.key import canonical_json, payload_hash
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.records import Position

PAGE = Path(__file__).parents[4] / "docs" / "dedup-key.md"
VECTOR = re.compile(
    r"^### (?P<title>.+)\n\n```json\n(?P<event>.+?)\n```\n\n```text\n(?P<text>.+)\n```\n\n`(?P<key>[0-9a-f]{64})`$",
    re.MULTILINE | re.DOTALL,
)
VECTORS = [
    pytest.param(event, text, key, id=title)
    for section in re.split(r"^(?=### )", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    for title, event, text, key in VECTOR.findall(section)
]

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda members: st.lists(members, max_size=4) | st.dictionaries(st.text(), members, max_size=4),
    max_leaves=20,
)


def test_the_page_has_vectors() -> None:
    assert len(VECTORS) == PAGE.read_text(encoding="utf-8").count("\n### ") >= 6


@pytest.mark.parametrize(("event", "text", "key"), VECTORS)
def test_a_published_vector(event: str, text: str, key: str) -> None:
    event_type, *dimensions, document = text.split("|", 4)
    orchestrator, broadcaster, region = (None if name == "null" else name for name in dimensions)
    assert canonical_json(json.loads(document)) == document
    assert payload_hash(event_type, orchestrator, broadcaster, region, json.loads(event)) == key
    assert sha256(text.encode()).hexdigest() == key


@pytest.mark.parametrize(("event", "text", "key"), VECTORS)
def test_a_published_vector_through_the_pipeline(event: str, text: str, key: str) -> None:
    verdict = Pipeline(BUILTIN_EVENT_TYPES).process(event.encode(), Position("events", 0, 0))
    assert isinstance(verdict, Accepted)
    assert (verdict.dedup_key, verdict.dedup_strategy) == (key, "payload_hash")


@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(document: Any, random: Any) -> None:
    assert canonical_json(shuffled(document, random)) == canonical_json(document)


@given(DOCUMENTS)
def test_the_text_reads_back_equal(document: Any) -> None:
    text = canonical_json(document)
    assert canonical_json(json.loads(text)) == text
    assert repr(json.loads(text)) == repr(with_sorted_keys(document))


@given(DOCUMENTS)
def test_keys_stand_in_code_point_order(document: Any) -> None:
    for keys in key_lists(json.loads(canonical_json(document))):
        assert [list(map(ord, key)) for key in keys] == sorted(list(map(ord, key)) for key in keys)


@settings(max_examples=30)
@given(DOCUMENTS)
def test_nesting_deeper_than_the_interpreter_goes_changes_nothing(document: Any) -> None:
    """A decoder that is called from fewer frames lets some of it through."""
    flat = canonical_json(document)
    depth = sys.getrecursionlimit()
    deep = document
    for _ in range(depth):
        deep = {"a": [0, deep]}
    assert canonical_json(deep) == '{"a":[0,' * depth + flat + "]}" * depth


def test_whatever_the_decoder_lets_through_has_a_key() -> None:
    for depth in range(sys.getrecursionlimit() - 200, sys.getrecursionlimit()):
        text = '{"a":' * depth + "1" + "}" * depth
        try:
            document = msgspec.json.decode(text)
        except RecursionError:
            break
        assert canonical_json(document) == text


def test_replay_marks_are_removed_at_the_root_only() -> None:
    event = {"a": 1, "data": {"__replay": True}}
    marked = {"__replay": True, "__replay_ts": 1, "__replay_of_a_later_release": [], **event}
    key = payload_hash("t", None, None, None, event)
    assert payload_hash("t", None, None, None, marked) == key
    assert payload_hash("t", None, None, None, {"a": 1, "data": {}}) != key
    assert marked["__replay"] is True


@pytest.mark.parametrize("changed", range(5))
def test_every_part_counts(changed: int) -> None:
    parts: list[Any] = ["t", "o", "b", "r", {"a": 1}]
    key = payload_hash(*parts)
    parts[changed] = {"a": 1.0} if changed == 4 else "x"
    assert payload_hash(*parts) != key


def shuffled(document: Any, random: Any) -> Any:
    if isinstance(document, list):
        return [shuffled(member, random) for member in document]
    if isinstance(document, dict):
        members = [(key, shuffled(value, random)) for key, value in document.items()]
        random.shuffle(members)
        return dict(members)
    return document


def with_sorted_keys(document: Any) -> Any:
    if isinstance(document, list):
        return [with_sorted_keys(member) for member in document]
    if isinstance(document, dict):
        return {key: with_sorted_keys(document[key]) for key in sorted(document)}
    return document


def key_lists(document: Any) -> Iterator[list[str]]:
    if isinstance(document, dict):
        yield list(document)
    for member in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        yield from key_lists(member)
