"""The text of a stream that may be compressed: its first bytes tell how."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, Protocol, final

from lpa_core.sources.pipe import InputUnavailable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_SKIPPABLE: Final = b"\x2a\x4d\x18"
"""Of a zstd frame without text, after a first byte from 0x50 to 0x5f."""
_MAGIC_BYTES: Final = 4
_INPUT_BYTES: Final = 64 << 10
_PIECE_BYTES: Final = 64 << 10

DAMAGED: Final = (OSError, EOFError, zlib.error, zstd.ZstdError)
"""What reading a stream raises that is cut off, damaged or cannot be read."""


class _Packed(Protocol):
    """What is read, packed or not."""

    def read(self, size: int, /) -> bytes: ...
    def seek(self, place: int, /) -> int: ...
    def tell(self) -> int: ...


class _Decoder(Protocol):
    """One gzip member or zstd frame."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /, max_length: int) -> bytes: ...


@final
class _GzipDecoder:
    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, /, max_length: int) -> bytes:
        piece = self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)
        self.needs_input = not self._inflate.unconsumed_tail and len(piece) < max_length
        return piece


@final
class Decompressed:
    """The text of a stream: as it is, or of gzip members or zstd frames one after the other.

    What can be read before a break is handed out before the break is raised, as one of ``DAMAGED``: to the byte if the
    stream can be read again.
    """

    def __init__(self, stream: _Packed, *, repeatable: bool) -> None:
        self.unpacker = ""
        """The command that gives the same text; empty if the stream is plain."""
        self._stream, self._repeatable = stream, repeatable
        self._input = b""
        self._taken = 0
        self._plain: bool | None = None
        self._decoder: _Decoder | None = None
        self._all_skipped = True
        """No frame so far had text: what follows may be of another kind."""
        self._member_start = self._member_text = self._fed_from = 0
        self._damage: Exception | None = None

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes of text, more only of a plain beginning; none at the end. Raises InputUnavailable."""
        if not self._is_plain():
            text = self._unpacked(size)
            if text or not self._is_plain():
                return text
        head, self._input = self._input, b""
        return head or self._stream.read(size)

    def _is_plain(self) -> bool:
        if self._plain is None:
            self._plain = _decoder(self._magic()) is None
        return self._plain

    def _unpacked(self, size: int) -> bytes:
        text = bytearray()
        while len(text) < size and self._damage is None:
            try:
                piece = self._piece(min(size - len(text), _PIECE_BYTES))
            except (OSError, EOFError) as error:
                self._damage, piece = error, b""
            except (zlib.error, zstd.ZstdError) as error:
                self._damage, piece = error, self._before_damage()
            except InputUnavailable:
                if not text:
                    raise
                break
            if not piece:
                break
            text += piece
        if not text and self._damage is not None:
            raise self._damage
        return bytes(text)

    def _piece(self, size: int) -> bytes:
        while not self._plain and (self._decoder is not None or self._begin_member()):
            decoder = self._decoder
            assert decoder is not None
            if decoder.needs_input:
                if not self._input and not self._fill():
                    raise EOFError("it is cut off")
                self._fed_from = self._taken - len(self._input)
            piece = decoder.decompress(self._take_input() if decoder.needs_input else b"", size)
            self._member_text += len(piece)
            if decoder.eof:
                self._input = decoder.unused_data + self._input
                self._decoder = None
            if piece:
                return piece
        return b""

    def _begin_member(self) -> bool:
        """Begin the next member or frame; False at the end, or if it is plain text. Zeros may pad gzip members."""
        while not self._magic().strip(b"\0") and self._input:
            self._input = self._input.lstrip(b"\0")
        self._input = self._input.lstrip(b"\0")
        magic = self._magic()
        self._decoder = _decoder(magic)
        if self._decoder is None:
            self._plain = not magic or self._all_skipped
            self.unpacker = "" if self._all_skipped else self.unpacker
            if not self._plain:
                cut = len(magic) < _MAGIC_BYTES and any(known.startswith(magic) for known in (_GZIP, _ZSTD))
                raise EOFError("it is cut off") if cut else OSError("what follows is neither gzip nor zstd")
            return False
        self.unpacker = self.unpacker or ("zcat" if magic.startswith(_GZIP) else "zstdcat")
        self._all_skipped &= magic[1:] == _SKIPPABLE
        self._member_start, self._member_text = self._taken - len(self._input), 0
        return True

    def _before_damage(self) -> bytes:
        """The text of the damaged member that was not handed out, up to the damage.

        The member is read again: all of it that was well, and then, byte by byte, what held the damage.
        """
        if not self._repeatable:
            return b""
        self._stream.seek(self._member_start)
        decoder = _decoder(self._stream.read(_MAGIC_BYTES))
        assert decoder is not None
        self._stream.seek(self._member_start)
        known, text = self._member_text, bytearray()
        while (left := self._fed_from - self._stream.tell()) > 0:
            known -= sum(map(len, _drained(decoder, self._stream.read(min(left, _INPUT_BYTES)), _PIECE_BYTES)))
        with suppress(zlib.error, zstd.ZstdError):
            while byte := self._stream.read(1):
                for piece in _drained(decoder, byte, 1):
                    text += piece
        return bytes(text[known:])

    def _magic(self) -> bytes:
        while len(self._input) < _MAGIC_BYTES and self._fill():
            pass
        return self._input[:_MAGIC_BYTES]

    def _take_input(self) -> bytes:
        taken, self._input = self._input, b""
        return taken

    def _fill(self) -> bool:
        more = self._stream.read(_INPUT_BYTES)
        self._input += more
        self._taken += len(more)
        return bool(more)


def _drained(decoder: _Decoder, data: bytes, size: int) -> Iterator[bytes]:
    """What the data decode to, in pieces of up to ``size`` bytes."""
    yield decoder.decompress(data, size)
    while not decoder.needs_input and not decoder.eof:
        yield decoder.decompress(b"", size)


def _decoder(magic: bytes) -> _Decoder | None:
    if magic.startswith(_GZIP):
        return _GzipDecoder()
    if magic == _ZSTD or (magic[1:] == _SKIPPABLE and 0x50 <= magic[0] <= 0x5F):
        return zstd.ZstdDecompressor()
    return None
