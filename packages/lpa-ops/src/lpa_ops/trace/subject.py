"""What is traced: a position, or an id of any kind."""

from __future__ import annotations

import re
from typing import Final, final

import attrs

from lpa_core.errors import UsageError
from lpa_core.printable import printable
from lpa_core.records import Position

_POSITIONS: Final = (
    re.compile(r"(?P<topic>.+)/(?P<partition>\d{1,10})/(?P<offset>\d{1,19})", re.DOTALL),
    re.compile(r"(?P<topic>.+)\[(?P<partition>\d{1,10})\]@(?P<offset>\d{1,19})", re.DOTALL),
    re.compile(r"(?P<topic>.+):(?P<partition>\d{1,10}):(?P<offset>\d{1,19})", re.DOTALL),
)
"""As the command line takes a position, as messages show one, and as marks of a replay have it."""
_MAX_PARTITION: Final = 2**31 - 1


@final
@attrs.frozen
class TraceSubject:
    """What somebody asks for.

    Attributes:
        id: the text: of an event, stream, request, session or job, or a dedup key, unless it is a position.
        position: the one that the text names; None for any other text. An id may look like one.
    """

    id: str
    position: Position | None

    @classmethod
    def of(cls, text: str) -> TraceSubject:
        """Raises UsageError if there is nothing to look for, or what no stored text can be."""
        wanted = text.strip(" ")
        if not wanted:
            raise UsageError("the id is empty: give an id, or a position such as streaming_events/0/1234")
        try:
            wanted.encode()
        except UnicodeEncodeError:
            raise UsageError(
                f"the id {printable(wanted[:200])} is not UTF-8, as all stored ids are: give it again"
            ) from None
        return cls(wanted, position_of(wanted))

    @property
    def stream_and_request(self) -> tuple[str, str]:
        """The two halves of a session's id, ``stream_id|request_id``; of any other id itself and nothing."""
        stream, mark, request = self.id.partition("|")
        return (stream, request) if mark and stream and request else (self.id, "")


def position_of(text: str) -> Position | None:
    """The position that a text names, in one of the forms that lpa prints; None for any other text."""
    for form in _POSITIONS:
        found = form.fullmatch(text)
        if found is not None and int(found["partition"]) <= _MAX_PARTITION and int(found["offset"]) < 2**63:
            return Position(found["topic"], int(found["partition"]), int(found["offset"]))
    return None


def shown_position(position: Position) -> str:
    """As the command line takes it, in characters that print."""
    return printable(f"{position.topic}/{position.partition}/{position.offset}")
