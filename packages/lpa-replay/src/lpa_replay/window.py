"""Which time a replay is about: half-open windows, and how their edges are written."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, final

import attrs

from lpa_core.events.model import MAX_EPOCH_MS, MIN_EPOCH_MS
from lpa_core.replays import ReplayRefused
from lpa_core.settings.settings import Settings
from lpa_core.settings.values import EARLIEST_EPOCH_MS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_UNITS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_SPAN: Final = re.compile(r"([0-9]{1,6})([smhdw])", re.ASCII)


class Clock(StrEnum):
    """Which of a record's times a window is about."""

    EVENT = "event"
    """The event's own, or the record's where the event has none."""
    INGESTION = "ingestion"
    """When it was rejected; for an archived record, when it was received."""

    @property
    def other(self) -> Clock:
        return Clock.EVENT if self is Clock.INGESTION else Clock.INGESTION


@final
@attrs.frozen(slots=True)
class Window:
    """From ``start``, inclusive, to ``end``, exclusive: epoch ms, or None on both sides for everything."""

    start: int | None = None
    end: int | None = None

    def __contains__(self, moment: int) -> bool:
        return (self.start is None or moment >= self.start) and (self.end is None or moment < self.end)

    @property
    def everything(self) -> bool:
        return self.start is None and self.end is None

    def __str__(self) -> str:
        if self.everything:
            return "everything"
        return f"[{shown(self.start or 0)}, {shown(self.end or 0)})"


def shown(moment: int) -> str:
    """ISO 8601 to the millisecond, UTC."""
    return (_EPOCH + moment * _MILLISECOND).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def parse_moment(text: str, name: str) -> int:
    """Epoch ms of a moment written as epoch milliseconds or in ISO 8601; without a zone it is UTC.

    ``name`` is who gave it, for messages. Raises ReplayRefused, also for epoch seconds.
    """
    text = text.strip()
    if re.fullmatch(r"[0-9]+", text, re.ASCII):
        moment = int(text)
        if moment < EARLIEST_EPOCH_MS:
            meant = f": {moment}000?" if moment > EARLIEST_EPOCH_MS // 1000 else ""
            raise ReplayRefused(f"{name}={text}: these are seconds since the epoch, milliseconds are needed{meant}")
        if moment > MAX_EPOCH_MS:
            raise ReplayRefused(f"{name}={text}: this is after the year 2299: give milliseconds since the epoch")
        return moment
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ReplayRefused(
            f"{name}={text}: no moment: give milliseconds since the epoch, or ISO 8601 such as 2026-01-08T12:00:00Z"
        ) from None
    moment = ((found if found.tzinfo else found.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND
    if not MIN_EPOCH_MS <= moment <= MAX_EPOCH_MS:
        raise ReplayRefused(f"{name}={text}: no event is of a time before 1900 or after 2299")
    return moment


def parse_span(text: str) -> int:
    """Milliseconds of a span such as ``90s``, ``30m``, ``2h``, ``7d`` or ``4w``. Raises ReplayRefused."""
    match = _SPAN.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise ReplayRefused(f"--since={text}: no span: give a number and one of s, m, h, d, w, such as 2h")
    return int(match[1]) * _UNITS[match[2]]


def window(
    start: str | None, end: str | None, since: str | None, everything: bool, settings: Settings, now: int
) -> Window:
    """The window that was asked for, by options or by REPLAY_START_EPOCH_MS and REPLAY_END_EPOCH_MS.

    Args:
        start, end, since: as given on the command line; they win over the settings.
        everything: no window is wanted.
        now: epoch ms; where a window ends that has no end.

    Raises ReplayRefused if there is none, or none that holds anything.
    """
    given = {"--start": start, "--end": end, "--since": since, "--all": "" if everything else None}
    named = [name for name, value in given.items() if value is not None]
    if (everything and len(named) > 1) or (since is not None and start is not None):
        raise ReplayRefused(f"{' and '.join(named)} cannot be given together")
    if everything:
        return Window()
    from_settings = start is None and end is None and since is None
    first = parse_moment(start, "--start") if start is not None else None
    behind = parse_moment(end, "--end") if end is not None else None
    if since is not None:
        first = (now if behind is None else behind) - parse_span(since)
        if first < MIN_EPOCH_MS:
            raise ReplayRefused(f"--since={since}: this reaches before 1900: --all takes everything")
    names = ("--start", "--end")
    if from_settings:
        first, behind = settings.replay.start_epoch_ms, settings.replay.end_epoch_ms
        names = ("REPLAY_START_EPOCH_MS", "REPLAY_END_EPOCH_MS")
    if first is None:
        raise ReplayRefused(
            "no window: give --start and --end, or --since 2h, or REPLAY_START_EPOCH_MS and REPLAY_END_EPOCH_MS; "
            "--all takes everything"
        )
    behind = now if behind is None else behind
    if first >= behind:
        relation = "is" if first == behind else "is after"
        raise ReplayRefused(
            f"{names[0]} {shown(first)} {relation} {names[1]} {shown(behind)}: the end is exclusive and has to be later"
        )
    return Window(first, behind)
