"""The contract suites on what lpa itself brings, and on things that break a contract: these have to fail."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.model import EventData
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.lifecycle.attribution import AttributionPolicy, NearestSnapshot
from lpa_core.sources.files import LineSource, open_file
from lpa_core.tables.table import Column, Kind
from lpa_core.testing.event_type_check import check_event_type
from lpa_core.testing.policy_suite import AttributionPolicyContract
from lpa_core.testing.source_suite import OpenSource, SourceContract


class TestFiles(SourceContract):
    @pytest.fixture
    def open_source(self, tmp_path: Path) -> OpenSource:
        def open_records(records: Sequence[bytes]) -> LineSource:
            (tmp_path / "events.ndjson").write_bytes(b"".join(record + b"\n" for record in records))
            return open_file(tmp_path / "events.ndjson", "run")

        return open_records


class TestStream(SourceContract):
    @pytest.fixture
    def open_source(self) -> OpenSource:
        def open_records(records: Sequence[bytes]) -> LineSource:
            stream = io.BytesIO(b"".join(record + b"\n" for record in records))
            return LineSource("topic", "the stream", stream, stream, None)

        return open_records


class TestNearestSnapshot(AttributionPolicyContract):
    @pytest.fixture
    def make_policy(self) -> Callable[[], AttributionPolicy]:
        return NearestSnapshot


BROKEN = """
import copy
import threading
import time
from pathlib import Path
import pytest
from lpa_core.plugin import MemoryDedupStore, NearestSnapshot, RecordBatch
from lpa_core.plugin import archive_suite, dedup_suite, policy_suite, savepoint_suite, source_suite

lock = threading.Lock()

class Twice:
    '''Keeps a range as often as it comes.'''
    kept = []
    def recover(self): ...
    def write(self, batch, batch_time): self.kept.extend(batch.values)
    def flush_due(self, now_ms): ...
    def close(self): ...

class TestTwice(archive_suite.ArchiveContract):
    @pytest.fixture
    def place(self):
        class Place:
            def archive(self): return Twice()
            def records(self): return Twice.kept
        Twice.kept = []
        return Place()

class Hoarding:
    '''Forgets no claim.'''
    def __init__(self, ttl_ms):
        self._store, self._all = MemoryDedupStore(ttl_ms), set()
    def claim(self, keys, *given):
        self._all.update(keys)
        return self._store.claim(keys, *given)
    def release(self, *given): self._store.release(*given)
    def snapshot(self, target): self._store.snapshot(target)
    def statistics(self):
        class Figures:
            keys, bytes_on_disk, evicted = len(self._all), 0, 0
        return Figures
    def close(self): self._store.close()

class TestHoarding(dedup_suite.ExpiryContract, dedup_suite.DedupStoreContract):
    @pytest.fixture
    def make_store(self): return Hoarding

class Hasty:
    '''Looks who owns a key, and writes its own claim afterwards, whatever others wrote meanwhile.'''
    def __init__(self, store): self.shared = store
    def claim(self, *given):
        with lock:
            looked = copy.deepcopy(self.shared)
        answers = looked.claim(*given)
        time.sleep(0.002)
        with lock:
            self.shared.claim(*given)
        return answers
    def release(self, *given): self.shared.release(*given)
    def snapshot(self, target): self.shared.snapshot(target)
    def statistics(self): return self.shared.statistics()
    def close(self): ...

class TestHasty(dedup_suite.SharedContract):
    @pytest.fixture
    def store(self): return Hasty(MemoryDedupStore(dedup_suite.TTL))
    @pytest.fixture
    def open_again(self, store): return lambda: Hasty(store.shared)

class Moody:
    '''Remembers what it was asked.'''
    asked = 0
    def select(self, capabilities, wallet, model, url, gpu, time):
        self.asked += 1
        return NearestSnapshot().select(capabilities, wallet, model, url, gpu, time) if self.asked % 3 else None

class TestMoody(policy_suite.AttributionPolicyContract):
    @pytest.fixture
    def make_policy(self): return Moody

class Moving:
    '''Takes the folders away, into one place for all.'''
    def __init__(self, folder): self._folder = folder
    def keep(self, savepoint, folders, location=None):
        target = Path(location or self._folder)
        target.mkdir(parents=True, exist_ok=True)
        for folder in folders.values():
            folder.rename(target / "claims")
        return str(target)
    def restore(self, location): return None

class TestMoving(savepoint_suite.SavepointKeeperContract):
    @pytest.fixture
    def keeper(self, tmp_path): return Moving(tmp_path / "kept")

class Generous:
    '''Gives all records at once, and forgets where it was.'''
    topic, partition, repeatable, size, bytes_read = "t", 0, True, None, 0
    def __init__(self, records): self._records = [*records]
    def seek(self, offset, resume): ...
    def read(self, max_records, max_bytes):
        records, self._records = self._records, []
        return RecordBatch("t", 0, range(len(records)), records) if records else None
    def close(self): ...

class TestGenerous(source_suite.SourceContract):
    @pytest.fixture
    def open_source(self): return Generous
"""
FAILING = {
    "TestTwice": {
        "test_a_range_that_comes_again_is_kept_once",
        "test_after_a_crash_the_range_that_comes_again_is_kept_once",
    },
    "TestHoarding": {"test_expired_claims_are_removed"},
    "TestHasty": {"test_of_two_that_claim_a_key_at_once_exactly_one_owns_it"},
    "TestMoody": {"test_what_was_asked_before_changes_nothing"},
    "TestMoving": {
        "test_it_says_where_a_savepoint_is_kept",
        "test_the_folders_that_it_is_given_stay_as_they_are",
        "test_what_is_not_there_is_refused_with_one_line",
    },
    "TestGenerous": {
        "test_a_batch_has_at_most_so_many_records[1]",
        "test_a_batch_has_at_most_so_many_records[2]",
        "test_a_batch_has_at_most_so_many_records[5]",
        "test_a_batch_closes_when_its_bytes_are_too_many_and_has_one_record_at_least",
        *(f"test_reading_goes_on_after_any_batch[{before}]" for before in (1, 2, 3, 6)),
    },
}


@pytest.mark.slow
def test_failure_30_a_suite_fails_for_what_breaks_its_contract(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text(BROKEN)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-rf", "--tb=no", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    failed = {line.split("::", 1)[1].split(" - ")[0] for line in done.stdout.splitlines() if line.startswith("FAILED")}
    assert {f"{suite}::{name}" for suite, names in FAILING.items() for name in names} <= failed, done.stdout


TIME = 1_767_873_600_000
TABLE = typed_table(
    "said",
    Column("text", Kind.TEXT, at="text"),
    Column("count", Kind.UINT16, at="of.count"),
    Column("note", Kind.TEXT, nullable=True, at="note"),
    order_by=(),
)
SAID = EventType("said", required=("id", "data.text"), tables=(TABLE,))
WHOLE: dict[str, Any] = {"text": "x", "of": {"count": 1}, "note": "n"}


def said(data: object, **envelope: Any) -> dict[str, Any]:
    return {"id": "1", "type": "said", "timestamp": TIME, "data": data} | envelope


def shaped(row: tuple[Any, ...]) -> EventType:
    return EventType("said", EventData, (), (TABLE,), lambda envelope, data: [(TABLE, row)])


def test_an_event_type_that_fits_its_examples_passes() -> None:
    check_event_type(SAID, [said(WHOLE), said({"text": "y"})])


@pytest.mark.parametrize("examples", [said(WHOLE), b"{}", "{}"])
def test_failure_30_one_event_for_examples_is_refused(examples: Any) -> None:
    with pytest.raises(ValueError, match=r"examples is an? (dict|bytes|str): it must be a list of events"):
        check_event_type(SAID, examples)


@pytest.mark.parametrize("event_type", BUILTIN_EVENT_TYPES, ids=lambda each: each.name)
def test_a_built_in_event_type_is_checked_too(event_type: EventType) -> None:
    with pytest.raises(AssertionError, match="there is no example"):
        check_event_type(event_type, [])


@pytest.mark.parametrize(
    ("event_type", "examples", "problem"),
    [
        (SAID, [], "there is no example"),
        (SAID, [b"{"], "example 1: json_parse_error"),
        (SAID, [said({"of": 1}, id="")], "example 1: missing_field: id\nexample 1: missing_field: data.text"),
        (SAID, [said(WHOLE, type="stream_trace")], "example 1: missing_field"),
        (SAID, [said(WHOLE), said({"text": "x", "of": {"count": -1}})], "example 2: 1 of its values do not fit"),
        (
            SAID,
            [said({"text": "x", "count": 1, "note": "n"})],
            "column count is empty in all examples: is there",
        ),
        (
            EventType("said", tables=(TABLE, typed_table("other", Column("a", Kind.TEXT, at="a"), order_by=()))),
            [said(WHOLE)],
            "table other: column a is empty in all examples",
        ),
        (shaped(("x", "1", None)), [said({})], "column count of kind UINT16 cannot hold '1'"),
        (shaped(("x", 70_000, None)), [said({})], "column count of kind UINT16 cannot hold 70000"),
        (shaped((None, 1, None)), [said({})], "column text of kind TEXT cannot hold None"),
        (shaped(("x", True, None)), [said({})], "column count of kind UINT16 cannot hold True"),
        (
            EventType("said", EventData, (), (TABLE,), lambda envelope, data: []),
            [said({})],
            "table said: no example makes a row of it",
        ),
    ],
)
def test_failure_30_what_is_wrong_with_an_event_type_is_told_by_its_examples(
    event_type: EventType, examples: list[Any], problem: str
) -> None:
    with pytest.raises(AssertionError) as told:
        check_event_type(event_type, examples)
    assert str(told.value).startswith("event type 'said':\n")
    assert problem in str(told.value)
