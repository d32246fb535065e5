"""Where a page ends: the hour and the keys of its last row, as text that a client sends back.

Unpadded base64url of a JSON array of texts, the hour in epoch ms first (docs/spec/producers.md section 8).
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Final, final

import attrs
import msgspec

MAX_CHARACTERS: Final = 4096
_MILLISECONDS: Final = re.compile(r"0|-?[1-9][0-9]{0,14}")


@final
@attrs.frozen
class Cursor:
    """The last row of a page: its hour, epoch ms, and its keys in the order of the route."""

    hour_ms: int
    keys: tuple[str, ...]

    def __str__(self) -> str:
        written = msgspec.json.encode([str(self.hour_ms), *self.keys])
        return urlsafe_b64encode(written).rstrip(b"=").decode("ascii")


def read_cursor(text: str, keys: Sequence[str]) -> Cursor:
    """The cursor of a text, for a route whose rows have these keys. Raises ValueError if it is not one."""
    if len(text) > MAX_CHARACTERS or not re.fullmatch("[A-Za-z0-9_-]+", text):
        raise ValueError
    hour, *found = msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=list[str])
    if not _MILLISECONDS.fullmatch(hour) or len(found) != len(keys):
        raise ValueError
    cursor = Cursor(int(hour), tuple(found))
    if str(cursor) != text:  # another text of the same row
        raise ValueError
    return cursor
