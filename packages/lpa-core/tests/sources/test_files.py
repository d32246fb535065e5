"""Reading lines: every byte of every line, whatever the file is like, and on from where it stopped."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.sources import lines as lines_module
from lpa_core.sources.files import LineSource, open_file, open_stdin
from lpa_core.sources.source import SourceError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

EVERYTHING = (1_000_000, 1 << 40)


def source_of(content: bytes) -> LineSource:
    stream = io.BytesIO(content)
    return LineSource("topic", "the stream", stream, stream, len(content))


def lines_of(source: LineSource) -> list[bytes | None]:
    batch = source.read(*EVERYTHING)
    return [] if batch is None else list(batch.values)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\nb", [b"a"]),
        (b"a\r\nb\r\n", [b"a", b"b"]),
        (b"a\n\n\nb\n", [b"a", b"", b"", b"b"]),
        (b"\n", [b""]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", [b"a", b"\xef\xbb\xbfb"]),
        (b"\xef\xbb\xbf", []),
        (b"a\x00b\n\xff\n", [b"a\x00b", b"\xff"]),
    ],
)
def test_lines(content: bytes, expected: list[bytes]) -> None:
    assert lines_of(source_of(content)) == expected


@given(st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b""))), st.integers(1, 7), st.data())
def test_reading_on_gives_the_same_as_reading_at_once(wanted: list[bytes], step: int, data: st.DataObject) -> None:
    content = b"".join(line + b"\n" for line in wanted)
    whole = lines_of(source_of(content))
    assert len(whole) == len(wanted)
    found: list[bytes | None] = []
    resume = ""
    while True:
        source = source_of(content)
        source.seek(len(found), resume)
        for _ in range(data.draw(st.integers(1, 3))):
            batch = source.read(step, 1 << 40)
            if batch is None:
                assert found == whole
                return
            assert list(batch.offsets) == list(range(len(found), len(found) + len(batch)))
            found += batch.values
            resume = batch.resume


@pytest.mark.parametrize("pack", [lambda b: b, gzip.compress, zstd.compress])
def test_compression_is_told_by_content_and_a_grown_file_is_read_on(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    path = tmp_path / "events.ndjson"
    path.write_bytes(pack(b"a\nb\n"))
    first = open_file(path, "run")
    batch = first.read(*EVERYTHING)
    assert batch is not None
    assert (batch.topic, batch.partition, list(batch.values)) == ("events.ndjson", 0, [b"a", b"b"])
    first.close()
    path.write_bytes(path.read_bytes() + pack(b"c\n"))
    again = open_file(path, "run")
    again.seek(2, batch.resume)
    rest = again.read(*EVERYTHING)
    assert rest is not None
    assert (list(rest.offsets), list(rest.values)) == ([2], [b"c"])
    again.close()


@pytest.mark.parametrize("content", [b"x\nb\nc\n", b"a\n", b""])
def test_a_rewritten_or_shortened_file_is_refused(tmp_path: Path, content: bytes) -> None:
    before = source_of(b"a\nb\n").read(*EVERYTHING)
    assert before is not None
    with pytest.raises(SourceError, match="no longer holds what was read"):
        source_of(content).seek(2, before.resume)


def test_a_batch_closes_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "_CHUNK", 100)
    source = source_of(b"0123456789\n" * 100)
    sizes = []
    while (batch := source.read(1000, 250)) is not None:
        sizes.append(len(batch))
    assert sum(sizes) == 100
    assert max(sizes) <= 40


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_whole_lines_before_a_truncation_are_read_and_then_it_is_said(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    noise = b"".join(hashlib.sha256(str(n).encode()).hexdigest().encode() + b"\n" for n in range(20_000))
    path = tmp_path / "cut.ndjson.z"
    path.write_bytes(pack(noise)[:-2000])
    source = open_file(path, "run")
    read: list[bytes | None] = []

    def read_all() -> None:
        while (batch := source.read(1000, 1 << 40)) is not None:
            read.extend(batch.values)

    with pytest.raises(SourceError, match=r"cut\.ndjson\.z breaks off after byte"):
        read_all()
    source.close()
    assert read
    assert read == noise.split(b"\n")[: len(read)]


def test_a_line_too_long_to_hold_is_measured_and_the_next_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "_CHUNK", 1000)
    monkeypatch.setattr(lines_module, "_MAX_LINE_BYTES", 5000)
    monkeypatch.setattr(lines_module, "_KEPT_OF_LONG_LINE", 10)
    long = b"x" * 20_000
    batch = source_of(b"a\n" + long + b"\nb\n").read(*EVERYTHING)
    assert batch is not None
    assert list(batch.values) == [b"a", b"x" * 10, b"b"]
    assert batch.oversized[1].size == 20_000
    assert batch.oversized[1].sha256 == hashlib.sha256(long).hexdigest()


def test_a_long_line_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "long.ndjson"
    path.write_bytes(b"a\n" + b"y" * 50_000_000 + b"\nb\n")
    source = open_file(path, "run")
    assert [len(line or b"") for line in lines_of(source)] == [1, 50_000_000, 1]
    source.close()


@pytest.mark.parametrize(("name", "problem"), [("nothing", "does not exist"), (".", "is a folder")])
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, problem: str) -> None:
    with pytest.raises(SourceError, match=problem):
        open_file(tmp_path / name, "run")


def test_each_run_of_standard_input_has_positions_of_its_own() -> None:
    assert open_stdin("a").topic != open_stdin("b").topic


def test_a_pipe_has_positions_of_its_own_too(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    source = open_file(path, "a")
    assert (source.topic, source.repeatable) == ("pipe-a", False)
    source.close()
    os.close(writer)


def test_a_name_that_is_not_utf8_is_a_topic_that_is(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.ndjson")
    path.write_bytes(b"a\n")
    source = open_file(path, "run")
    assert source.topic == "caf\ufffd.ndjson"
    source.close()
