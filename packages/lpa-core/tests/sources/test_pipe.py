"""Reading a pipe that makes pauses: what came is handed over after a while, and nothing is lost or told wrongly."""

from __future__ import annotations

import gzip
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.plugins.builtin import lpa_sources
from lpa_core.settings.loading import load
from lpa_core.sources.decompression import Decompressed
from lpa_core.sources.file_kinds import RecognisedText
from lpa_core.sources.files import LineSource, open_file
from lpa_core.sources.lines import LastLine, Lines
from lpa_core.sources.pipe import InputUnavailable
from lpa_core.sources.source import Source, SourceError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

EVERYTHING = (1_000_000, 1 << 40)
SECONDS = 0.05


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


@pytest.fixture
def opened(fifo: Path) -> Iterator[tuple[Source, int]]:
    """The source, and the descriptor of the end that is written to."""
    settings = load({"CLICKHOUSE_SINK_MAX_TIME_MS": str(round(SECONDS * 1_000))})
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    writing = os.open(fifo, os.O_WRONLY)
    with closing(lpa_sources()["file"](str(fifo), settings)) as source:
        os.close(reading)
        yield source, writing
    os.close(writing)


def read(source: Source) -> list[bytes | None]:
    batch = source.read(*EVERYTHING)
    return [] if batch is None else list(batch.values)


def test_what_came_is_handed_over_though_more_may_come(opened: tuple[Source, int]) -> None:
    source, writing = opened
    os.write(writing, b'{"a":1}\n{"a":2}\n{"a"')
    assert read(source) == [b'{"a":1}', b'{"a":2}']
    os.write(writing, b":3}\n")
    assert read(source) == [b'{"a":3}']


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_packed_text_is_handed_over_too(opened: tuple[Source, int], pack: Callable[[bytes], bytes]) -> None:
    source, writing = opened
    second = pack(b'{"a":2}\n')
    os.write(writing, pack(b'{"a":1}\n') + second[:6])
    assert read(source) == [b'{"a":1}']
    os.write(writing, second[6:])
    assert read(source) == [b'{"a":2}']


def test_what_comes_without_a_pause_is_handed_over_in_time(opened: tuple[Source, int]) -> None:
    source, writing = opened
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(SECONDS / 10):
            os.write(writing, b'{"a":1}\n')

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert read(source)
        assert read(source)
    finally:
        ended.set()
        writer.join()


def test_a_pipe_that_is_stopped_while_nothing_comes_ends(opened: tuple[Source, int]) -> None:
    source, writing = opened
    os.write(writing, b'{"a":1}\n{"a"')
    assert isinstance(source, LineSource)
    assert read(source) == [b'{"a":1}']
    timer = threading.Timer(SECONDS * 3, source.stop)
    timer.start()
    assert read(source) == []
    timer.join()


@pytest.mark.parametrize(
    ("pieces", "what"),
    [
        ((b"{\n", b'  "a": 1\n', b"}\n"), "JSON over several lines"),
        ((b"time,level\n", b"1,info\n"), "a table"),
        ((b"<html>\n", b"</html>\n"), "a page of HTML"),
        ((b"BZ", b"h9\x01\x02"), "compressed with bzip2"),
    ],
)
def test_pauses_do_not_hide_what_holds_no_lines_of_json(fifo: Path, pieces: Sequence[bytes], what: str) -> None:
    def write() -> None:
        with fifo.open("wb", buffering=0) as pipe:
            for piece in pieces:
                pipe.write(piece)
                threading.Event().wait(SECONDS * 3)

    writer = threading.Thread(target=write)
    writer.start()
    with closing(open_file(fifo, "run", seconds=SECONDS)) as source, pytest.raises(SourceError, match=what):
        source.read(*EVERYTHING)
    writer.join()


class Halting:
    """Gives its pieces, and makes a pause before each."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._left = [*pieces]
        self._pausing = True

    def read(self, size: int, /) -> bytes:
        if not self._left:
            return b""
        self._pausing = not self._pausing
        if not self._pausing:
            raise InputUnavailable("nothing")
        piece, self._left[0] = self._left[0][:size], self._left[0][size:]
        if not self._left[0]:
            del self._left[0]
        return piece

    def seek(self, place: int, /) -> int:
        raise OSError("a pipe")

    def tell(self) -> int:
        raise OSError("a pipe")


@given(
    lines=st.lists(st.binary(max_size=30).map(lambda text: text.replace(b"\n", b"").replace(b"\r", b"")), max_size=8),
    begun=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    pack=st.sampled_from([lambda text: text, gzip.compress, zstd.compress]),
    cuts=st.lists(st.integers(0, 400), max_size=12),
    patient=st.booleans(),
)
def test_pauses_anywhere_change_no_line(
    lines: list[bytes], begun: bytes, pack: Callable[[bytes], bytes], cuts: list[int], patient: bool
) -> None:
    lines = [b'{"a":1}', *lines]
    content = pack(begun + b"".join(line + b"\n" for line in lines))
    places = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    pieces = [content[begin:end] for begin, end in pairwise(places)]
    text = RecognisedText(Decompressed(Halting(pieces), repeatable=False), "a pipe", "{}")
    found: list[bytes] = []
    reader = Lines(text, "a pipe", LastLine.TAKEN, None if patient else 0.0)
    while batch := reader.take(*EVERYTHING)[0]:
        found += batch
    assert found == lines
