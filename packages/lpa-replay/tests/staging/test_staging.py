"""What a run decides about each record, before anything is sent."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lpa_core.kafka.reject_records import reject_record
from lpa_core.orgs import EventKey
from lpa_core.pipeline.reject_envelope import Rejected, envelope, read_envelope_json
from lpa_core.records import Position, RecordBatch
from lpa_core.replays import ReplayError, ReplayRecord
from lpa_replay.sources.record import Filters, Found
from lpa_replay.sources.window import Clock, Window
from lpa_replay.spool.outcomes import Decision, ReplayDecision
from lpa_replay.spool.run_folder import RunFolder
from lpa_replay.staging.marks import Marks, marked, position_text
from lpa_replay.staging.stored_knowledge import Earlier
from lpa_replay.testing.place import MOMENT, event
from lpa_replay.testing.staging import NOW, PIPELINE, Known, plan, staged


def place(offset: int) -> Position:
    return Position("events", 0, offset)


def found(offset: int, payload: Any, **more: Any) -> Found:
    """A dead letter of that offset; the payload is JSON unless it is bytes."""
    text = payload if payload is None or isinstance(payload, bytes) else msgspec.json.encode(payload)
    return Found(text, place(offset), MOMENT, MOMENT, MOMENT, failure_class="SCHEMA_INVALID", **more)


def good(identity: str) -> dict[str, Any]:
    return event(identity, pipeline="p")


def decided(outcomes: list[ReplayDecision]) -> list[tuple[str, str]]:
    return [(outcome.decision.value, outcome.why or outcome.forecast) for outcome in outcomes]


FIRST_FAILURE = MOMENT - 86_400_000


def replayed(offset: int, payload: dict[str, Any], attempt: int, origin: int, **more: Any) -> Found:
    """The dead letter of a record that an earlier replay had sent."""
    added = Marks(True, MOMENT, "dlq", "earlier", attempt, position_text(place(origin)), first_failure_ms=FIRST_FAILURE)
    text = marked(msgspec.json.encode(payload), added)
    return found(offset, text, attempt=attempt, **more)


def test_what_passes_and_what_would_fail_again_is_sent(tmp_path: Path) -> None:
    outcomes, outgoing, _, _ = staged(tmp_path, [found(1, good("a")), found(2, event("b"))])
    assert decided(outcomes) == [("published", "passes"), ("published", "missing_field")]
    assert [line.key for line in outgoing] == ["a", "events:0:2"]
    assert [outcome.typed_rows for outcome in outcomes] == [1, 0]
    sent = msgspec.json.decode(outgoing[0].value)
    assert sent["__replay_origin"] == "events:0:1"
    assert sent["data"]["pipeline"] == "p"


def test_what_is_stored_is_skipped_unless_it_is_forced(tmp_path: Path) -> None:
    some = [found(1, good("a")), found(2, good("b"))]
    outcomes, outgoing, _, _ = staged(tmp_path / "1", some, Known(keys={EventKey("", "a")}))
    assert decided(outcomes) == [("skipped", "already stored"), ("published", "passes")]
    assert [line.key for line in outgoing] == ["b"]
    outcomes, outgoing, _, _ = staged(tmp_path / "2", some, Known(keys={EventKey("", "a")}), force=True)
    assert [line.key for line in outgoing] == ["a", "b"]


@pytest.mark.parametrize("force", [False, True])
def test_what_was_erased_is_skipped_even_if_it_is_forced(tmp_path: Path, force: bool) -> None:
    some = [found(1, good("a")), found(2, good("b"))]
    outcomes, outgoing, _, _ = staged(tmp_path, some, Known(gone={place(1)}), force=force)
    assert decided(outcomes) == [("skipped", "erased"), ("published", "passes")]
    assert [line.key for line in outgoing] == ["b"]


def test_what_is_stored_under_the_key_of_an_earlier_repair_is_skipped(tmp_path: Path) -> None:
    without_id = {**good(""), "id": ""}
    known = Known(keys={EventKey("", "repaired")}, replays={place(1): Earlier(1, ["repaired"])})
    outcomes, _, _, _ = staged(tmp_path, [found(1, without_id)], known)
    assert decided(outcomes) == [("skipped", "already stored")]


def test_several_envelopes_of_one_record_are_one(tmp_path: Path) -> None:
    outcomes, outgoing, _, _ = staged(tmp_path, [found(1, good("a"))] * 4)
    assert [outcome.decision for outcome in outcomes] == [Decision.PUBLISHED, *[Decision.SKIPPED] * 3]
    assert len(outgoing) == 1


def test_two_records_of_one_event_are_one(tmp_path: Path) -> None:
    outcomes, outgoing, _, _ = staged(tmp_path, [found(1, good("a")), found(2, good("a"))])
    assert [outcome.decision for outcome in outcomes] == [Decision.PUBLISHED, Decision.SKIPPED]
    assert len(outgoing) == 1


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_attempts_only_the_latest_goes_on(order: int, tmp_path: Path) -> None:
    some = [found(1, event("a")), found(2, good("b")), replayed(9, good("a"), 1, 1), replayed(12, good("a"), 2, 1)]
    outcomes, outgoing, _, _ = staged(tmp_path, some[::order])
    assert sorted(line.key for line in outgoing) == ["a", "b"]
    sent = {outcome.origin.offset: outcome.attempt for outcome in outcomes if outcome.decision is Decision.PUBLISHED}
    assert sent == {1: 3, 2: 1}
    assert len([outcome for outcome in outcomes if outcome.decision is Decision.SKIPPED]) == 2
    assert [outcome.number for outcome in outcomes] == [0, 1, 2, 3]


def test_it_takes_the_time_of_its_first_failure_along(tmp_path: Path) -> None:
    archived = Found(msgspec.json.encode(good("c")), place(3), MOMENT, MOMENT, MOMENT)
    _, outgoing, _, _ = staged(tmp_path, [found(1, event("a")), replayed(9, event("b"), 1, 2), archived])
    assert [line.origin.offset for line in outgoing] == [1, 2, 3]
    sent = [msgspec.json.decode(line.value) for line in outgoing]
    assert [each.get("__replay_first_failure_ms") for each in sent] == [MOMENT, FIRST_FAILURE, None]
    batch = RecordBatch("events", 0, range(3), [line.value for line in outgoing])
    first, second, _ = PIPELINE.judge(batch, NOW)
    assert isinstance(first, Rejected)
    assert isinstance(second, Rejected)
    headers = [dict(reject_record(envelope(each, NOW, NOW, 1_000_000)).headers) for each in (first, second)]
    assert [each["first_failure_ms"] for each in headers] == [b"%d" % MOMENT, b"%d" % FIRST_FAILURE]


def test_after_three_attempts_a_record_goes_to_quarantine(tmp_path: Path) -> None:
    some = [replayed(20, event("a"), 3, 1, failure_reason="missing_field"), replayed(21, event("b"), 2, 2)]
    outcomes, outgoing, exhausted, _ = staged(tmp_path, some)
    assert decided(outcomes) == [("exhausted", "replayed 3 times"), ("published", "missing_field")]
    assert [line.origin for line in outgoing] == [place(2)]
    (given_up,) = exhausted
    assert given_up.quarantined
    written = read_envelope_json(given_up.value)
    assert written.failure.failure_class.value == "REPLAY_EXHAUSTED"
    assert written.failure.quarantined
    assert written.failure.details == "replayed 3 times, rejected last as SCHEMA_INVALID missing_field"
    assert (written.source.offset, written.attempt, written.replay_id) == (1, 3, "a-run")
    assert ("class", "REPLAY_EXHAUSTED") in given_up.headers
    assert ("first_failure_ms", str(FIRST_FAILURE)) in given_up.headers


def test_attempts_are_known_from_the_audit_where_the_envelope_does_not_say(tmp_path: Path) -> None:
    known = Known(replays={place(1): Earlier(3), place(2): Earlier(1), place(3): Earlier(3, exhausted=True)})
    outcomes, _, _, _ = staged(tmp_path, [found(offset, event(str(offset))) for offset in (1, 2, 3)], known)
    assert [outcome.decision.value for outcome in outcomes] == ["exhausted", "published", "skipped"]
    assert outcomes[1].attempt == 2
    outcomes, _, _, _ = staged(tmp_path / "5", [found(1, event("1"))], known, max_attempts=5)
    assert outcomes[0].decision is Decision.PUBLISHED


def test_an_archived_record_is_never_exhausted(tmp_path: Path) -> None:
    archived = Found(msgspec.json.encode(good("a")), place(1), MOMENT, MOMENT, MOMENT)
    outcomes, _, _, _ = staged(tmp_path, [archived], Known(replays={place(1): Earlier(7)}))
    assert outcomes[0].decision is Decision.PUBLISHED


def test_what_cannot_be_sent_is_counted_with_the_reason(tmp_path: Path) -> None:
    some = [found(1, None), found(2, b"[]"), found(3, b"\x00\xff"), found(4, b'{"a":'), found(5, None, problem="cut")]
    outcomes, outgoing, _, manifest = staged(tmp_path, some)
    assert outgoing == []
    assert decided(outcomes) == [
        ("unrecoverable", why)
        for why in ("it has no value", "it is not a JSON object", "it is not JSON", "it is not JSON", "cut")
    ]
    assert manifest.figures["unrecoverable"] == manifest.figures["selected"] == 5


def test_a_base64_payload_that_a_transform_repairs_is_sent_and_others_stay(tmp_path: Path) -> None:
    def decode(record: ReplayRecord) -> bytes | None:
        return base64.b64decode(record.payload[1:]) if record.payload.startswith(b"=") else None

    some = [found(1, b"=" + base64.b64encode(msgspec.json.encode(good("a")))), found(2, b"nonsense")]
    outcomes, outgoing, _, _ = staged(tmp_path, some, repairs=[("decode", decode)])
    assert decided(outcomes) == [("published", "passes"), ("unrecoverable", "it is not JSON")]
    assert [line.key for line in outgoing] == ["a"]


def test_a_transform_that_raises_leaves_the_record_where_it_is(tmp_path: Path) -> None:
    def broken(record: ReplayRecord) -> bytes | None:
        return None if record.origin == place(1) else b"%d" % (1 // 0)

    outcomes, outgoing, _, _ = staged(
        tmp_path, [found(1, good("a")), found(2, good("b"))], repairs=[("broken", broken)]
    )
    assert decided(outcomes) == [
        ("published", "passes"),
        ("skipped", "broken: ZeroDivisionError: integer division or modulo by zero"),
    ]
    assert [line.key for line in outgoing] == ["a"]


def test_only_what_the_window_and_the_filters_take(tmp_path: Path) -> None:
    some = [
        Found(b"{}", Position("t", 0, 0), MOMENT - 1, None, MOMENT, failure_class="PARSING_FAILED"),
        Found(b"{}", Position("t", 0, 1), MOMENT - 1, MOMENT, MOMENT, failure_class="PARSING_FAILED"),
        Found(b"{}", Position("t", 1, 2), MOMENT, None, MOMENT, failure_class="PARSING_FAILED"),
        Found(b"{}", Position("t", 0, 3), MOMENT, MOMENT + 1, MOMENT, failure_class="SCHEMA_INVALID"),
        Found(b"{}", Position("t", 0, 4), None, None, MOMENT, failure_class="PARSING_FAILED"),
    ]

    def taken(**changes: Any) -> list[int]:
        outcomes, _, _, _ = staged(tmp_path / repr(changes).replace("/", ""), some, **changes)
        return [outcome.origin.offset for outcome in outcomes]

    over = Window(MOMENT, MOMENT + 1)
    assert taken(over=over) == [1, 2], "the record's time stands in where the event has none"
    assert taken(over=over, clock=Clock.INGESTION) == [0, 1, 2, 3, 4]
    assert taken(filters=Filters(classes=("PARSING_FAILED",))) == [0, 1, 2, 4]
    assert taken(filters=Filters(partitions=(1,))) == [2]
    assert taken(max_records=2) == [0, 1]
    _, _, _, manifest = staged(tmp_path / "untimed", some, over=over)
    assert (manifest.figures["read"], manifest.figures["untimed"]) == (5, 1)


def test_a_damaged_spool_is_not_sent(tmp_path: Path) -> None:
    staged(tmp_path, [found(1, good("a"))])
    folder = RunFolder(tmp_path, "a-run")
    manifest = folder.manifest
    assert manifest is not None
    file = tmp_path / "a-run" / "outgoing.msgpack.zst"
    file.write_bytes(file.read_bytes()[:-1] + b"\x00")
    with pytest.raises(ReplayError, match=r"outgoing\.msgpack\.zst is damaged"):
        folder.outgoing(manifest)


def test_two_processes_cannot_have_one_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "a-run")
    with folder.locked(plan()), pytest.raises(ReplayError, match="is run by another process"), folder.locked(plan()):
        pass
