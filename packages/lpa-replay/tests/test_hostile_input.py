"""Records, files and options that nobody should send: counted or refused, and never in the way of the others."""

from __future__ import annotations

import json
import os
import threading
from typing import Any

import pytest

from lpa_core.plugins.manager import PluginManager
from lpa_core.plugins.plugin import Plugin
from lpa_core.replays import ReplayRecord
from lpa_replay.testing.place import MOMENT, ReplayPlace, event

HUGE = 99_999_999_999_999_999_999_999


@pytest.mark.slow
def test_a_mark_that_names_no_position_leads_nowhere(place: ReplayPlace) -> None:
    marks = ["x:0:-1", "x:-1:0", "x:99999999999:0", f"x:0:{HUGE}"]
    marked = [{**event(f"b{number}"), "__replay_origin": mark} for number, mark in enumerate(marks)]
    place.ingest([event("a"), *marked])
    done = place.replay("--all", "--fix", "fix.toml")
    assert done["selected"] == 5
    keys = place.rows("SELECT dedup_key FROM {}.streaming_events ORDER BY dedup_key")
    assert keys == [("a",), ("b0",), ("b1",), ("b2",), ("b3",)]
    place.verified(done["id"])


def envelope(identity: str, **changes: Any) -> dict[str, Any]:
    return {
        "schemaVersion": "v1",
        "source": {"topic": identity, "partition": 0, "offset": 7, "recordTimestamp": MOMENT},
        "failure": {"stage": "PARSE", "failureClass": "PARSING_FAILED", "reason": "x"},
        "payload": {"encoding": "json", "body": json.dumps(event(identity, pipeline="p"))},
        **changes,
    }


@pytest.mark.slow
def test_an_envelope_with_numbers_that_cannot_be(place: ReplayPlace) -> None:
    place.ingest([event("stored", pipeline="p")])
    lines = [
        envelope("partition", source={"topic": "t", "partition": -1, "offset": 7}),
        envelope("offset", source={"topic": "t", "partition": 0, "offset": HUGE}),
        envelope("attempt", attempt=HUGE),
        envelope("times", eventTimestamp=HUGE, ingestionTimestamp=HUGE),
        envelope("version", schemaVersion="v9", eventTimestamp=99_999_999_999_999_999),
        event("beside", pipeline="p"),
    ]
    (place.folder / "some.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = place.replay("--all", "--from", "some.ndjson")
    assert (done["selected"], done["published"]) == (6, 4)
    keys = place.rows("SELECT dedup_key FROM {}.streaming_events ORDER BY dedup_key")
    assert keys == [("beside",), ("offset",), ("partition",), ("stored",), ("times",)]


@pytest.mark.slow
def test_an_event_may_use_the_names_of_an_envelope_below_its_root(place: ReplayPlace) -> None:
    place.ingest([event("stored", pipeline="p")])
    own = {"schemaVersion": "2", "failure": "x", "payload": "y"}
    (place.folder / "some.ndjson").write_text(json.dumps(event("a", pipeline="p", **own)) + "\n")
    assert place.replay("--all", "--from", "some.ndjson")["would_pass"] == 1


@pytest.mark.slow
def test_another_file_of_the_same_name_holds_other_records(place: ReplayPlace) -> None:
    for folder in ("first", "second"):
        (place.folder / folder).mkdir()
        lines = [json.dumps(event(f"{folder}-{number}", pipeline="p")) + "\n" for number in range(3)]
        (place.folder / folder / "export.ndjson").write_text("".join(lines))
    for folder in ("first", "second"):
        file = f"{folder}/export.ndjson"
        assert place.replay("--all", "--from", file)["published"] == 3
        assert place.replay("--all", "--from", file)["already_stored"] == 3
    assert place.count("streaming_events") == 6


def test_what_can_be_read_only_once_is_refused(place: ReplayPlace) -> None:
    os.mkfifo(place.folder / "pipe")
    writer = threading.Thread(target=lambda: (place.folder / "pipe").open("wb").close(), daemon=True)
    writer.start()
    assert "pipe can be read only once" in place.replay("--all", "--from", "pipe", status=2)


@pytest.mark.slow
def test_a_fix_leaves_a_number_that_no_double_holds_as_it_was(place: ReplayPlace) -> None:
    line = json.dumps(event("a")).replace('"message": "m"', '"message": "m", "much": 1e400')
    place.ingest([line.encode()])
    done = place.replay("--all", "--fix", "fix.toml")
    assert done["would_pass"] == 1
    ((stored,),) = place.rows("SELECT raw_json FROM {}.streaming_events")
    assert '"much":1E+400' in stored


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--all", "--max-attempts", "70000"), "70000"),
        (("--all", "--rate", "inf"), "--rate inf"),
        (("--since", "999999w"), "--since=999999w: a time must be between 1900 and 2299"),
        (("--start", "0001-01-01T00:00:00+14:00", "--end", "2026-01-01"), "a time must be between 1900"),
        (("--start", "2026-01-01", "--end", "9999-12-31T23:59:59Z"), "a time must be between 1900"),
        (("--all", "--from", "bad\udcff.ndjson"), "the name is not UTF-8"),
    ],
)
def test_options_that_come_to_nothing(place: ReplayPlace, options: tuple[str, ...], said: str) -> None:
    place.ingest([event("a")])
    assert said in place.plan(*options, status=2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("text", "returned a str: it must return bytes or None"),
        (KeyError("k"), "KeyError: 'k'"),
        (SystemExit(0), "SystemExit: 0"),
    ],
)
def test_failure_30_a_transform_that_fails_does_so_for_its_record_alone_and_its_plugin_is_named(
    answer: object, said: str, place: ReplayPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(record: ReplayRecord) -> Any:
        if b'"a"' not in record.payload:
            return None
        if isinstance(answer, BaseException):
            raise answer
        return answer

    brought = [(Plugin("rack-heat", "lpa-rack-heat", "1.0"), odd)]
    monkeypatch.setattr(PluginManager, "replay_transforms", lambda plugins: brought)
    place.ingest([event("a"), event("b")])
    done = place.replay("--all")
    assert done["not_published"] == [
        {"outcome": "skipped", "why": f"odd of the plugin rack-heat (lpa-rack-heat): {said}", "records": 1}
    ]
    assert done["published"] == 1
