"""Where records of several topics go, and whose events they are there (docs/spec/producers.md section 2)."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from lpa_core.orgs import EventKey, TopicOrgs
from lpa_core.records import Position
from lpa_core.settings.loading import load
from lpa_replay.running.deliver_local import SpoolSource
from lpa_replay.running.pace import SendingPace
from lpa_replay.sources.record import Found
from lpa_replay.spool.outcomes import Outgoing
from lpa_replay.spool.run_folder import RunFolder
from lpa_replay.staging.destination import Destination
from lpa_replay.testing.place import MOMENT, event
from lpa_replay.testing.staging import Known, plan, staged

ORGS = TopicOrgs({"of-a": "a", "of-b": "b"})


def found(topic: str, offset: int, identity: str = "one") -> Found:
    payload = msgspec.json.encode(event(identity, pipeline="p"))
    return Found(payload, Position(topic, 0, offset), MOMENT, MOMENT, MOMENT, failure_class="SCHEMA_INVALID")


@pytest.mark.parametrize(
    ("given", "topics"),
    [
        ({}, ["streaming_events", "streaming_events"]),
        ({"QUALITY_INPUT_TOPICS": "of-a,of-b"}, ["of-a", None]),
        ({"QUALITY_INPUT_TOPICS": "of-a,of-b", "REPLAY_OUTPUT_TOPIC": "again"}, ["again", "again"]),
    ],
)
def test_a_record_goes_back_unless_there_is_one_topic_only(given: dict[str, str], topics: list[str | None]) -> None:
    destination = Destination.of(load(given), kafka=True)
    assert [destination.topic(Position(name, 0, 1)) for name in ("of-a", "a-file")] == topics


def test_what_no_topic_takes_is_skipped_with_the_way_out(tmp_path: Path) -> None:
    destination = Destination(("of-a", "of-b"), ORGS)
    outcomes, outgoing, _, _ = staged(tmp_path, [found("of-c", 1), found("of-b", 2)], destination=destination)
    assert outcomes[0].why == "of-c is not an input topic: REPLAY_OUTPUT_TOPIC names another one"
    assert [(line.origin.topic, line.org) for line in outgoing] == [("of-b", "b")]


def test_events_of_two_orgs_are_not_one_by_their_key(tmp_path: Path) -> None:
    some = [found("of-a", 1), found("of-b", 2), found("of-b", 3), found("of-a", 4, "two")]
    known = Known(keys={EventKey("a", "two"), EventKey("b", "two")})
    outcomes, outgoing, _, _ = staged(tmp_path, some, known, destination=Destination(orgs=ORGS))
    assert [outcome.decision.value for outcome in outcomes] == ["published", "published", "skipped", "skipped"]
    assert [(line.org, line.key) for line in outgoing] == [("a", "one"), ("b", "one")]


def test_a_spool_gives_records_of_one_org_at_a_time(tmp_path: Path) -> None:
    some = [found("of-a", 1, "1"), found("of-a", 2, "2"), found("of-b", 3, "3"), found("of-a", 4, "4")]
    _, _, _, manifest = staged(tmp_path, some, destination=Destination(orgs=ORGS))
    spool = RunFolder(tmp_path, plan().id).outgoing(manifest)
    source = SpoolSource(plan(), spool, (), SendingPace(None))
    batches = []
    while (batch := source.read(100, 1 << 20)) is not None:
        batches.append(batch)
    assert [(batch.org, [*batch.offsets]) for batch in batches] == [("a", [0, 1]), ("b", [2]), ("a", [3])]
    source.seek(batches[1].offsets[0], batches[0].resume)
    again = source.read(100, 1 << 20)
    assert again is not None
    assert (again.org, [*again.offsets]) == ("b", [2])


def test_a_line_of_an_earlier_version_has_no_org() -> None:
    line = Outgoing(b"{}", "key", Position("t", 0, 1), None, 0)
    earlier = msgspec.msgpack.encode(msgspec.msgpack.decode(msgspec.msgpack.encode(line))[:-1])
    assert msgspec.msgpack.decode(earlier, type=Outgoing).org == ""
