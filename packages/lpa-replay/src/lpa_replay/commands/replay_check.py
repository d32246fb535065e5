"""``lpa replay check``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import attrs
import cyclopts

from lpa_core.commands.listing import ListColumn, print_list, print_paragraph
from lpa_core.commands.options import Json
from lpa_core.commands.output import console, print_json, print_line
from lpa_core.settings.settings import Settings
from lpa_replay.check.fixture import open_fixture, run_fixture
from lpa_replay.check.layers import Dump
from lpa_replay.check.record import RunDifference, first_difference, read_record, write_record


def add_check(app: cyclopts.App, settings: Settings) -> None:
    @app.command
    def check(fixture: Path, /, *, against: Path | None = None, output: Path | None = None, json: Json = False) -> int:
        """Run a fixture through every layer in a temporary database, twice; exit with 1 if the runs differ.

        Parameters
        ----------
        fixture
            A file of newline-delimited JSON: records as producers send them.
        against
            A recorded run to compare with: the first layer and rows that differ are named.
        output
            Record the run in this file.
        """
        recorded = None if against is None else read_record(against)
        open_fixture(fixture).close()
        with tempfile.TemporaryDirectory(prefix="lpa-check-") as folder:
            first, second = (
                run_fixture(fixture, settings, Path(folder), database) for database in ("check_first", "check_second")
            )
        repeated = first_difference(first, second)
        differs = None if recorded is None else first_difference(recorded, first)
        if output is not None:
            write_record(output, first)
        if json:
            print_json(
                {
                    "tables": [_as_json(dump) for dump in first],
                    "twice_the_same": repeated is None,
                    "difference": None if differs is None else attrs.asdict(differs),
                }
            )
        else:
            _print(first, repeated, differs)
        return 0 if repeated is None and differs is None else 1


def _as_json(dump: Dump) -> dict[str, object]:
    return {"layer": dump.layer, "table": dump.table, "rows": len(dump.rows), "sha256": dump.sha256}


def _print(run: list[Dump], repeated: RunDifference | None, differs: RunDifference | None) -> None:
    screen = console()
    rows = [(dump.layer, dump.table, f"{len(dump.rows):,}", dump.sha256) for dump in run]
    print_list(screen, ("layer", "table", ListColumn("rows", right=True), "sha256"), rows)
    for what, difference in (("The second run differs", repeated), ("It differs from the recorded run", differs)):
        if difference is None:
            continue
        print_paragraph(screen, f"{what} first in {difference.layer}, table {difference.table}.")
        for sign, found in (("-", difference.only_recorded), ("+", difference.only_now)):
            for row in found:
                print_line(f"{sign} {row}")
    if repeated is None:
        print_paragraph(screen, "Run twice, it gives the same both times, byte for byte.")
