"""Dead letters for people: which reasons, and the latest records with the beginning of what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console

from lpa_core.commands.listing import Cell, ListColumn, print_block, print_list, print_paragraph
from lpa_core.commands.output import folded
from lpa_ops.dead_letters.payload import payload_text, without_marks

_REASONS_SHOWN: Final = 10
_LETTERS_SHOWN: Final = 3
_SHOWN_OF_A_PAYLOAD: Final = 200


def print_dead_letters(
    console: Console,
    details: Sequence[Mapping[str, Any]],
    letters: Sequence[Mapping[str, Any]],
    *,
    title: str,
    wide: bool,
) -> None:
    """Print counts by reason and the latest dead letters. ``wide`` shows all that there are, with their whole payload.

    Args:
        details, letters: rows of :func:`~lpa_ops.triage.queries.failures_in_detail` and ``latest_letters``.
    """
    shown = details if wide else details[:_REASONS_SHOWN]
    rows = [(f"{row['total']:,}", row["event_type"] or "-", reason(row)) for row in shown]
    columns = (ListColumn("count", right=True), "type", ListColumn("reason", prose=True))
    print_list(console, columns, rows, title=title)
    _print_rest(console, len(details) - len(shown), "reasons")
    samples = letters if wide else letters[:_LETTERS_SHOWN]
    console.print()
    for letter in samples:
        _print_letter(console, letter, wide=wide)
    _print_rest(console, len(letters) - len(samples), "of the latest")


def print_other_content(console: Console, keys: Sequence[Mapping[str, Any]], *, when: str, wide: bool) -> None:
    """Print events that share the key of a stored event, and not its content.

    Args:
        keys: rows of :func:`~lpa_ops.triage.queries.same_key_other_content`.
    """
    rows = [(f"{row['total']:,}", row["event_type"] or "-", row["key"]) for row in keys]
    columns = (ListColumn("count", right=True), "type", ListColumn("key", prose=True))
    print_list(console, columns, rows, title=f"Same key, other content: quarantined {when}, and not stored")
    console.print()
    for row in keys if wide else keys[:1]:
        fields: list[tuple[str, Cell]] = [
            ("stored", folded(f"{row['stored_position']} {_beginning(row['stored_json'], wide)}")),
            ("quarantined", folded(f"{row['latest_position']} {_beginning(row['latest_json'], wide)}")),
        ]
        print_block(console, row["key"], fields)
    print_paragraph(console, "Each event needs an id of its own: correct the producer")


def _beginning(payload: str, wide: bool) -> str:
    text = without_marks(payload)
    return text if wide or len(text) <= _SHOWN_OF_A_PAYLOAD else f"{text[:_SHOWN_OF_A_PAYLOAD]} ..."


def reason(row: Mapping[str, Any]) -> str:
    """Class, reason and details in one line, such as ``SCHEMA_INVALID missing_field: data.request_id``."""
    details = f": {row['failure_details']}" if row["failure_details"] else ""
    return f"{row['failure_class']} {row['failure_reason']}{details}"


def _print_letter(console: Console, letter: Mapping[str, Any], *, wide: bool) -> None:
    place = f"{letter['source_topic']}:{letter['source_partition']}:{letter['source_offset']}"
    payload = without_marks(payload_text(letter))
    cut = not wide and len(payload) > _SHOWN_OF_A_PAYLOAD
    size = f" ({letter['payload_size']:,} bytes)" if cut or letter["payload_truncated"] else ""
    fields: list[tuple[str, Cell]] = [
        ("event", " ".join(filter(None, (letter["event_type"], letter["event_id"])))),
        ("reason", reason(letter)),
        ("at", f"{letter['ingestion_timestamp']:%Y-%m-%d %H:%M:%S} UTC"),
        ("payload", folded(f"{payload[:_SHOWN_OF_A_PAYLOAD]} ...{size}" if cut else f"{payload}{size}")),
    ]
    print_block(console, place, fields)


def _print_rest(console: Console, count: int, what: str) -> None:
    if count:
        print_paragraph(console, f"{count:,} more {what}: `lpa triage --wide`")
