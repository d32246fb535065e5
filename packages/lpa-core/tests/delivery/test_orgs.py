"""Events of several orgs: one key may stand for an event of each (docs/spec/producers.md section 2, P7)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.dedup.store import DedupStore
from lpa_core.delivery.pending_range import PendingRange, build_blocks, claim, give_back
from lpa_core.delivery.range_steps import RangeSteps
from lpa_core.delivery.ranges import Range
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.orgs import TopicOrgs, claim_key
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.records import RecordBatch
from lpa_core.tables.ignored import IGNORED_COUNTS_TABLE, IGNORED_EVENTS_TABLE, IgnoredStore, KeptOfIgnored
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.testing.simulation.records import event
from lpa_core.validation.ignore_rules import families

NOW = 1_768_000_000_000
MAP = TopicOrgs({"of-a": "a", "of-b": "b", "of-nobody": ""})
IGNORED = b'{"type":"webrtc_stats","id":"i"}'


def delivered(
    dedup: DedupStore, topic: str, offset: int, *values: bytes, orgs: TopicOrgs = MAP, org: str | None = None
) -> PendingRange:
    pipeline = Pipeline(
        BUILTIN_EVENT_TYPES,
        ignore_rules=families(["webrtc_stats"]),
        kept_of_ignored=KeptOfIgnored(IgnoredStore.FULL, archived=True),
        orgs=orgs,
    )
    steps = RangeSteps(pipeline, [], lambda stage, seconds: None)
    offsets = range(offset, offset + len(values))
    batch = RecordBatch(topic, 0, offsets, values, [NOW] * len(values), org=org)
    range_ = Range(topic, 0, offset, offsets[-1] + 1, len(values), "", NOW)
    pending = PendingRange(batch, steps.judge(batch, range_), range_, org=steps.org(batch))
    claim(pending, dedup)
    build_blocks(pending, pipeline)
    return pending


def orgs_of(pending: PendingRange) -> Mapping[str, list[str]]:
    return {
        block.table.name: list(block.columns[block.table.column_names.index("org")])
        for block in pending.blocks
        if "org" in block.table.column_names
    }


def test_one_id_of_orgs_a_b_and_a_again_makes_two_events_and_a_duplicate() -> None:
    dedup = MemoryDedupStore(86_400_000)
    first, second, third = (
        delivered(dedup, topic, number, event("one")) for number, topic in enumerate(["of-a", "of-b", "of-a"])
    )
    assert orgs_of(first)[RAW_TABLE.name] == ["a"]
    assert orgs_of(second)[RAW_TABLE.name] == ["b"]
    assert orgs_of(third) == {QUARANTINE_TABLE.name: ["a"]}
    keys = [each.blocks[-1].columns[RAW_TABLE.column_names.index("dedup_key")] for each in (first, second)]
    assert keys == [["one"], ["one"]], "the uid is the same with every org"


def test_what_is_claimed_without_an_org_is_what_was_claimed_before_there_were_orgs() -> None:
    dedup = MemoryDedupStore(86_400_000)
    assert dedup.claim(["one"], "of-nobody", 0, [7], NOW) == [None]
    for topic, orgs in (("of-nobody", MAP), ("of-a", TopicOrgs())):
        pending = delivered(dedup, topic, 8, event("one"), orgs=orgs)
        assert orgs_of(pending) == {QUARANTINE_TABLE.name: [""]}


def test_every_table_of_a_range_says_whose_events_they_are() -> None:
    found = orgs_of(delivered(MemoryDedupStore(86_400_000), "of-b", 0, event("one"), event("one"), b"{", IGNORED))
    assert set(found) >= {
        RAW_TABLE.name,
        DLQ_TABLE.name,
        QUARANTINE_TABLE.name,
        IGNORED_COUNTS_TABLE.name,
        IGNORED_EVENTS_TABLE.name,
    }
    assert len(found) > 5, "typed rows too"
    assert {org for some in found.values() for org in some} == {"b"}


def test_a_topic_that_the_map_does_not_name_is_of_unknown_unless_the_source_knows_better() -> None:
    dedup = MemoryDedupStore(86_400_000)
    assert orgs_of(delivered(dedup, "elsewhere", 0, event("one")))[RAW_TABLE.name] == ["unknown"]
    assert orgs_of(delivered(dedup, "elsewhere", 1, event("one"), org="a"))[RAW_TABLE.name] == ["a"]


def test_a_refused_event_gives_back_the_claim_of_its_own_org() -> None:
    dedup = MemoryDedupStore(86_400_000)
    pending = delivered(dedup, "of-a", 0, event("one"))
    delivered(dedup, "of-b", 0, event("one"))
    pending.range = Range("of-a", 0, 0, 1, 1, "", NOW, {0: "refused"})
    give_back(pending, dedup)
    assert orgs_of(delivered(dedup, "of-a", 1, event("one")))[RAW_TABLE.name] == ["a"]
    assert set(orgs_of(delivered(dedup, "of-b", 1, event("one")))) == {QUARANTINE_TABLE.name}


@pytest.mark.parametrize(("org", "key"), [("", "a-key"), ("a", "a\x1fa-key")])
def test_a_claim_key_is_published(org: str, key: str) -> None:
    assert claim_key(org, "a-key") == key
