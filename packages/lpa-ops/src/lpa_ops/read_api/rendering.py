"""What goes over the wire: the media type that a client takes, JSON, CSV and entity tags."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from http import HTTPStatus
from io import StringIO
from typing import Any, Final

import msgspec

from lpa_ops.read_api.fields import as_text
from lpa_ops.read_api.problem import ReadRefused

JSON: Final = "application/json"
CSV: Final = "text/csv"
_RANGE: Final = re.compile(r"\s*([^\s;,]+)\s*((?:;[^,]*)?)")
_QUALITY: Final = re.compile(r";\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)", re.IGNORECASE)


def chosen_type(accept: str, offered: Sequence[str]) -> str:
    """Which of the media types an Accept header prefers; the first of equal ones. Raises ReadRefused if none fits."""
    if not accept.strip():
        return offered[0]
    best = max(offered, key=lambda offer: _quality(accept, offer))
    if not _quality(accept, best):
        raise ReadRefused(HTTPStatus.NOT_ACCEPTABLE, f"this is offered as {' and '.join(offered)}: accept one of them")
    return best


def _quality(accept: str, offer: str) -> float:
    """How much it is wanted, 0 to 1: what the most exact range that fits says (RFC 9110 section 12.5.1)."""
    kind = offer.partition("/")[0]
    exactness = {offer: 3, f"{kind}/*": 2, "*/*": 1}
    found = (0, 0.0)
    for name, parameters in _RANGE.findall(accept):
        quality = _QUALITY.search(parameters)
        rank = (exactness.get(name.lower(), 0), float(quality[1]) if quality else 1.0)
        found = max(found, rank) if rank[0] else found
    return found[1]


def as_json(content: Any) -> bytes:
    return msgspec.json.encode(content)


def as_csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows under their names, as RFC 4180 has them."""
    written = StringIO()
    writer = csv.writer(written)
    writer.writerow(columns)
    writer.writerows([[as_text(row[column]) for column in columns] for row in rows])
    return written.getvalue().encode()


def entity_tag(body: bytes) -> str:
    """Of what was read: weak, because the time and the id of a request beside it differ each time."""
    return f'W/"{blake2b(body, digest_size=16).hexdigest()}"'


def is_held(tag: str, if_none_match: str) -> bool:
    """Whether the client has it already (RFC 9110 section 13.1.2)."""
    if if_none_match.strip() == "*":
        return True
    return tag.removeprefix("W/") in [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
