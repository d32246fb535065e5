"""Files that hold no lines of JSON are told by their content, and refused with the way out."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpa_core.sources.files import LineSource, open_file, open_stdin
from lpa_core.sources.source import SourceError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

EVENTS = [
    {"id": f"e{n}", "type": "stream_trace", "timestamp": 1_700_000_000_000, "data": {"type": "t", "list": [1, {}]}}
    for n in range(40)
]
LINES = b"".join(json.dumps(event).encode() + b"\n" for event in EVENTS)
SKIPPABLE = b"\x5a\x2a\x4d\x18" + struct.pack("<I", 5) + b"hello"


def read_all(source: LineSource) -> list[bytes | None]:
    found: list[bytes | None] = []
    while (batch := source.read(7, 1 << 40)) is not None:
        found += batch.values
    source.close()
    return found


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(SourceError) as refused:
        open_file(path, "run")
    assert "\n" not in str(refused.value)
    return str(refused.value)


def zip_of(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("events.ndjson", content)
    return file.getvalue()


def tar_of(content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("events.ndjson")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        SKIPPABLE + zstd.compress(LINES),
        zstd.compress(LINES) + SKIPPABLE,
        SKIPPABLE * 3 + zstd.compress(LINES[:1000]) + SKIPPABLE + zstd.compress(LINES[1000:]),
        zstd.compress(LINES[:1000]) + zstd.compress(b"") + zstd.compress(LINES[1000:]),
        gzip.compress(LINES[:1000]) + gzip.compress(LINES[1000:]) + b"\x00" * 512,
        b"\xef\xbb\xbf" + LINES,
        gzip.compress(b"\xef\xbb\xbf" + LINES),
    ],
)
def test_failure_25_frames_and_members_are_one_text(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "events.txt"
    path.write_bytes(content)
    assert read_all(open_file(path, "run")) == LINES.splitlines()


def test_failure_25_a_file_of_skippable_frames_alone_has_no_records(tmp_path: Path) -> None:
    path = tmp_path / "events.zst"
    path.write_bytes(SKIPPABLE * 2)
    assert read_all(open_file(path, "run")) == []


@pytest.mark.parametrize(
    ("content", "command"),
    [
        (bz2.compress(LINES), "bzcat {}"),
        (lzma.compress(LINES), "xzcat {}"),
        (lzma.compress(LINES, format=lzma.FORMAT_ALONE), "xzcat {}"),
        (zip_of(LINES), "unzip -p {}"),
        (tar_of(LINES), "tar -xOf {}"),
        (gzip.compress(tar_of(LINES)), "zcat {} | tar -xOf -"),
        (gzip.compress(gzip.compress(LINES)), "zcat {} | zcat"),
        (LINES.decode().encode("utf-16"), "iconv -f UTF-16 -t UTF-8 {}"),
        (LINES.decode().encode("utf-16-le"), "iconv -f UTF-16LE -t UTF-8 {}"),
        (LINES.decode().encode("utf-16-be"), "iconv -f UTF-16BE -t UTF-8 {}"),
        (b"\xfe\xff" + LINES.decode().encode("utf-16-be"), "iconv -f UTF-16 -t UTF-8 {}"),
        (LINES.decode().encode("utf-32"), "iconv -f UTF-32 -t UTF-8 {}"),
        (gzip.compress(LINES.decode().encode("utf-16")), "zcat {} | iconv -f UTF-16 -t UTF-8"),
        (zstd.compress(LINES.decode().encode("utf-16")), "zstdcat {} | iconv -f UTF-16 -t UTF-8"),
        (b"\x1e" + LINES.replace(b"\n", b"\n\x1e"), "tr -d '\\036' < {}"),
    ],
)
def test_failure_25_the_command_that_is_named_gives_the_lines(tmp_path: Path, content: bytes, command: str) -> None:
    path = tmp_path / "events of today.ndjson"  # the extension says nothing
    said = refusal(path, content)
    shell = command.format(f"'{path}'")
    assert f"`{shell} | lpa ingest -`" in said
    program = command.partition(" ")[0]
    if subprocess.run(["sh", "-c", f"command -v {program}"], capture_output=True, check=False).returncode:
        return
    printed = subprocess.run(["sh", "-c", shell], capture_output=True, check=True).stdout
    assert printed.removeprefix(b"\xef\xbb\xbf").strip(b"\x1e") == LINES


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x04\x22\x4d\x18" + b"x" * 40, "lz4"),
        (SKIPPABLE + b"\x04\x22\x4d\x18" + b"x" * 40, "lz4"),
        (b"PAR1\x15\x04\x15", "Parquet"),
        (b"ORC\x08\x03\x10", "ORC"),
        (b"Obj\x01\x04\x14avro.codec", "Avro"),
        (b"ARROW1\x00\x00" + b"x" * 40, "Arrow"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"<!DOCTYPE html>\n<html>", "page of HTML"),
        (b'<?xml version="1.0"?>\n<Error>', "page of HTML or XML"),
        (b"id,type,timestamp\na,b,1\n", "CSV"),
        (b'"id";"type"\n"a";"b"\n', "CSV"),
        (b"id\ttype\na\tb\n", "CSV"),
    ],
)
def test_failure_25_what_is_no_text_of_json_is_named(tmp_path: Path, content: bytes, what: str) -> None:
    assert what in refusal(tmp_path / "events.ndjson", content)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(EVENTS).encode(),
        json.dumps(EVENTS).encode() + b"\n",
        json.dumps(EVENTS * 100).encode(),
        b"[\n" + b",\n".join(LINES.splitlines()) + b"\n]\n",
        b"[" + b"\n,".join(LINES.splitlines()) + b"]",
        b"[" + b",\r\n".join(LINES.splitlines()[:3]),  # being written
        json.dumps(EVENTS, indent=2).encode(),
        json.dumps(EVENTS * 100, indent="\t").encode(),
        b"\n\n  " + json.dumps(EVENTS, indent=2).encode(),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_failure_25_a_json_array_is_refused(tmp_path: Path, content: bytes, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "events.json"
    command = f"jq -c '.[]' {path}" if pack is bytes else f"zcat {path} | jq -c '.[]'"
    assert f"`{command} | lpa ingest -`" in refusal(path, pack(content))


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(EVENTS[0], indent=2).encode(),
        json.dumps({"events": EVENTS}, indent=1).encode() + b"\n",
        b"\n".join(json.dumps(event, indent=4).encode() for event in EVENTS * 20),
        json.dumps(EVENTS[0], indent=2).encode()[:70],  # being written
    ],
)
def test_failure_25_json_over_several_lines_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "event.json"
    assert f"`jq -c . {path} | lpa ingest -`" in refusal(path, content)


@pytest.mark.parametrize(
    "first",
    [
        b"not json",
        b"",
        b"[1,2]",
        b'[{"a":1}]',
        b"[{broken",
        b"{",
        b'{"id":"a","data":',
        b'{"id":"a",',
        b'{"id":"\\ud800"}',
        b'{"a":1}{"b":2}',
        b"[" * 100_000,
        b"\x00" * 5000,
        b"a,b,c",
        b"<html>"[1:],
        b"BZh of a text",
        b"ORC of a text",
        b"\xff\xfe\xfd",
        b'{"a":"' + b"y" * 200_000 + b'"}',
    ],
)
def test_failure_25_a_broken_first_line_is_one_bad_record(tmp_path: Path, first: bytes) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(first + b"\n" + LINES)
    assert read_all(open_file(path, "run")) == [first, *LINES.splitlines()]


@settings(max_examples=30)
@given(
    st.lists(
        st.dictionaries(st.text(max_size=3), st.text() | st.integers() | st.lists(st.integers())),
        min_size=1,
        max_size=4,
    )
)
def test_failure_25_no_lines_of_json_are_refused(objects: list[object]) -> None:
    from lpa_core.sources.file_kinds import foreign_kind

    text = b"".join(json.dumps(each).encode() + b"\n" for each in objects)
    for size in range(0, len(text) + 1, 7):
        assert foreign_kind(text[:size], whole=True) is None
        assert foreign_kind(text[:size], whole=False) is None


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress, lambda text: SKIPPABLE + zstd.compress(text)])
def test_failure_25_a_compressed_stream_on_standard_input_is_read(
    monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(pack(LINES))))
    assert read_all(open_stdin("run")) == LINES.splitlines()


def test_failure_25_another_kind_on_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(bz2.compress(LINES))))
    with pytest.raises(SourceError, match=r"standard input is compressed with bzip2.*`bzcat \| lpa ingest -`"):
        read_all(open_stdin("run"))
