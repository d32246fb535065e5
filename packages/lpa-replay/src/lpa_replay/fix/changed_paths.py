"""Which values of a record a repair changes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, final

import attrs
import msgspec

from lpa_core.dedup.key import REPLAY_PREFIX

# A number keeps its digits: 1.0 and 1 are different texts of JSON.
_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


@final
@attrs.frozen
class ChangedPath:
    """``before`` and ``after`` are JSON; None if the value is missing. ``path`` is empty for the whole record."""

    path: str
    before: str | None
    after: str | None


def changed_paths(before: str, after: str) -> list[ChangedPath]:
    """The values that differ, in the order of the record before; the marks of a replay are left out.

    A path is names of keys and numbers of array items with dots between them. Arrays of different lengths differ as a
    whole. A record that is not JSON differs as a whole: its text stands for it.
    """
    new = _decoded(after)
    try:
        old = _decoded(before)
    except (ValueError, RecursionError):
        return [ChangedPath("", before, _text(new))]
    return list(_differences("", old, new))


def _decoded(text: str) -> Any:
    document = _decode(text)
    if isinstance(document, dict):
        return {name: value for name, value in document.items() if not name.startswith(REPLAY_PREFIX)}
    return document


def _differences(path: str, old: Any, new: Any) -> Iterator[ChangedPath]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in old | new:
            inner = f"{path}.{name}" if path else name
            if name not in new:
                yield ChangedPath(inner, _text(old[name]), None)
            elif name not in old:
                yield ChangedPath(inner, None, _text(new[name]))
            else:
                yield from _differences(inner, old[name], new[name])
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differences(f"{path}.{number}", one, other)
    elif _text(old) != _text(new):
        yield ChangedPath(path, _text(old), _text(new))


def _text(value: Any) -> str:
    return _encode(value).decode()
