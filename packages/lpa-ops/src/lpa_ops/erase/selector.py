"""Which records are of the person that is to be erased: what stands at a path of the event."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Never, final

import attrs

from lpa_core.dedup.key import canonical_json
from lpa_core.errors import UsageError
from lpa_core.pipeline.masking import Masking
from lpa_core.settings.values import RECORD_PATH


@final
@attrs.frozen
class Selector:
    """Records that have one of some texts at a path; below a list, in any of its items.

    Attributes:
        path: from the record's root, such as ``data.user_id``.
        texts: the value, and the hash that stands for it if it is masked.
    """

    path: Sequence[str]
    texts: frozenset[str]

    @classmethod
    def of(cls, path: str, value: str, masking: Masking) -> Selector:
        """Raises UsageError if the path is none, or the value is empty."""
        if not RECORD_PATH.fullmatch(path):
            raise UsageError(f"--path={path}: this is not a path", remedy="write one such as data.user_id")
        if not value.strip():
            raise UsageError("--value is empty: give the value that the person's events have at --path")
        hashed = [masking.hash_of(value)] if masking else []
        return cls(path.split("."), frozenset([value, *hashed]))

    @property
    def needles(self) -> list[str]:
        """A text that holds none of these cannot be of such a record."""
        forms = {form for text in self.texts for ascii_only in (True, False) for form in [_quoted(text, ascii_only)]}
        slashes = {form.replace("/", "\\/") for form in forms}
        return sorted({*forms, *slashes, "\\u"})

    def takes(self, payload: bytes) -> bool:
        """Whether the record is such a one; one that cannot be read is if it holds the text anywhere."""
        try:
            root = json.loads(payload, object_pairs_hook=_with_every_value, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return any(text.encode() in payload for text in self.texts)
        return any(_text(found) in self.texts for found in _at(root, self.path))


def _quoted(text: str, ascii_only: bool) -> str:
    return json.dumps(text, ensure_ascii=ascii_only)[1:-1]


def _with_every_value(pairs: list[tuple[str, Any]]) -> Any:
    """An object; one that has a key twice as a list, so that the path leads to both values."""
    found = dict(pairs)
    return found if len(found) == len(pairs) else [{name: value} for name, value in pairs]


def _refuse(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _at(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _at(value[path[0]], path[1:])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else canonical_json(value)
