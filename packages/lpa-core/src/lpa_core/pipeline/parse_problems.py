"""Why a record's bytes are not JSON, in words for who sent them."""

from __future__ import annotations

import json
import re
from typing import Any, Final

_MOST_BYTES: Final = 1 << 20
"""A longer record is not looked at a second time."""
_REGISTRY_HEADER: Final = 5
_FORMATS: Final = (
    (b"\x1f\x8b", "is compressed with gzip: send the text, and let Kafka compress it"),
    (b"\x28\xb5\x2f\xfd", "is compressed with zstd: send the text, and let Kafka compress it"),
    (b"\x04\x22\x4d\x18", "is compressed with lz4: send the text, and let Kafka compress it"),
    (b"\x82SNAPPY\x00", "is compressed with snappy: send the text, and let Kafka compress it"),
    (b"\xff\x06\x00\x00sNaPpY", "is compressed with snappy: send the text, and let Kafka compress it"),
    (b"BZh", "is compressed with bzip2: send the text, and let Kafka compress it"),
    (b"\xfd7zXZ\x00", "is compressed with xz: send the text, and let Kafka compress it"),
    (b"PK\x03\x04", "is a zip archive: send the text"),
    (b"\xef\xbb\xbf", "begins with a byte order mark (EF BB BF): write UTF-8 without it"),
    (b"Obj\x01", "is an Avro file: write plain JSON"),
    (b"\xc3\x01", "is one Avro object with the hash of its schema: write plain JSON"),
    (b"\x1e", "begins with a record separator (RFC 7464): write JSON alone"),
)
_ZLIB: Final = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_UTF_16: Final = re.compile(rb"(?:\xff\xfe)?(?:[\t-~]\x00){2}|(?:\xfe\xff)?(?:\x00[\t-~]){2}")
_PAGE: Final = re.compile(rb"(?i)\s*<(?:!doctype|html|\?xml|[a-z])")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f]")
_PROTOBUF_FIELDS: Final = frozenset({0x08, 0x0A, 0x10, 0x12, 0x18, 0x1A})
"""How a message begins: the first fields, as a number or a text."""
_LAST_COMMA: Final = "a comma after the last value: JSON has none there"
_BASE64_OBJECT: Final = re.compile("eyJ[0-9A-Za-z+/]{20,}")


def parse_problem(value: bytes, error: Exception) -> str:
    """What is wrong with bytes that the decoder could not read, and if this is known, what to send instead.

    Records with the same fault have the same words: triage counts them together.

    ``error`` is the decoder's: UnicodeDecodeError, RecursionError or ValueError.
    """
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return _format(value) or _encoding(value, error) or _text(value, str(error))


def _format(value: bytes) -> str:
    if not value.strip(b"\x00"):
        return "is nothing but NUL bytes"
    if value[:1] == b"\x00" and len(value) >= _REGISTRY_HEADER and not _UTF_16.match(value):
        schema = int.from_bytes(value[1:_REGISTRY_HEADER])
        rest = "JSON after it" if value[_REGISTRY_HEADER:].lstrip()[:1] == b"{" else "Avro or Protobuf after it"
        return (
            f"begins with a Schema Registry header (magic byte 0, schema id {schema}, {rest}): write plain JSON, "
            "with a serializer that knows no registry"
        )
    if _UTF_16.match(value):
        return "is UTF-16: write UTF-8"
    for magic, what in _FORMATS:
        if value.startswith(magic):
            return what
    if _ZLIB.match(value):
        return "is compressed with zlib: send the text, and let Kafka compress it"
    if _PAGE.match(value):
        return "is HTML or XML, not JSON"
    return ""


def _encoding(value: bytes, error: Exception) -> str:
    try:
        value.decode()
    except UnicodeDecodeError as found:
        byte = f"{found.reason} 0x{value[found.start]:02x}"
    else:
        return ""
    if value.lstrip()[:1] in (b"{", b"[", b'"'):
        return f"not UTF-8: {byte}; write UTF-8"
    return f"not UTF-8: {byte}; {_binary(value)}"


def _binary(value: bytes) -> str:
    first = value[0]
    kind = "is not text"
    if 0x80 <= first <= 0x8F or first in (0xDE, 0xDF):
        kind = "may be MessagePack"
    elif 0xA1 <= first <= 0xBF:
        kind = "may be CBOR"
    elif first in _PROTOBUF_FIELDS:
        kind = "may be Protobuf"
    return f"it {kind}: write plain JSON"


def _text(value: bytes, said: str) -> str:
    if len(value) > _MOST_BYTES:
        return said
    text = value.decode()
    if text.lstrip()[:1] not in ("{", "[", '"') and _CONTROL.search(text[:64]):
        return f"{said}; {_binary(value)}"
    if _BASE64_OBJECT.match(text):
        return f"{said}; it may be base64 of JSON: send the JSON itself"
    constants: list[str] = []
    try:
        root = json.loads(text, parse_constant=constants.append)
    except json.JSONDecodeError as error:
        return _malformed(text, error, said)
    except (ValueError, RecursionError):
        return said
    if constants:
        return f"{constants[0]} is not JSON: leave the field out, or write null"
    lone = _lone_surrogate(root)
    if lone:
        return f"half of a character in a text (\\u{lone}, a lone surrogate): write both halves, or U+FFFD"
    return said


def _malformed(text: str, error: json.JSONDecodeError, said: str) -> str:
    rest, before = text[error.pos :], text[: error.pos].rstrip()
    if error.msg == "Extra data":
        if not rest.strip("\x00"):
            return f"{said}: NUL bytes after the JSON: send the text alone"
        if rest[:1] in '{["':
            return f"{said}: more than one JSON value in a record: send one event a record"
    if error.msg.startswith("Invalid control character") and rest:
        return f"a control character (0x{ord(rest[0]):02x}) in a text: write it as \\u{ord(rest[0]):04x}"
    if rest.lstrip()[:1] in ("}", "]") and before.endswith(","):
        return _LAST_COMMA
    if error.msg.startswith("Illegal trailing comma"):  # Python 3.13 and later
        return _LAST_COMMA
    if rest[:1] == "'":
        return "single quotes: JSON has double quotes only"
    for word, written in (("None", "null"), ("True", "true"), ("False", "false"), ("undefined", "null")):
        if rest.startswith(word):
            return f"{word} is not JSON: write {written}"
    if rest.startswith(("//", "/*", "#")):
        return "a comment: JSON has none"
    if "truncated" in said:
        return f"{said}: the record ends in the middle of its JSON"
    return said


def _lone_surrogate(root: Any) -> str:
    """The first half of a character in a document, as its digits; empty if there is none."""
    try:
        json.dumps(root, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        return f"{ord(error.object[error.start]):04x}"
    except (ValueError, RecursionError):
        return ""
    return ""
