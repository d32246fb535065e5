"""A fix file that would take for ever, or all memory, is refused with the reason. A person may have pasted anything."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from lpa_core.records import Position
from lpa_core.replays import ReplayRecord, ReplayRefused
from lpa_replay.fix.conditions import Pattern
from lpa_replay.fix.edit import FailureOf, fix_of_edit
from lpa_replay.fix.file import parse_fixes

STEPS = "[[fix]]\nsteps = [{}]\n"
MATCHES = "[[fix]]\nwhere = [{{ path = 'a', matches = '{}' }}]\nsteps = [{{ set = 'b', value = 1 }}]\n"


def apply(text: str, payload: Any) -> bytes | None:
    return parse_fixes(text, "the fix").apply(ReplayRecord(msgspec.json.encode(payload), Position("t", 0, 0)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#" * 300_000, "the fix has 300,000 characters: a fix file has at most 262,144"),
        ("a." * 30_000 + "a = 1", "a key has too many names (at line 1)"),
        ("x = 1\n[" + "a." * 30_000 + "a]", "a key has too many names (at line 2)"),
        ("a = " + "[" * 50_000, "nested too deep"),
        ("a = " + "{a=" * 50_000, "nested too deep"),
        ("a = " + "9" * 50_000, "4300 digits"),
        (STEPS.format("{ set = 'a', value = " + "[" * 5_000 + "]" * 5_000 + " }"), "nested too deep"),
        (STEPS.format("{ set = '" + "a." * 5_000 + "b', value = 1 }"), "a path has 5,001 names"),
        (STEPS.format("{ multiply = 'a', by = " + "9" * 4_000 + " }"), "by is a number other than 0"),
        (MATCHES.format("((a{1000}){1000}){1000}"), "matches repeats too much"),
        (MATCHES.format("a{" + "9" * 4_000 + "}"), "matches is not a regular expression"),
        (MATCHES.format("(" * 5_000 + ")" * 5_000), "matches is not a regular expression"),
    ],
)
def test_what_would_take_too_long_to_read_is_refused(text: str, said: str) -> None:
    begun = time.process_time()
    with pytest.raises(ReplayRefused) as refused:
        parse_fixes(text, "the fix")
    assert said in str(refused.value)
    assert time.process_time() - begun < 1


def test_dots_within_texts_are_no_names_of_a_key() -> None:
    text = 'value = "' + "a. " * 1_000 + '\\"."'
    assert apply(STEPS.format(f"{{ set = 'a', {text} }}"), {})
    assert apply(STEPS.format("{ set = 'a', " + text.replace('\\"', "").replace('"', "'") + " }"), {})


def test_a_search_that_takes_too_long_ends_and_is_not_begun_for_ever() -> None:
    pattern = Pattern("(a|aa)+$", 0.02)
    begun = time.monotonic()
    for _ in range(1_000):
        with pytest.raises(ValueError, match=r"takes longer than 0.02 s for a value: write it without repeats within"):
            pattern.found("a" * 60 + "b")
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("pattern", "text", "holds"),
    [
        ("^http:", "http://x", True),
        ("^http:", "https://x", False),
        (r"(?i)^[0-9a-f]{8}-[0-9a-f]{4}$", "0123ABCD-12EF", True),
        (r"\d{4}-\d{2}-\d{2}T", "2026-01-08T", True),
        ("[{9}]", "{", True),
        (r"a\{3}", "a{3}", True),
        ("a{2,}b", "aab", True),
    ],
)
def test_usual_expressions_are_searched(pattern: str, text: str, holds: bool) -> None:
    assert Pattern(pattern).found(text) is holds


@pytest.mark.parametrize(
    ("steps", "payload"),
    [
        (["{ replace = 'a', text = 'a', by = '" + "a" * 1_000 + "' }"] * 10, {"a": "a"}),
        (["{ set = 'a.*.b', value = '" + "x" * 10_000 + "' }"], {"a": [{}] * 1_000}),
    ],
)
def test_steps_do_not_make_a_record_as_large_as_the_memory(steps: list[str], payload: Any) -> None:
    with pytest.raises(ValueError, match="characters, and at most 8,388,608 are allowed"):
        apply(STEPS.format(", ".join(steps)), payload)


def test_an_edit_of_a_deep_record_is_refused_in_words() -> None:
    deep = b'{"a":' * 450 + b"1" + b"}" * 450
    with pytest.raises(ReplayRefused, match="nested too deep"):
        parse_fixes(fix_of_edit(b"{}", deep, FailureOf("", "", "")), "the fix")
