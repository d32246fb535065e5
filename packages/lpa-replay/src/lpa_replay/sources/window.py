"""Which time a replay is about: half-open windows."""

from __future__ import annotations

from enum import StrEnum
from typing import final

import attrs

from lpa_core.replays import ReplayRefused
from lpa_core.settings.settings import Settings
from lpa_core.time_window import parse_time, require_order, shown


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


def window(
    start: str | None, end: str | None, since: str | None, everything: bool, settings: Settings, now: int
) -> Window:
    """The window that was asked for, by options or by REPLAY_START_EPOCH_MS and REPLAY_END_EPOCH_MS.

    Args:
        start, end, since: as given on the command line; they win over the settings. A duration as ``since`` counts back
            from the window's end.
        everything: no window is wanted.
        now: epoch ms; where a window ends that has no end.

    Raises:
        UsageError: a time is not one, or the window holds nothing.
        ReplayRefused: there is no window, or there are two.
    """
    given = {"--start": start, "--end": end, "--since": since, "--all": "" if everything else None}
    named = [name for name, value in given.items() if value is not None]
    if (everything and len(named) > 1) or (since is not None and start is not None):
        raise ReplayRefused(f"{' and '.join(named)} cannot be given together")
    if everything:
        return Window()
    from_settings = start is None and end is None and since is None
    behind = parse_time(end, "--end", now) if end is not None else None
    first = parse_time(start, "--start", now) if start is not None else None
    names = ("--start", "--end")
    if since is not None:
        first = parse_time(since, "--since", now if behind is None else behind)
        names = ("--since", "--end")
    if from_settings:
        first, behind = settings.replay.start_epoch_ms, settings.replay.end_epoch_ms
        names = ("REPLAY_START_EPOCH_MS", "REPLAY_END_EPOCH_MS")
    if first is None:
        raise ReplayRefused(
            "no window: give --start and --end, or --since 2h, or REPLAY_START_EPOCH_MS and REPLAY_END_EPOCH_MS; "
            "--all takes everything, and `lpa replay run --plan FILE` what `lpa replay plan` wrote"
        )
    behind = now if behind is None else behind
    require_order(first, behind, *names)
    return Window(first, behind)
