"""``lpa replay check``, as a process of its own: it opens an engine elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from services.preloaded import preloaded_lpa

from lpa_core.cli import run
from lpa_replay.check.layers import Dump
from lpa_replay.check.record import RunDifference, first_difference, read_record, write_record
from lpa_replay.testing.place import MOMENT, ReplayPlace, event


def check(folder: Path, *arguments: str, status: int = 0) -> Any:
    done = subprocess.run(
        [preloaded_lpa(), "replay", "check", *arguments],
        cwd=folder,
        env={**os.environ, "LPA_LOG_LEVEL": "error"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout) if "--json" in arguments else done.stdout or done.stderr


@pytest.mark.slow
def test_a_fixture_gives_the_same_bytes_now_and_then_and_a_change_is_found_in_its_layer(tmp_path: Path) -> None:
    events = [event(str(number), MOMENT + number, pipeline="p") for number in range(20)]
    events += [event("broken"), events[0]]
    fixture = tmp_path / "fixture.ndjson"
    fixture.write_bytes(b"\n".join(map(msgspec.json.encode, events)))
    first = check(tmp_path, "fixture.ndjson", "--output", "recorded", "--json")
    assert first["twice_the_same"]
    rows = {each["table"]: each["rows"] for each in first["tables"]}
    assert (rows["verdicts"], rows["ai_stream_status"], rows["streaming_events"]) == (22, 20, 20)
    assert (rows["streaming_events_dlq"], rows["streaming_events_quarantine"]) == (1, 1)

    events[3]["data"]["pipeline"] = "another"
    fixture.write_bytes(b"\n".join(map(msgspec.json.encode, events)))
    second = check(tmp_path, "fixture.ndjson", "--against", "recorded", "--json", status=1)
    assert second["twice_the_same"]
    difference = second["difference"]
    assert (difference["layer"], difference["table"]) == ("typed", "ai_stream_status")
    (before,), (after,) = difference["only_recorded"], difference["only_now"]
    assert (json.loads(before)["pipeline"], json.loads(after)["pipeline"]) == ("p", "another")
    changed = {each["table"] for each in second["tables"]} - {
        each["table"] for each in second["tables"] if each in first["tables"]
    }
    assert changed == {"ai_stream_status", "streaming_events"}


def test_the_first_layer_that_differs_is_named_with_its_first_rows(tmp_path: Path) -> None:
    recorded = [Dump("decoded", "verdicts", ("1", "2")), Dump("typed", "a", ("x",)), Dump("facts", "f", ())]
    write_record(tmp_path / "run", recorded)
    assert read_record(tmp_path / "run") == recorded
    now = [recorded[0], Dump("typed", "a", ("x", *"bcdef")), Dump("facts", "f", ("y",)), Dump("facts", "new", ())]
    assert first_difference(recorded, now) == RunDifference("typed", "a", (), ("b", "c", "d"))
    assert first_difference(recorded, recorded) is None
    assert first_difference(recorded, recorded[:1]) == RunDifference("typed", "a", ("x",), ())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none.ndjson",), "none.ndjson does not exist: check the path"),
        (("there.ndjson", "--against", "none"), "none: No such file or directory: --against takes what"),
        (("there.ndjson", "--against", "there.ndjson"), "there.ndjson is not a recorded run"),
    ],
)
def test_what_cannot_be_checked(arguments: tuple[str, ...], said: str, place: ReplayPlace) -> None:
    (place.folder / "there.ndjson").write_bytes(b"{}\n")
    assert run(["replay", "check", *arguments]) == 2
    assert said in place.capsys.readouterr().err
