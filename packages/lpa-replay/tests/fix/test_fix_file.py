"""Fix files: what they do to records, and what is wrong with one before anything is read."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.records import Position
from lpa_core.replays import ReplayRecord, ReplayRefused
from lpa_replay.fix.file import parse_fixes


def record(payload: Any, **failure: str) -> ReplayRecord:
    return ReplayRecord(msgspec.json.encode(payload), Position("t", 0, 0), **failure)  # type: ignore[arg-type]  # texts


def fixed(steps: str, payload: Any, *, where: str = "[]") -> Any:
    """What a fix of these steps makes of a payload; None where it leaves it alone."""
    repaired = parse_fixes(f"[[fix]]\nwhere = {where}\nsteps = [{steps}]\n", "fix.toml").apply(record(payload))
    return None if repaired is None else msgspec.json.decode(repaired)


@pytest.mark.parametrize(
    ("steps", "before", "after"),
    [
        ('{ set = "a", value = 1 }', {}, {"a": 1}),
        (
            '{ set = "a.b.c", value = [1, { d = true }] }',
            {"a": {"x": 0}},
            {"a": {"x": 0, "b": {"c": [1, {"d": True}]}}},
        ),
        ('{ set = "a.*.b", value = 1 }', {"a": [{}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 1}]}),
        ('{ remove = "a.b" }', {"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}),
        ('{ rename = "a", to = "b.c" }', {"a": 1}, {"b": {"c": 1}}),
        ('{ cast = "a", to = "integer" }', {"a": " 12 "}, {"a": 12}),
        ('{ cast = "a", to = "integer" }', {"a": 12.9}, {"a": 12}),
        ('{ cast = "a", to = "number" }', {"a": "1.5"}, {"a": 1.5}),
        ('{ cast = "a", to = "text" }', {"a": 5}, {"a": "5"}),
        ('{ cast = "a", to = "boolean" }', {"a": "True"}, {"a": True}),
        ('{ replace = "a", text = "http:", by = "https:" }', {"a": "http://x"}, {"a": "https://x"}),
        ('{ rename = "a", to = "b" }, { cast = "b", to = "text" }', {"a": 1}, {"b": "1"}),
    ],
)
def test_what_steps_do(steps: str, before: Any, after: Any) -> None:
    assert fixed(steps, before) == after


@pytest.mark.parametrize(
    ("steps", "payload", "said"),
    [
        ('{ remove = "a.b" }', {"a": {}}, "there is no a.b"),
        ('{ rename = "a", to = "b" }', {}, "there is no a"),
        ('{ rename = "a", to = "b" }', {"a": 1, "b": 2}, "a cannot be renamed: there is a b already"),
        ('{ cast = "a", to = "integer" }', {"a": "twelve"}, "a cannot be cast to integer"),
        ('{ cast = "a", to = "integer" }', {"a": [1]}, "a cannot be cast to integer"),
        ('{ cast = "a", to = "number" }', {"a": "nan"}, "a cannot be cast to number"),
        ('{ cast = "a", to = "boolean" }', {"a": "maybe"}, "a cannot be cast to boolean"),
        ('{ replace = "a", text = "x", by = "y" }', {"a": 1}, "a is not text to replace in"),
        ('{ set = "a.b", value = 1 }', {"a": 1}, "a.b: a is not an object"),
    ],
)
def test_a_step_that_cannot_do_its_work_says_why(steps: str, payload: Any, said: str) -> None:
    with pytest.raises(ValueError) as raised:
        fixed(steps, payload)
    assert str(raised.value) == said


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ('[{ path = "a", missing = true }]', [{}, {"a": None}, {"a": ""}]),
        ('[{ path = "a", missing = false }]', [{"a": 0}, {"a": "x"}]),
        ('[{ path = "a", equals = 1 }]', [{"a": 1}]),
        ('[{ path = "a", matches = "^x" }]', [{"a": "xy"}]),
        ('[{ path = "a", missing = false }, { path = "b", equals = true }]', [{"a": 1, "b": True}]),
        ('[{ path = "c.*.d", equals = 5 }]', [{"c": [{"d": 4}, {"d": 5}]}]),
    ],
)
def test_conditions_on_the_payload(where: str, holds: list[Any]) -> None:
    every = [{}, {"a": None}, {"a": ""}, {"a": 0}, {"a": 1}, {"a": True}, {"a": "x"}, {"a": "xy"}, {"b": True}]
    every += [{"a": 1, "b": True}, {"c": [{"d": 4}, {"d": 5}]}, {"c": [{"d": "5"}]}]
    found = [payload for payload in every if fixed('{ set = "ok", value = 1 }', payload, where=where) is not None]
    assert all(payload in found for payload in holds)
    if len(holds) == 1:
        wider = [payload for payload in found if payload not in holds]
        assert all(where.count("a") and payload.get("a") in (1, "x") for payload in wider), "only what it says"


def test_conditions_on_the_failure() -> None:
    file = parse_fixes(
        '[[fix]]\nclass = ["SCHEMA_INVALID", "PARSING_FAILED"]\nreason = "missing_field"\ntype = "a"\n'
        'stage = "SCHEMA_VALIDATION"\nsteps = [{ set = "ok", value = 1 }]\n',
        "fix.toml",
    )
    right = {
        "failure_class": "SCHEMA_INVALID",
        "failure_reason": "missing_field",
        "failure_stage": "SCHEMA_VALIDATION",
        "event_type": "a",
    }
    assert file.apply(record({}, **right)) == b'{"ok":1}'
    for name in right:
        assert file.apply(record({}, **{**right, name: "other"})) is None


def test_each_fix_sees_what_the_one_before_has_made() -> None:
    file = parse_fixes(
        '[[fix]]\nsteps = [{ set = "a", value = 1 }]\n'
        '[[fix]]\nwhere = [{ path = "a", equals = 1 }]\nsteps = [{ set = "b", value = 2 }]\n',
        "fix.toml",
    )
    assert file.apply(record({})) == b'{"a":1,"b":2}'


@given(st.binary())
def test_what_is_no_json_object_is_left_alone(payload: bytes) -> None:
    file = parse_fixes('[[fix]]\nsteps = [{ set = "a", value = 1 }]\n', "fix.toml")
    repaired = file.apply(ReplayRecord(payload, Position("t", 0, 0)))
    assert repaired is None or isinstance(msgspec.json.decode(payload), dict)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[fix]", "fix.toml is not TOML: "),
        ("", "fix.toml has to hold [[fix]] tables and nothing else"),
        ("fixes = 1", "and nothing else: fixes is unknown"),
        ("[[fix]]", "fix.toml: fix 1: it has no steps"),
        ("[[fix]]\nklass = 1", "fix 1: klass is unknown: a fix takes class, reason, stage, steps, type, where"),
        (
            '[[fix]]\nclass = "SCHEMA"\nsteps = []',
            "fix 1: there is no class 'SCHEMA': there are DESERIALIZATION_FAILED",
        ),
        ('[[fix]]\nsteps = [{ set = "a" }]', "fix 1: step 1: set needs value beside its path"),
        ('[[fix]]\nsteps = [{ set = "a", remove = "b" }]', "step 1: it has to be one of set, remove, rename, cast"),
        ('[[fix]]\nsteps = [{ drop = "a" }]', "step 1: drop is unknown"),
        ('[[fix]]\nsteps = [{ remove = "a..b" }]', "step 1: 'a..b' is not a path: write the names of keys with dots"),
        ('[[fix]]\nsteps = [{ remove = "a.*" }]', "'a.*' ends with *: a path has to name a key"),
        ('[[fix]]\nsteps = [{ remove = "__replay_id" }]', "names that begin with __replay are the replay's own"),
        ('[[fix]]\nsteps = [{ cast = "a", to = "date" }]', "cast goes to one of text, integer, number, boolean"),
        ('[[fix]]\nsteps = [{ rename = "a.*.b", to = "c" }]', "rename takes no * in its paths"),
        ('[[fix]]\nsteps = [{ replace = "a", text = "", by = "b" }]', "replace needs some text to look for"),
        ('[[fix]]\nwhere = [{ path = "a" }]\nsteps = []', "condition 1: it needs a path, and one of missing, equals"),
        ('[[fix]]\nwhere = [{ path = "a", matches = "(" }]', "condition 1: matches is not a regular expression"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(text: str, said: str) -> None:
    with pytest.raises(ReplayRefused) as refused:
        parse_fixes(text, "fix.toml")
    assert said in str(refused.value)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(ReplayRefused) as refused:
        parse_fixes("[[fix]]\n[[fix]]\nstage = 5\n", "fix.toml")
    assert str(refused.value).splitlines() == [
        "fix.toml: fix 1: it has no steps",
        "fix.toml: fix 2: stage has to be text",
    ]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ('{ cast = "data.type", to = ["text"] }', "to has to be text"),
        ('{ set = "data.type", value = nan }', "value has to be what JSON can hold"),
        ('{ set = "data.type", value = { a = [inf] } }', "value has to be what JSON can hold"),
    ],
)
def test_values_that_are_none(step: str, said: str) -> None:
    with pytest.raises(ReplayRefused, match=said):
        parse_fixes(f"[[fix]]\nsteps = [{step}]\n", "fix.toml")
