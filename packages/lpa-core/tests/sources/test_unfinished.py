"""Files that are being written, cut off or damaged: each event is one record, and what is whole is stored."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.checkpoint import FileCheckpoint
from lpa_core.delivery.run_report import Report
from lpa_core.delivery.source_worker import SourceLimits, SourceWorker, Step, StepListener
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.sources import lines as lines_module
from lpa_core.sources.files import open_file, open_stdin
from lpa_core.sources.source import SourceError
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.testing.doubles import MemorySink, SimulatedCrash

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIPELINE = Pipeline(BUILTIN_EVENT_TYPES)
FIRST, SECOND, THIRD = (
    f'{{"id":"e{number}","type":"stream_trace","timestamp":1700000000000,'
    f'"data":{{"stream_id":"s","request_id":"r","type":"t{number}"}}}}'.encode()
    for number in (1, 2, 3)
)
HALF = len(SECOND) // 2
NOISE = b"".join(hashlib.sha256(str(n).encode()).hexdigest().encode() + b"\n" for n in range(30_000))


@attrs.define
class Place:
    """A file, and what outlives a process that reads it."""

    folder: Path
    sink: MemorySink = attrs.field(factory=lambda: MemorySink(lambda table, row: None))
    dedup: MemoryDedupStore = attrs.field(factory=lambda: MemoryDedupStore(1 << 40))

    @property
    def file(self) -> Path:
        return self.folder / "events.ndjson"

    def run(self, *, complete: bool = False, listener: StepListener = lambda step, range_: None) -> Report:
        self.sink.open((*PIPELINE.tables, RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE))
        source = open_file(self.file, "run")
        if complete:
            source.take_unfinished()
        checkpoint = FileCheckpoint(self.folder, source.topic, 0, "memory")
        limits = SourceLimits(1_000, 1 << 40)
        worker = SourceWorker(source, PIPELINE, self.dedup, [self.sink], checkpoint, limits=limits, listener=listener)
        try:
            return worker.run()
        finally:
            source.close()
            checkpoint.close()

    def counts(self) -> tuple[int, int, int]:
        """Events, dead letters, duplicates."""
        events, dead, duplicates = (self.sink.tables[table.name] for table in (RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE))
        return len(events), len(dead), len(duplicates)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@settings(max_examples=40)
@given(st.integers(0, len(SECOND)), st.sampled_from([b"\n", b"\r\n"]), st.booleans())
def test_failure_24_a_line_that_is_being_written_waits_wherever_it_ends(size: int, end: bytes, more: bool) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        place.file.write_bytes(FIRST + end + SECOND[:size])
        report = place.run()
        assert (report.read, report.unfinished) == (1, size)
        assert place.run().read == 0
        place.file.write_bytes(FIRST + end + SECOND + end + (THIRD + end) * more)
        assert place.run().unfinished == 0
        assert place.counts() == (2 + more, 0, 0)


def test_failure_24_a_line_end_of_two_bytes_may_come_in_two_writes(place: Place) -> None:
    place.file.write_bytes(FIRST + b"\r")
    assert place.run().unfinished == len(FIRST) + 1
    place.file.write_bytes(FIRST + b"\r\n")
    assert place.run().accepted == 1


def test_failure_24_a_last_line_is_taken_if_the_file_is_said_to_be_complete(place: Place) -> None:
    place.file.write_bytes(FIRST + b"\n" + SECOND)
    report = place.run(complete=True)
    assert (report.accepted, report.unfinished) == (2, 0)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_failure_24_the_end_of_a_line_that_was_taken_without_it_is_no_record(place: Place, end: bytes) -> None:
    place.file.write_bytes(FIRST)
    assert place.run(complete=True).accepted == 1
    place.file.write_bytes(FIRST + end + SECOND + end)
    assert place.run().read == 1
    assert place.counts() == (2, 0, 0)


def test_failure_24_the_rest_of_a_line_that_was_taken_too_early_comes_as_the_whole_line(place: Place) -> None:
    place.file.write_bytes(FIRST + b"\n" + SECOND[:HALF])
    assert place.run(complete=True).dead_lettered.total() == 1
    place.file.write_bytes(FIRST + b"\n" + SECOND + b"\n" + THIRD + b"\n")
    assert place.run().accepted == 2
    assert place.counts() == (3, 1, 0)
    assert {row["raw_json"] if "raw_json" in row else row["id"] for row in place.sink.tables[RAW_TABLE.name]}


@pytest.mark.parametrize("killed_at", [Step.PREPARED, Step.WRITTEN])
@pytest.mark.parametrize("grown", [SECOND, SECOND + b"\n", SECOND + b"\n" + THIRD + b"\n"])
@pytest.mark.parametrize("taken", [HALF, len(SECOND)])
def test_failure_24_a_range_that_took_a_last_line_is_repeated_though_the_file_has_grown(
    place: Place, killed_at: Step, grown: bytes, taken: int
) -> None:
    place.file.write_bytes(FIRST + b"\n" + SECOND[:taken])

    def die(step: Step, range_: object) -> None:
        if step is killed_at:
            raise SimulatedCrash

    with pytest.raises(SimulatedCrash):
        place.run(complete=True, listener=die)
    place.file.write_bytes(FIRST + b"\n" + grown)
    place.run()
    place.run(complete=True)
    expected = (3 if THIRD in grown else 2, int(taken == HALF), 0)
    assert place.counts() == expected


def test_failure_24_a_long_line_that_is_being_written_waits(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "_CHUNK", 1000)
    monkeypatch.setattr(lines_module, "_MAX_LINE_BYTES", 5000)
    place.file.write_bytes(FIRST + b"\n" + b"x" * 20_000)
    report = place.run()
    assert (report.read, report.unfinished) == (1, 20_000)
    place.file.write_bytes(FIRST + b"\n" + b"x" * 30_000 + b"\n" + SECOND + b"\n")
    assert place.run().read == 2
    assert place.counts() == (2, 1, 0)


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_failure_24_a_member_may_be_added_in_the_middle_of_a_line(place: Place, pack: Callable[[bytes], bytes]) -> None:
    place.file.write_bytes(pack(FIRST + b"\n" + SECOND[:HALF]))
    assert (place.run().unfinished, place.counts()) == (HALF, (1, 0, 0))
    place.file.write_bytes(place.file.read_bytes() + pack(SECOND[HALF:] + b"\n"))
    place.run()
    assert place.counts() == (2, 0, 0)


def test_failure_24_standard_input_ends_with_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(FIRST + b"\n" + SECOND)))
    batch = open_stdin("run").read(10, 1 << 40)
    assert batch is not None
    assert list(batch.values) == [FIRST, SECOND]


def test_failure_24_whole_lines_before_a_cut_are_stored_and_counted_and_the_whole_file_goes_on(place: Place) -> None:
    whole = gzip.compress(FIRST + b"\n" + SECOND + b"\n" + THIRD + b"\n")
    place.file.write_bytes(whole[:-9])
    with pytest.raises(SourceError, match=r"breaks off after byte \d+ .*this run stored [123]: "):
        place.run()
    stored, _, _ = place.counts()
    assert stored >= 1
    place.file.write_bytes(whole)
    assert place.run().read == 3 - stored
    assert place.counts() == (3, 0, 0)


def damaged(packed: bytes, at: int) -> bytes:
    return packed[:at] + bytes([packed[at] ^ 0xFF]) + packed[at + 1 :]


def checked(text: bytes) -> bytes:
    return zstd.compress(text, options={zstd.CompressionParameter.checksum_flag: 1})


@pytest.mark.parametrize("pack", [gzip.compress, checked])
def test_failure_24_every_whole_line_before_damage_is_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(damaged(pack(NOISE), -2))  # in the checksum: all of the text is there
    source = open_file(path, "run")
    read: list[bytes | None] = []

    def read_all() -> None:
        while (batch := source.read(1000, 1 << 40)) is not None:
            read.extend(batch.values)

    with pytest.raises(SourceError, match="breaks off after byte"):
        read_all()
    source.close()
    assert read == NOISE.split(b"\n")[:-1]


def test_failure_24_damage_in_one_member_takes_none_of_the_members_before_it(tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    for pack in (gzip.compress, checked):
        path.write_bytes(pack(FIRST + b"\n") + damaged(pack(SECOND + b"\n"), 20))
        source = open_file(path, "run")
        batch = source.read(10, 1 << 40)
        assert batch is not None
        assert batch.values[0] == FIRST
        with pytest.raises(SourceError, match="breaks off"):
            source.read(10, 1 << 40)
        source.close()


def test_failure_24_damage_before_the_checkpoint_is_not_called_another_file(place: Place) -> None:
    whole = gzip.compress(NOISE[:6500])
    place.file.write_bytes(whole)
    assert place.run().read == 100
    place.file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="breaks off"):
        place.run()
