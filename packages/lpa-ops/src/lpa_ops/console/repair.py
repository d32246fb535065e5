"""The page of a repair: a dead letter is edited, the edit becomes a fix file, and samples show what the fix does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import msgspec

from lpa_core.errors import UsageError
from lpa_core.records import Position
from lpa_core.replays import ReplayRefused
from lpa_core.tables.row_layout import DLQ_TABLE
from lpa_ops.console.failures import MatchingRejects, rejects_of
from lpa_ops.console.page import ConsolePage, ConsoleSources, PageRequest
from lpa_ops.console.replay_choice import ReplayChoice
from lpa_ops.dead_letters.payload import indented, without_marks
from lpa_ops.trace.subject import position_of
from lpa_replay.database import ReplayDatabase
from lpa_replay.fix.edit import FailureOf, fix_of_edit
from lpa_replay.fix.file import FixFile, parse_fixes
from lpa_replay.sources.record import Found
from lpa_replay.sources.table import TableSource

_SAMPLES: Final = 6
_EDITABLE_CHARACTERS: Final = 65_536
"""A form has at most a mebibyte, and each character of a payload may take twelve bytes of it."""


def choice_of(request: PageRequest) -> ReplayChoice:
    """Which dead letters an address or a form means. Raises UsageError if the window or the position is none."""
    since, until = request.window()
    at = request.text("at")
    position = position_of(at)
    if at and position is None:
        raise UsageError(f"at={at[:200]}: give a position such as streaming_events/0/1234")
    alone = request.text("which") == "one"
    if alone and position is None:
        raise UsageError("which=one: give the position of the record as well: at=streaming_events/0/1234")
    return ReplayChoice(
        since, until, request.text("class"), request.text("reason"), request.text("type"), position, alone
    )


def _read(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    choice = choice_of(request)
    found = matching(sources, choice)
    samples = _samples(sources, choice, found.records)
    edited = samples[0] if samples else None
    original = _editable(edited)
    payload = _payload(request, original)
    fix, wrong = _fix(request, edited, original, payload)
    tried = sources.repairs.of(samples, fix, request.now_ms)
    return {
        **found.sums,
        "choice": choice.values(),
        "position": _position(edited.place) if edited else "",
        "payload": payload,
        "payload_digest": _digest(payload),
        "fix": request.values.get("fix", "") if fix is None else fix.text,
        "wrong": wrong,
        "tried": [each.as_json() for each in tried],
        "commands": choice.commands(sources.surroundings.sink, fixed=fix is not None),
    }


def repaired(sources: ConsoleSources, request: PageRequest) -> tuple[ReplayChoice, str]:
    """What the form of the page asks to replay, and the text of the fix file. Raises UsageError if the fix is wrong."""
    choice = choice_of(request)
    edited = next(iter(_samples(sources, choice, matching(sources, choice).records)), None)
    original = _editable(edited)
    fix, wrong = _fix(request, edited, original, _payload(request, original))
    if wrong:
        raise UsageError(wrong)
    return choice, "" if fix is None else fix.text


def matching(sources: ConsoleSources, choice: ReplayChoice) -> MatchingRejects:
    """The records that are meant; of the latest of them the outstanding ones come first."""
    one = choice.at if choice.alone else None
    bound = {
        "since": choice.since_ms,
        "until": choice.until_ms,
        "failure_class": choice.failure_class,
        "failure_reason": choice.failure_reason,
        "typed": int(bool(choice.event_type)),
        "event_type": choice.event_type,
        "sought": "at" if one else "",
        "topic": one.topic if one else "",
        "partition": one.partition if one else -1,
        "offset": one.offset if one else -1,
    }
    found = rejects_of(sources, "dlq", bound)
    return attrs.evolve(found, records=sorted(found.records, key=lambda row: row["state"] != "outstanding"))


def _samples(sources: ConsoleSources, choice: ReplayChoice, rows: Sequence[Mapping[str, Any]]) -> list[Found]:
    """The record that is edited, and others like it."""
    places = [Position(row["source_topic"], row["source_partition"], row["source_offset"]) for row in rows]
    wanted = list(dict.fromkeys([*([choice.at] if choice.at else []), *places]))[:_SAMPLES]
    if not wanted:
        return []
    found = sources.database.run(
        lambda client: [
            each
            for some in TableSource("dlq-table", DLQ_TABLE, ReplayDatabase(client, sources.database.name)).read(
                choice.selection(wanted)
            )
            for each in some
        ]
    )
    latest = {each.place: each for each in sorted(found, key=lambda each: each.ingested_ms or 0)}
    return [latest[place] for place in wanted if place in latest]


def _editable(found: Found | None) -> str:
    """The payload to edit, as JSON whose characters all print; empty if it is too long or not JSON."""
    if found is None or found.payload is None or len(found.payload) > _EDITABLE_CHARACTERS:
        return ""
    try:
        shown = indented(without_marks(found.payload.decode()))
        msgspec.json.decode(shown)
    except (ValueError, RecursionError):
        return ""
    escaped = "".join(each if each.isprintable() or each == "\n" else _json_escape(each) for each in shown)
    return escaped if len(escaped) <= _EDITABLE_CHARACTERS else ""


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _payload(request: PageRequest, original: str) -> str:
    return request.values.get("payload", original).replace("\r\n", "\n") if original else ""


def _fix(request: PageRequest, edited: Found | None, original: str, payload: str) -> tuple[FixFile | None, str]:
    """The fix, and what is wrong with what was typed. After an edit of the payload the fix is written again."""
    written = request.values.get("fix", "").replace("\r\n", "\n")
    try:
        if edited is not None and "payload" in request.values and _digest(payload) != request.text("payload_digest"):
            failure = FailureOf(edited.failure_class, edited.failure_reason, edited.event_type)
            written = fix_of_edit(original.encode(), payload.encode(), failure)
        return (parse_fixes(written, "the fix") if written.strip() else None), ""
    except ReplayRefused as error:
        return None, str(error)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _position(place: Position) -> str:
    return f"{place.topic}/{place.partition}/{place.offset}"


PAGES: Final = (ConsolePage("failures/repair", "Repair", "repair.html", _read, within="failures", form=True),)
