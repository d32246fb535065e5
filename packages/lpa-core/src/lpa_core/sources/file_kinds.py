"""Files that hold no lines of JSON, told by their first bytes, and what makes lines of JSON of them."""

from __future__ import annotations

import re
import shlex
from json import JSONDecodeError, JSONDecoder
from typing import Any, Final, Protocol, final

import attrs
import msgspec

from lpa_core.sources.decompression import DAMAGED, Decompressed
from lpa_core.sources.pipe import InputUnavailable
from lpa_core.sources.source import SourceError

HEAD_BYTES: Final = 64 << 10
"""How much of a text is looked at."""
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""Of UTF-8: no part of the text."""
STDIN: Final = "standard input"
"""Its name in messages."""


@final
@attrs.frozen
class FileKind:
    """What a file is, and the command that prints its events as lines of JSON; empty if there is none.

    ``command`` has ``{}`` for the path. ``piped`` reads a pipe; without, it is the command without a path.
    """

    what: str
    command: str = ""
    piped: str | None = None

    def command_for(self, path: str) -> str:
        """The command for a file, or for a pipe if the path is empty."""
        if path or self.piped is None:
            return self.command.replace(" {}", f" {shlex.quote(path)}" if path else "")
        return self.piped


_MAGICS: Final = (
    (b"BZh", FileKind("compressed with bzip2", "bzcat {}")),
    (b"\xfd7zXZ\x00", FileKind("compressed with xz", "xzcat {}")),
    (b"\x5d\x00\x00", FileKind("compressed with lzma", "xzcat {}")),
    (b"LZIP", FileKind("compressed with lzip", "lzip -dc {}")),
    (b"\x04\x22\x4d\x18", FileKind("compressed with lz4", "lz4 -dc {}")),
    (b"\x02\x21\x4c\x18", FileKind("compressed with lz4", "lz4 -dc {}")),
    (b"\xff\x06\x00\x00sNaPpY", FileKind("compressed with snappy", "snzip -dc {}")),
    (b"\x1f\x9d", FileKind("compressed with compress", "zcat {}")),
    (b"\x1f\x8b\x08", FileKind("compressed twice", "zcat {}")),
    (b"\x28\xb5\x2f\xfd", FileKind("compressed twice", "zstdcat {}")),
    (b"PK\x03\x04", FileKind("a zip archive", "unzip -p {}", "funzip")),
    (b"PK\x05\x06", FileKind("a zip archive without files", "unzip -p {}", "funzip")),
    (b"7z\xbc\xaf\x27\x1c", FileKind("a 7z archive", "7z x -so {}")),
    (b"Rar!\x1a\x07", FileKind("a rar archive", "unrar p -inul {}")),
    (b"PAR1", FileKind("Parquet", "parquet cat {}")),
    (b"PARE", FileKind("encrypted Parquet")),
    (b"ORC", FileKind("ORC", "orc-contents {}")),
    (b"ARROW1", FileKind("Arrow")),
    (b"FEA1", FileKind("Feather")),
    (b"\xff\xff\xff\xff", FileKind("an Arrow stream")),
    (b"Obj\x01", FileKind("Avro", "avro cat {}")),
    (b"SEQ\x06", FileKind("a Hadoop sequence file")),
    (b"\x89HDF\r\n\x1a\n", FileKind("HDF5")),
    (b"SQLite format 3\x00", FileKind("a SQLite database")),
    (b"%PDF-", FileKind("a PDF document")),
    (b"\x7fELF", FileKind("a program")),
    (b"\x1e{", FileKind("a sequence of JSON texts (RFC 7464)", "tr -d '\\036' < {}", "tr -d '\\036'")),
)
_AS_TEXT: Final = frozenset({b"ORC", b"LZIP", b"PAR1", b"PARE", b"FEA1", b"ARROW1", b"BZh"})
"""What a line could begin with: a byte that no text has must follow."""
_ENCODINGS: Final = (
    ("UTF-32", "LE", b"\xff\xfe\x00\x00", re.compile(rb"(?:[\t-~]\x00{3}){2}")),
    ("UTF-32", "BE", b"\x00\x00\xfe\xff", re.compile(rb"(?:\x00{3}[\t-~]){2}")),
    ("UTF-16", "LE", b"\xff\xfe", re.compile(rb"(?:[\t-~]\x00){2}")),
    ("UTF-16", "BE", b"\xfe\xff", re.compile(rb"(?:\x00[\t-~]){2}")),
)
"""Name, order of bytes, byte order mark, and what the first two characters look like."""
_JSON_BEGINS: Final = b'{["\t\n\r '
_TAR_AT: Final = 257
_PAGE: Final = re.compile(rb"(?i)\s*<(?:!doctype|html|\?xml|!--|head|body|error)")
_FIELD: Final = r'(?:"[^"]*"|[\w .:/@-]+)'
_HEADER: Final = {mark: re.compile(rf"{_FIELD}(?:{mark}{_FIELD})+") for mark in (",", ";", "\t")}
_NO_TEXT: Final = re.compile(rb"[\x00-\x08\x0e-\x1f]")


class ByteStream(Protocol):
    def read(self, size: int, /) -> bytes: ...


@final
class RecognisedText:
    """A text as it is; the first read raises SourceError if it does not begin as lines of JSON can."""

    def __init__(self, stream: Decompressed, name: str, use: str) -> None:
        """``use`` says what to do with a command that prints lines of JSON, ``{}`` for the command."""
        self._stream, self._name, self._use = stream, name, use
        self._head: bytes | None = None

    def recognise(self) -> None:
        """Look at the beginning now. Raises SourceError."""
        if self._head is None:
            self._head = self._recognised(HEAD_BYTES)

    def read(self, size: int, /) -> bytes:
        if self._head is None:
            self._head = self._recognised(size)
        if self._head:
            head, self._head = self._head[:size], self._head[size:]
            return head
        return self._stream.read(size)

    def _recognised(self, size: int) -> bytes:
        head = bytearray()
        ended = False
        while len(head) <= HEAD_BYTES and not ended and not _begins_with_an_object(head):
            try:
                more = self._stream.read(size)
            except InputUnavailable:
                continue
            except DAMAGED:
                break  # raised again once the head is read
            ended = not more
            head += more
        text = bytes(head).removeprefix(BYTE_ORDER_MARK)
        kind = foreign_kind(text[:HEAD_BYTES], whole=ended and len(text) <= HEAD_BYTES)
        if kind is None:
            return bytes(head)
        way_out = "it has to be lines of JSON, one event a line"
        command = self._command(kind)
        if command:
            way_out = f"run `{self._use.format(command)}`"
        raise SourceError(
            f"{self._name} is {kind.what}; lpa reads newline-delimited JSON, plain, gzip or zstd, and stored nothing "
            f"of it: {way_out}"
        )

    def _command(self, kind: FileKind) -> str:
        path = "" if self._name == STDIN else self._name
        unpack = self._stream.unpacker
        if not unpack:
            return kind.command_for(path)
        command = kind.command_for("")
        return command and f"{FileKind('', f'{unpack} {{}}').command_for(path)} | {command}"


def _begins_with_an_object(text: bytearray) -> bool:
    """Whether the first line is whole and a JSON object: no other kind begins like that, whatever comes next."""
    first, end, _ = bytes(text[:HEAD_BYTES]).removeprefix(BYTE_ORDER_MARK).lstrip().partition(b"\n")
    return bool(end) and first.startswith(b"{") and is_json(first)


def foreign_kind(head: bytes, *, whole: bool) -> FileKind | None:
    """What a text is that is not lines of JSON, by its beginning; None if it may be lines of JSON.

    A text whose first line is merely broken may be: the line is a dead letter.

    Args:
        head: the first ``HEAD_BYTES``, or less if there are no more.
        whole: that it has no more.
    """
    return _by_magic(head) or _by_encoding(head) or _by_text(head, whole)


def _by_magic(head: bytes) -> FileKind | None:
    for magic, kind in _MAGICS:
        if head.startswith(magic) and (magic not in _AS_TEXT or _NO_TEXT.search(head)):
            return kind
    if head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return FileKind("a tar archive", "tar -xOf {}", "tar -xOf -")
    return None


def _by_encoding(head: bytes) -> FileKind | None:
    for name, order, mark, two_characters in _ENCODINGS:
        if two_characters.match(head.removeprefix(mark)):
            if head.startswith(mark):
                return FileKind(f"text in {name}", f"iconv -f {name} -t UTF-8 {{}}")
            if head.lstrip(b"\x00")[0] in _JSON_BEGINS:
                return FileKind(f"text in {name}", f"iconv -f {name}{order} -t UTF-8 {{}}")
    return None


def _by_text(head: bytes, whole: bool) -> FileKind | None:
    if _PAGE.match(head):
        return FileKind("a page of HTML or XML, perhaps an error in place of a download")
    lines = head.split(b"\n")
    ended = [line for line in lines[:-1] if line.strip()]
    first = ended[0] if ended else lines[-1]
    if first.lstrip()[:1] in (b"{", b"["):
        return _one_document(first, head, whole, ended)
    return _table(ended)


def _one_document(first: bytes, head: bytes, whole: bool, ended: list[bytes]) -> FileKind | None:
    """A JSON document over several lines, or an array of events in one."""
    is_array = first.lstrip().startswith(b"[")
    if not ended:  # one line, or the beginning of one
        if is_array and (len(head) >= HEAD_BYTES or whole) and _is_array_of_objects(first, cut=not whole):
            return _ARRAY
        return None
    if is_json(first):
        alone = whole and not head.replace(first, b"", 1).strip()
        return _ARRAY if is_array and alone and _is_array_of_objects(first, cut=False) else None
    if not _is_beginning(first) or not _goes_on(head, first, whole, is_array, len(ended)):
        return None
    return _ARRAY if is_array else FileKind("JSON over several lines", "jq -c . {}")


def _goes_on(head: bytes, first: bytes, whole: bool, is_array: bool, lines: int) -> bool:
    """Whether a document that begins in the first line goes on in the lines after it."""
    text = head.decode(errors="replace")
    start = len(text) - len(text.lstrip())
    try:
        _, end = JSONDecoder().raw_decode(text, start)
    except (JSONDecodeError, RecursionError):
        return (is_array or not whole or lines > 2) and _is_beginning(head if whole else head[: head.rfind(b"\n")])
    return end > start + len(first.strip().decode(errors="replace"))


def _table(ended: list[bytes]) -> FileKind | None:
    """Values in columns: a header, and a line with as many columns; no line is JSON."""
    if len(ended) < 2 or any(line.lstrip().startswith(b"{") for line in ended):
        return None
    first, second = (line.decode(errors="replace").strip() for line in ended[:2])
    for mark, header in _HEADER.items():
        if header.fullmatch(first) and first.count(mark) <= second.count(mark):
            return FileKind("a table (CSV), and lpa cannot know which event a row is")
    return None


def _is_array_of_objects(text: bytes, *, cut: bool) -> bool:
    if cut:
        return text.lstrip()[1:].lstrip().startswith(b"{") and _is_beginning(text)
    try:
        found: Any = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, list) and bool(found) and all(isinstance(each, dict) for each in found)


def is_json(text: bytes) -> bool:
    """Whether the text is one whole JSON value."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (ValueError, RecursionError):
        return False
    return True


def _is_beginning(text: bytes) -> bool:
    """Whether JSON could go on after the text. A text with an odd escape may be taken for one."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    except (ValueError, RecursionError):
        return False
    return False


_ARRAY: Final = FileKind("a JSON array", "jq -c '.[]' {}")
