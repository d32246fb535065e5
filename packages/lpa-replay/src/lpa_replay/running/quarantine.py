"""Rows of the quarantine table for records that were replayed as often as allowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lpa_core.pipeline.reject_envelope import read_envelope_json, reject_row
from lpa_replay.planning.plan import Plan
from lpa_replay.spool.outcomes import Outgoing
from lpa_replay.spool.spool_file import SpoolReader


def quarantine_rows(plan: Plan, exhausted: SpoolReader[Outgoing]) -> Iterator[tuple[list[list[Any]], str]]:
    """Columns of rows, some at a time, each with the token to insert them under."""
    for lines in exhausted.lines():
        rows = [reject_row(read_envelope_json(line.value), line.org) for line in lines]
        yield [list(column) for column in zip(*rows, strict=True)], f"replay:{plan.id}:exhausted:{lines[0].number}"
