"""Which face values of payments are amounts (docs/spec/producers.md section 4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_AMOUNT: Final = re.compile(
    r"\s*(?:[0-9]{1,77}\s*(?:wei)?|[0-9]{1,59}\.[0-9]{1,18}\s*(?:eth)?|[0-9]{1,59}\s*eth)\s*", re.I | re.A
)


def unparsed(face_values: Iterable[str]) -> int:
    """How many of them are neither wei nor ETH: the schema makes 0 wei of these."""
    amount = _AMOUNT.fullmatch
    return sum(amount(text) is None for text in face_values)
