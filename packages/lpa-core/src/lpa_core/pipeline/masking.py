"""Personal data is taken out of records before anything is made of them. Pure.

What takes its place is decided in docs/decisions/0163-masking-keeps-the-identity.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, final

import attrs
import msgspec

from lpa_core.dedup.key import canonical_json
from lpa_core.records import RecordBatch
from lpa_core.validation.json_document import decoded

HASH: Final = "hash"
DROP: Final = "drop"
WITHHELD: Final = b"withheld: it names a masked path, and is not a JSON object that could be masked"
"""Stands for a record that cannot be masked."""
OF_DROPPED: Final = "__masked"
"""Root key of a record without ``id`` that something was dropped of: a keyed hash of that, so that events that differ
in nothing else keep different dedup keys."""

_MASKED: Final = re.compile(rb'"masked:[0-9a-f]{32}"')
_EMPTY: Final = (b"null", b'""')
_ESCAPE: Final = b"\\u"
"""A key may be written with it."""
_ESCAPED_ASCII: Final = re.compile(rb"\\u00([0-7][0-9a-fA-F])")
_WIDE: Final = b"\0"
"""Between the letters of a name in UTF-16 or UTF-32."""
_Raw = msgspec.Raw
_Fields = dict[str, _Raw]
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.encode


@final
class Masking:
    """Replaces or removes the values at some paths of every record. Masking twice is masking once."""

    def __init__(self, paths: Iterable[str] = (), key: str = "") -> None:
        """
        Args:
            paths: such as ``data.user_info.ip=hash``; below a list, of each of its items.
            key: makes the hashes; without it nobody can tell whether a hash is that of a guessed value.
        """
        self._key = hashlib.sha256(key.encode()).digest()
        self._tree: dict[str, Any] = {}
        paths = tuple(paths)
        names = set[str]()
        for path, _, how in (each.partition("=") for each in paths):
            *parents, name = path.split(".")
            holder = self._tree
            for parent in parents:
                holder = holder.setdefault(parent, {})
            holder[name] = how
            names.add(name)
        self._names = tuple(name.encode() for name in sorted(names))
        steps = {step for each in paths for step in each.partition("=")[0].split(".")}
        self._keys = tuple(f'"{step}"'.encode() for step in sorted(steps))

    def __bool__(self) -> bool:
        return bool(self._names)

    def hash_of(self, text: str) -> str:
        """What stands for this text where it is masked by a hash."""
        return f"masked:{hashlib.blake2b(text.encode(), key=self._key, digest_size=16).hexdigest()}"

    def masked_batch(self, batch: RecordBatch) -> RecordBatch:
        """The batch with each value masked."""
        if not self._names:
            return batch
        mask = self.masked
        return attrs.evolve(batch, values=[None if value is None else mask(value) for value in batch.values])

    def masked(self, value: bytes) -> bytes:
        """The record without what is to be masked; the same bytes if there is nothing.

        What is not a JSON object or array cannot be masked. If it names a masked key, :data:`WITHHELD` takes its place,
        also if the name has escapes, or the record is UTF-16 or UTF-32.
        """
        named = self._is_named(value)
        if not named and (not self._names or (_ESCAPE not in value and _WIDE not in value)):
            return value
        try:
            return self._of_document(self._with_last_of_equal_keys(value.strip()))
        except (ValueError, RecursionError):
            pass
        try:
            root = decoded(value)
            if isinstance(root, dict | list):
                return self._of_document(canonical_json(root).encode())
        except (ValueError, RecursionError):
            pass
        return WITHHELD if named or self._is_named(_ESCAPED_ASCII.sub(_letter, value.replace(_WIDE, b""))) else value

    def _is_named(self, value: bytes) -> bool:
        return any(name in value for name in self._names)

    def _with_last_of_equal_keys(self, value: bytes) -> bytes:
        """The record without values that a later one of the same key hides: nothing else would look at them.

        Raises ValueError, RecursionError.
        """
        if _ESCAPE not in value and all(value.count(key) < 2 for key in self._keys):
            return value
        return canonical_json(decoded(value)).encode() if _has_equal_keys(value) else value

    def _of_document(self, value: bytes) -> bytes:
        """Raises ValueError, RecursionError."""
        dropped: list[tuple[str, str]] = []
        found = self._of_value(value, self._tree, "", dropped)
        if found is None:
            return value
        if dropped and value[:1] == b"{":
            fields = _fields(found)
            if bytes(fields.get("id", _Raw(b"null"))) in _EMPTY:
                fields[OF_DROPPED] = self._hash(canonical_json(sorted(dropped)))
                return _encode(fields)
        return found

    def _of_value(self, value: bytes, tree: Mapping[str, Any], at: str, dropped: list[tuple[str, str]]) -> bytes | None:
        """The value as it is to be, None if it stays. Raises ValueError if the root is neither object nor array."""
        first = value[:1]
        if first == b"[":
            items = _items(value)
            found = [self._of_value(bytes(item), tree, f"{at}.{number}", dropped) for number, item in enumerate(items)]
            if not any(each is not None for each in found):
                return None
            changed = (old if new is None else _Raw(new) for old, new in zip(items, found, strict=True))
            return _encode([*changed])
        if first != b"{":
            if not at:
                raise ValueError
            return None
        fields, is_changed = _fields(value), False
        for name in tree.keys() & fields.keys():
            new = self._replaced(bytes(fields[name]), tree[name], f"{at}.{name}", dropped)
            if new is None:
                continue
            is_changed = True
            if new:
                fields[name] = _Raw(new)
            else:
                del fields[name]
        return _encode(fields) if is_changed else None

    def _replaced(self, value: bytes, how: Any, at: str, dropped: list[tuple[str, str]]) -> bytes | None:
        """The value in place of this one: empty for none at all, None if it stays."""
        if isinstance(how, dict):
            return self._of_value(value, how, at, dropped)
        if value in _EMPTY or _MASKED.fullmatch(value):
            return None
        text = _text(value)
        if how == DROP:
            dropped.append((at, text))
            return b""
        return bytes(self._hash(text))

    def _hash(self, text: str) -> _Raw:
        return _Raw(f'"{self.hash_of(text)}"'.encode())


NOTHING_MASKED: Final = Masking()


def _letter(escape: re.Match[bytes]) -> bytes:
    return bytes.fromhex(escape[1].decode())


def _has_equal_keys(value: bytes) -> bool:
    """Whether any object has a key twice. Raises ValueError, RecursionError."""
    found = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len({name for name, _ in pairs}) != len(pairs)

    json.loads(value, object_pairs_hook=look, parse_int=str, parse_float=str)
    return found


def _text(value: bytes) -> str:
    """A text as it is, anything else as canonical JSON: one person's address has one hash wherever it stands."""
    found = decoded(value)
    return found if isinstance(found, str) else canonical_json(found)
