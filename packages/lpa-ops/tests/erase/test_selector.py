"""Which records a path and a value choose."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.pipeline.masking import NOTHING_MASKED, Masking
from lpa_ops.erase.selector import Selector

texts = st.text(min_size=1, max_size=6).filter(str.strip)
documents = st.recursive(
    st.none() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=10,
)


def at(value: Any, *path: str) -> list[Any]:
    if isinstance(value, list):
        return [found for item in value for found in at(item, *path)]
    if not path:
        return [value]
    return at(value[path[0]], *path[1:]) if isinstance(value, dict) and path[0] in value else []


@given(documents, texts, st.booleans())
def test_a_record_is_taken_if_and_only_if_it_has_the_value_at_the_path(document: Any, value: str, plain: bool) -> None:
    selector = Selector.of("a.b", value, NOTHING_MASKED)
    payload = json.dumps(document, ensure_ascii=plain)
    has = value in [each for each in at(document, "a", "b") if isinstance(each, str)]
    has = has or value in [str(each) for each in at(document, "a", "b") if isinstance(each, int)]
    assert selector.takes(payload.encode()) is has
    if has:
        assert any(needle in payload for needle in selector.needles), "the database would not have found it"


@pytest.mark.parametrize(
    "payload",
    [
        b'{"data":{"ip":"10.0.0.1"}}',
        b'{"data":{"ip":"10\\u002e0.0.1"}}',
        b'{"data":[{"ip":"9"},{"ip":"10.0.0.1"}]}',
        b'{"data":{"ip":"10.0.0.1","ip":"9"}}',
        b'{"data":{"ip":"10.0.0.1"},"data":{}}',
        b'{"data":{"ip":"10.0.0.1"},"n":NaN}',
        b'{"data":{"ip":"10.0.0.1',
        b'{"data":{"ip":"10.0.0.1\xff"}}',
    ],
)
def test_however_it_is_written_or_cut_off_it_is_found(payload: bytes) -> None:
    selector = Selector.of("data.ip", "10.0.0.1", NOTHING_MASKED)
    assert selector.takes(payload)
    assert any(needle.encode() in payload for needle in selector.needles)


def test_the_hash_that_stands_for_it_is_found_too() -> None:
    masking = Masking(["data.ip=hash"], "a key of at least sixteen")
    masked = masking.masked(b'{"data":{"ip":"10.0.0.1"}}')
    assert Selector.of("data.ip", "10.0.0.1", masking).takes(masked)
    assert not Selector.of("data.ip", "10.0.0.2", masking).takes(masked)
