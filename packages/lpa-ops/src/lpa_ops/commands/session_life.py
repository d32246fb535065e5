"""One session's life on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.console import Console

from lpa_core.commands.listing import ListColumn, print_list, print_paragraph
from lpa_core.commands.output import plain
from lpa_ops.triage.queries import Answer
from lpa_ops.triage.session_words import session_lines, time_of


def show_life(life: Mapping[str, Answer], console: Console) -> None:
    """Print what :func:`~lpa_ops.triage.queries.session_life` answered of a session that there is."""
    (fact,) = life["session"].as_json()
    of = f" of {fact['org']}" if fact["org"] else ""
    print_paragraph(console, plain(f"{fact['workflow_session_id']}{of}", "bold"))
    for line in session_lines(life):
        print_paragraph(console, line, first="  ", indent="    ")
    _print_table(
        console, "Signals", life["signals"], {"first", "last", "signals", "kind", "what", "named_wallet", "output_fps"}
    )
    _print_table(console, "Segments", life["segments"], set(life["segments"].columns) - {"confidence"})
    snapshots = life["snapshots"]
    _print_table(console, "Snapshots of the wallets and URLs that it names", snapshots, set(snapshots.columns))


def _print_table(console: Console, title: str, answer: Answer, shown: set[str]) -> None:
    if not answer.rows:
        return
    places = [index for index, name in enumerate(answer.columns) if name in shown]
    columns = [ListColumn(answer.columns[index], prose=answer.columns[index] == "what") for index in places]
    console.print()
    print_list(console, columns, [[_cell(row[index]) for index in places] for row in answer.rows], title=title)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return time_of(value) if isinstance(value, datetime) else str(value)
