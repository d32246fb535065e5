"""``lpa types``: check files of event types, try them on samples, and propose one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import attrs
import cyclopts
from cyclopts import Parameter

from lpa_core.commands.listing import ListColumn, print_block, print_list, print_paragraph
from lpa_core.commands.options import Json
from lpa_core.commands.output import console, print_json, print_line
from lpa_core.counted import counted
from lpa_core.errors import UsageError
from lpa_core.events.event_type import EventType
from lpa_core.events.row import own_columns
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.plugins.manager import PluginManager
from lpa_core.plugins.plugin import TYPE_FILES
from lpa_core.sources.files import open_snapshot, open_stdin
from lpa_core.tables.table import Table
from lpa_core.type_files.declarations import Declared, declared
from lpa_core.type_files.inference import proposed
from lpa_core.type_files.trial import Trial, tried
from lpa_core.type_files.written import written
from lpa_core.validation.ignore_rules import BUILTIN_IGNORE_RULES, families
from lpa_core.validation.json_document import decoded

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_SAMPLES: Final = 10_000
_MOST_BYTES: Final = 64 << 20

_Files = Annotated[Sequence[Path], Parameter(negative="")]
_Samples = Annotated[str, Parameter(allow_leading_hyphen=True)]
_Rows = Annotated[int, Parameter(validator=cyclopts.validators.Number(gte=0))]


def types_app(plugins: PluginManager) -> cyclopts.App:
    app = cyclopts.App(name="types", help="Declare event types in TOML: check files, try them, propose one.")

    @app.command
    def check(*files: Path, json: Json = False) -> int:
        """Check files of event types: everything that is wrong, with the line; exit with 1 if there is anything.

        Parameters
        ----------
        files
            Files that declare event types. Default: those of LPA_EVENT_TYPES.
        """
        paths = [*files] or [Path(name) for name in plugins.context.settings.lpa.event_types]
        if not paths:
            raise UsageError("no file to check: name one, or set LPA_EVENT_TYPES")
        found = _declared(plugins, paths)
        if json:
            print_json(_as_json(found))
        else:
            _print_checked(found)
        return 1 if found.faults else 0

    @app.command(name="try")
    def try_types(file: Path, samples: _Samples, /, *, rows: _Rows = 10, json: Json = False) -> int:
        """Show the rows that samples become; exit with 1 if one is rejected. Nothing is stored.

        Parameters
        ----------
        file
            The file that declares event types.
        samples
            A file with a record a line, or - for standard input. The first 10,000 are tried.
        rows
            Rows that are shown of each table.
        """
        found = _declared(plugins, [file]).required()
        settings = plugins.context.settings
        pipeline = Pipeline(
            [*_others(plugins, [file]), *found.event_types],
            supported_versions=settings.quality.supported_versions,
            plugin_validators=plugins.validators(),
            ignore_rules=[
                *BUILTIN_IGNORE_RULES,
                *plugins.ignore_rules(),
                *found.ignore_rules,
                *families(settings.quality.ignored_types),
            ],
        )
        trial = tried(pipeline, _records(samples))
        tables = [table for table in trial.tables if trial.rows[table.name]]
        if json:
            print_json(_trial_as_json(trial, tables))
        else:
            for table in tables:
                _print_rows(table, trial.rows[table.name], rows)
            _print_trial(trial)
        return 1 if trial.rejected else 0

    @app.command
    def infer(samples: _Samples, /, *, name: str | None = None) -> None:
        """Propose a file of event types from samples of events, and print it.

        Parameters
        ----------
        samples
            A file with a record a line, or - for standard input. The first 10,000 are looked at.
        name
            The event type of samples that have no envelope and say no type. Default: the file's name.
        """
        roots = [_decoded(number, record) for number, record in enumerate(_records(samples), 1)]
        stem = Path(samples).name.partition(".")[0]
        proposal = proposed(roots, name or (stem if stem not in ("", "-") else "event"))
        lines = [f"# {line}" for line in ("Proposed by `lpa types infer`: check kinds, names and required.",)]
        lines += [f"# Left out: {line}" for line in proposal.left_out]
        sys.stdout.write("\n".join([*lines, "", written(proposal.event_types)]))

    return app


def _declared(plugins: PluginManager, paths: Sequence[Path]) -> Declared:
    return declared(paths, _others(plugins, paths))


def _others(plugins: PluginManager, paths: Sequence[Path]) -> Sequence[EventType]:
    """The event types beside those of the files: of plugins, and of other files in the settings."""
    of_plugins = [each for plugin, each in plugins.types_of_plugins() if plugin.name != TYPE_FILES]
    named = {path.resolve() for path in paths}
    rest = [Path(each) for each in plugins.context.settings.lpa.event_types]
    return [*of_plugins, *declared([path for path in rest if path.resolve() not in named], of_plugins).event_types]


def _records(samples: str) -> list[bytes]:
    """The first records of a file. Raises SourceError if it cannot be read, UsageError if it has none."""
    source = open_stdin("types") if samples == "-" else open_snapshot(Path(samples))
    found: list[bytes] = []
    try:
        while len(found) < _MOST_SAMPLES:
            batch = source.read(_MOST_SAMPLES - len(found), _MOST_BYTES)
            if batch is None:
                break
            found += [value for value in batch.values if value is not None and value.strip()]
    finally:
        source.close()
    if not found:
        raise UsageError(f"{samples} has no record: give a file with a JSON object a line")
    return found


def _decoded(number: int, record: bytes) -> Any:
    try:
        return decoded(record)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"sample {number} is not JSON: {error}") from None


def _print_checked(found: Declared) -> None:
    for fault in found.faults:
        print_paragraph(console(), str(fault), indent="  ")
    for event_type in found.event_types:
        tables = [f"{table.name} ({counted(len(own_columns(table)), 'column')})" for table in event_type.tables]
        print_block(
            console(),
            event_type.name,
            [
                ("tables", ", ".join(tables)),
                ("required", ", ".join(event_type.required)),
                ("without envelope", _told_envelope(event_type)),
            ],
        )
    for rule in found.ignore_rules:
        print_block(console(), f"ignored: {rule.reason}", [("event types", ", ".join(sorted(rule.event_types)))])
    kept = f"{counted(len(found.event_types), 'event type')}, {counted(len(found.ignore_rules), 'ignore rule')}"
    print_line(
        f"{counted(len(found.faults), 'fault')}; {kept} without fault" if found.faults else f"{kept}: all is well"
    )


def _told_envelope(event_type: EventType) -> str:
    mapping = event_type.envelope
    if mapping is None:
        return ""
    conditions = [f"{path} is {' or '.join(sorted(texts))}" for path, texts in mapping.when.items()]
    if mapping.has:
        conditions.append(f"there is {', '.join(mapping.has)}")
    return f"if {' and '.join(conditions)}; {mapping.timestamp} has the time ({mapping.time.value})"


def _as_json(found: Declared) -> dict[str, object]:
    return {
        "faults": [{"file": str(each.path), "line": each.line or None, "fault": each.text} for each in found.faults],
        "event_types": [
            {"name": each.name, "tables": {table.name: len(own_columns(table)) for table in each.tables}}
            for each in found.event_types
        ],
        "ignore_rules": [each.reason for each in found.ignore_rules],
    }


def _print_rows(table: Table, rows: Sequence[tuple[Any, ...]], most: int) -> None:
    columns = ["sample", "event_timestamp", *(column.name for column in own_columns(table))]
    shown = [(str(number), _time(moment), *map(_cell, values)) for number, moment, *values in rows[:most]]
    more = f", {most} shown" if len(rows) > most else ""
    print_list(console(), [ListColumn(name) for name in columns], shown, title=f"{table.name}: {len(rows)}{more}")
    print_line("")


def _print_trial(trial: Trial) -> None:
    for number, failures in trial.rejected.items():
        print_block(console(), f"sample {number} is rejected", [(each.reason.value, each.details) for each in failures])
    for hint in trial.hints:
        print_paragraph(console(), hint, indent="  ")
    accepted = trial.count - len(trial.rejected) - len(trial.ignored)
    unfit = f"; {counted(trial.unfit, 'value')} did not fit" if trial.unfit else ""
    print_line(
        f"{counted(trial.count, 'sample')}: {accepted} accepted, {len(trial.ignored)} ignored, "
        f"{len(trial.rejected)} rejected{unfit}"
    )


def _trial_as_json(trial: Trial, tables: Sequence[Table]) -> dict[str, object]:
    return {
        "samples": trial.count,
        "tables": {
            table.name: [
                dict(zip(("sample", "event_timestamp", *(c.name for c in own_columns(table))), row, strict=True))
                for row in trial.rows[table.name]
            ]
            for table in tables
        },
        "rejected": {
            str(number): [attrs.asdict(each) for each in failures] for number, failures in trial.rejected.items()
        },
        "ignored": {str(number): reason for number, reason in trial.ignored.items()},
        "unfit": trial.unfit,
        "hints": [*trial.hints],
    }


def _time(epoch_ms: int) -> str:
    return f"{_EPOCH + timedelta(milliseconds=epoch_ms):%Y-%m-%dT%H:%M:%S}.{epoch_ms % 1000:03}"


def _cell(value: Any) -> str:
    if value is None:
        return "null"
    return value.decode() if isinstance(value, bytes) else str(value)
