"""Bad input: a clear line and nothing done, or a counted outcome."""

from __future__ import annotations

import gzip

import msgspec
import pytest

from lpa_replay.testing.place import MOMENT, ReplayPlace, event

REFUSED = {
    "no window": ((), "no window: give --start and --end"),
    "no plan": ((), "and `lpa replay run --plan FILE` what `lpa replay plan` wrote"),
    "end before start": (("--start", str(MOMENT), "--end", str(MOMENT - 1)), "is after --end"),
    "equal bounds": (("--start", str(MOMENT), "--end", str(MOMENT)), "the end is exclusive and has to be later"),
    "not a number": (("--start", "noon"), "--start=noon: this is not a time"),
    "seconds": (("--start", "1767873600"), "these are seconds since the epoch, milliseconds are needed"),
    "no such file": (("--all", "--from", "none.ndjson"), "none.ndjson: No such file or directory: --from takes"),
    "no archive": (("--all", "--from", "archive", "--archive", "none"), "none: No such file or directory"),
    "archive where": (("--all", "--from", "archive"), "--from archive needs --archive"),
    "no fix file": (("--all", "--fix", "none.toml"), "none.toml: No such file or directory: --fix takes"),
    "no class": (("--all", "--class", "BAD"), "--class BAD: there are DESERIALIZATION_FAILED"),
    "no stage": (("--all", "--stage", "BAD"), "--stage BAD: there are DESERIALIZATION"),
    "no target": (("--all", "--to", "mars"), "--to mars: there are topic and local"),
    "no clock": (("--all", "--by", "sun"), "--by sun: there are event and ingestion"),
    "no rate": (("--all", "--rate", "0"), "--rate 0.0: a rate has to be more than 0"),
    "where of a file": (("--all", "--from", "events.ndjson", "--where", "1"), "cannot be used with --from"),
}


@pytest.mark.parametrize(("options", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_replayed_is_refused_before_anything_is_done(
    options: tuple[str, ...], said: str, place: ReplayPlace
) -> None:
    (place.folder / "events.ndjson").write_bytes(b"")
    answer = place.replay(*options, status=2)
    assert said in answer
    assert answer.count("\n") == 1
    assert not [*(place.folder / "lpa-data" / "replays").glob("*/manifest.json")]


def test_a_table_that_is_not_there(place: ReplayPlace) -> None:
    place.ingest([event("a")])
    place.engine.command(f"DROP TABLE {place.database}.streaming_events_dlq SYNC")
    assert "has no table streaming_events_dlq: `lpa schema apply` makes" in place.replay("--all", status=2)


def test_a_replay_that_is_not_there(place: ReplayPlace) -> None:
    place.ingest([event("a")])
    for command in ("verify", "show"):
        assert "there is no replay 'nonsense'" in place.lpa("replay", command, "nonsense", status=2)


def test_what_is_no_plan(place: ReplayPlace) -> None:
    assert "plan.json: No such file or directory" in place.replay("--plan", "plan.json", status=2)
    (place.folder / "plan.json").write_text("{}")
    assert "plan.json is not a plan: name a file that `lpa replay plan` wrote" in place.replay(
        "--plan", "plan.json", status=2
    )


def test_envelopes_that_cannot_be_read_are_counted(place: ReplayPlace) -> None:
    place.ingest([event("stored", pipeline="p")])
    lines = [
        b'{"schemaVersion": "v9", "failure": {}, "payload": {}}',
        b'{"schemaVersion": "v1", "failure": 5, "payload": {}}',
        b'{"schemaVersion": "v1", "failure": {}, "payload": {"encoding": "base64", "body": "%"}}',
        b'{"id": "plain record", "type": "x"}',
    ]
    (place.folder / "envelopes.ndjson").write_bytes(b"\n".join(lines))
    plan = place.plan("--all", "--from", "envelopes.ndjson")
    assert (plan["unrecoverable"], plan["published"]) == (3, 1)
    assert place.plan("--start", str(MOMENT), "--from", "envelopes.ndjson")["untimed"] == 4


def test_a_file_that_breaks_off_sends_nothing(place: ReplayPlace) -> None:
    place.ingest([event("stored", pipeline="p")])
    lines = b"".join(msgspec.json.encode(event(str(number), pipeline="p")) + b"\n" for number in range(20_000))
    whole = gzip.compress(lines)
    (place.folder / "cut.ndjson.gz").write_bytes(whole[: len(whole) // 2])
    assert "breaks off after byte" in place.replay("--all", "--from", "cut.ndjson.gz", status=1)
    assert place.count("streaming_events") == 1
