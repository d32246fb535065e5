"""Which dead letters a replay is for, as a page's address says it and as the options of ``lpa replay plan`` do."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, final

import attrs
from clickhouse_connect.driver.binding import format_str

from lpa_core.records import Position
from lpa_core.time_window import shown
from lpa_replay.sources.record import Filters, Selection
from lpa_replay.sources.window import Clock, Window

FIX_FILE = "fix.toml"
PLAN_FILE = "plan.json"
CANARY = "1%"


@final
@attrs.frozen
class ReplayChoice:
    """Dead letters of a class, reason and type that were rejected in a window, or one of them.

    Raises ReplayRefused for a class or reason that is none.

    Attributes:
        since_ms, until_ms: the window, the latter exclusive, epoch ms.
        failure_class, failure_reason, event_type: empty for any.
        at: the one record, as a person gave its position.
        alone: whether only that record is meant, and not all like it.
    """

    since_ms: int
    until_ms: int
    failure_class: str = ""
    failure_reason: str = ""
    event_type: str = ""
    at: Position | None = None
    alone: bool = False

    def __attrs_post_init__(self) -> None:
        self.filters()

    def filters(self, where: str = "") -> Filters:
        def given(value: str) -> tuple[str, ...]:
            return (value,) if value else ()

        one = _is_at([self.at]) if self.alone and self.at else ""
        return Filters(
            given(self.failure_class), given(self.failure_reason), given(self.event_type), where=where or one
        )

    def selection(self, positions: Sequence[Position]) -> Selection:
        """The records at these positions."""
        return Selection(Window(), Clock.INGESTION, Filters(where=_is_at(positions)))

    def values(self) -> dict[str, Any]:
        """The parameters of an address that means the same; the window stays the one of now."""
        at = f"{self.at.topic}/{self.at.partition}/{self.at.offset}" if self.at else ""
        named = {"class": self.failure_class, "reason": self.failure_reason, "type": self.event_type, "at": at}
        return {**named, "since": self.since_ms, "until": self.until_ms, "which": "one" if self.alone else "all"}

    def plan_command(self, sink: str | None, fix: str | None, output: str) -> list[str]:
        """``fix`` and ``output`` are paths."""
        filters = self.filters()
        options: Mapping[str, str | None] = {
            "--from": "dlq-table",
            "--start": shown(self.since_ms),
            "--end": shown(self.until_ms),
            "--by": Clock.INGESTION.value,
            "--class": self.failure_class or None,
            "--reason": self.failure_reason or None,
            "--type": self.event_type or None,
            "--where": filters.where or None,
            "--fix": fix,
            "--sink": sink,
            "--output": output,
        }
        words = [word for name, value in options.items() if value is not None for word in (name, value)]
        return ["lpa", "replay", "plan", *words]

    def commands(self, sink: str | None, *, fixed: bool) -> list[str]:
        """What a person types in a terminal, in order."""
        plan = self.plan_command(sink, FIX_FILE if fixed else None, PLAN_FILE)
        verify = ["lpa", "replay", "verify", "ID", *(["--sink", sink] if sink else [])]
        run = ["lpa", "replay", "run", "--plan", PLAN_FILE, "--canary", CANARY]
        return [shlex.join(each) for each in (plan, run, verify)]


def _is_at(positions: Sequence[Position]) -> str:
    """A condition in SQL: the record lies at one of the positions."""
    places = ", ".join(f"({format_str(each.topic)}, {each.partition}, {each.offset})" for each in positions)
    return f"(source_topic, source_partition, source_offset) IN ({places})"
