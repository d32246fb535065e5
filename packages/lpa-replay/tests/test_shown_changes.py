"""What people see of a repair: the values that it changes, what it leaves broken, and records without our marks."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.cli import run
from lpa_ops.dead_letters.payload import without_marks
from lpa_replay.fix.changed_paths import ChangedPath, changed_paths
from lpa_replay.staging.marks import Marks, marked
from lpa_replay.testing import place as places
from lpa_replay.testing.place import ReplayPlace

WARNING = "would fail again and lose an attempt: narrow the plan with --reason and --type to what is repaired"

documents = st.dictionaries(
    st.text().filter(lambda name: not name.startswith("__replay")),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def event(identity: str, **data: object) -> dict[str, Any]:
    """A status that lacks ``data.pipeline`` unless it is given."""
    return {**places.event(identity, **data), "type": "ai_stream_status"}


def shown(place: ReplayPlace, *words: str) -> str:
    place.capsys.readouterr()
    assert run([*words, "--sink", place.sink]) == 0
    return " ".join(place.capsys.readouterr().out.split())


def test_a_plan_shows_what_the_fix_changes_and_nothing_else(place: ReplayPlace) -> None:
    place.ingest([event("a", message="m" * 500)])
    told = shown(place, "replay", "plan", "--all", "--fix", "fix.toml")
    assert 'a repaired record: data.pipeline: missing -> "live-video-to-video" lpa replay run' in told
    ((sample,), warning) = (place.plan("--all", "--fix", "fix.toml")[name] for name in ("samples", "warning"))
    assert sample["changes"] == [{"path": "data.pipeline", "before": None, "after": '"live-video-to-video"'}]
    assert (warning, WARNING in told) == ("", False)


def test_a_plan_warns_if_most_records_would_fail_again(place: ReplayPlace) -> None:
    place.ingest([event("repaired"), event("x", pipeline="p", request_id=""), event("y", pipeline="p", request_id="")])
    wide = ["--all", "--fix", "fix.toml"]
    assert f"2 of 3 {WARNING}" in shown(place, "replay", "plan", *wide)
    assert place.plan(*wide)["warning"] == f"2 of 3 {WARNING}"
    narrow = place.plan(*wide, "--where", "event_id = 'repaired'")
    assert (narrow["published"], narrow["warning"]) == (1, "")


@pytest.mark.slow
def test_triage_shows_a_replayed_record_without_the_marks(place: ReplayPlace) -> None:
    place.ingest([event("a")])
    place.replay("--all")
    for options in ([], ["--wide"]):
        told = shown(place, "triage", *options)
        assert 'payload {"id":"a","type":"ai_stream_status"' in told
        assert "__replay" not in told
    (sample,) = place.lpa("triage")["samples"]
    assert sample["payload_text"].startswith('{"__replay":true'), "a program gets the record as it is stored"


@pytest.mark.slow
def test_the_list_shows_the_fix_and_what_became_of_the_records(place: ReplayPlace) -> None:
    place.ingest([event("repaired"), event("x", pipeline="p", request_id="")])
    done = place.replay("--all", "--fix", "fix.toml")
    (run_,) = place.lpa("replay", "list")
    fix = f"fix: {run_['fix_sha256'][:8]}"
    assert fix in shown(place, "replay", "list")
    assert "recovered" not in shown(place, "replay", "list"), "nobody has looked yet"
    place.verified(done["id"], status=1)
    told = shown(place, "replay", "list")
    assert f"{fix}; became: 1 recovered, 1 failed again, 0 skipped, 0 unrecoverable" in told


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ('{"a":1}', '{"__replay":true,"a":1}', []),
        ('{"a":{"b":1,"c":null}}', '{"a":{"b":"1"}}', [("a.b", "1", '"1"'), ("a.c", "null", None)]),
        ('{"a":1}', '{"a":1.0}', [("a", "1", "1.0")]),
        ('{"a":1}', '{"a":true}', [("a", "1", "true")]),
        ('{"a":[{"b":1},{"b":2}]}', '{"a":[{"b":1},{"b":3}]}', [("a.1.b", "2", "3")]),
        ('{"a":[1]}', '{"a":[1,2]}', [("a", "[1]", "[1,2]")]),
        ("{'a':1}", '{"__replay":true,"a":1}', [("", "{'a':1}", '{"a":1}')]),
    ],
)
def test_changed_paths(before: str, after: str, changes: list[tuple[str, str | None, str | None]]) -> None:
    assert changed_paths(before, after) == [ChangedPath(*each) for each in changes]


@given(documents, documents, st.text(), st.integers(0, 2**40))
def test_marks_change_nothing_that_is_shown(
    one: dict[str, object], other: dict[str, object], origin: str, failed: int
) -> None:
    first, second = msgspec.json.encode(one), msgspec.json.encode(other)
    marks = Marks(True, 1, "dlq", "r", 1, origin, "SCHEMA_INVALID", failed, -failed)
    with_marks = marked(second, marks).decode()
    assert without_marks(with_marks) == second.decode()
    assert changed_paths(second.decode(), with_marks) == []
    assert changed_paths(first.decode(), with_marks) == changed_paths(first.decode(), second.decode())


def test_a_payload_that_was_cut_short_loses_its_marks_too() -> None:
    assert without_marks('{"__replay":true,"__replay_origin":"a\\"b:0:1","id":"a","da') == '{"id":"a","da'
    assert without_marks('no JSON {"__replay":true}') == 'no JSON {"__replay":true}'
