"""``lpa savepoint``: create, list, restore."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import cyclopts
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from lpa_core.commands.options import Json, SavepointLocation
from lpa_core.commands.output import print_json
from lpa_core.plugins.context import AppContext
from lpa_core.savepoints import Savepoint, StoredSavepoint
from lpa_ops.savepoint import keeper
from lpa_ops.savepoint.store import FileSavepointStore


def savepoint_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="savepoint", help="Save where the consumer group stands and its claims; bring it back.")

    @app.command
    def create(*, location: SavepointLocation = None, json: Json = False) -> None:
        """Make a savepoint of the stopped consumer group: committed offsets, and the claims on this machine."""
        where, savepoint = keeper.create(settings, context.plugins, location)
        if json:
            print_json({"location": where, **_as_json(savepoint)})
            return
        console = Console(soft_wrap=True)
        console.print(_partitions(savepoint))
        if savepoint.note:
            console.print(escape(savepoint.note))
        print(where)

    @app.command(name="list")
    def list_savepoints(*, location: SavepointLocation = None, json: Json = False) -> None:
        """List the savepoints, oldest first."""
        place = location or keeper.default_location(settings)
        found = FileSavepointStore(place).list()
        if json:
            print_json([_listed_as_json(each) for each in found])
        elif not found:
            print(f"There is no savepoint in {place}.")
        else:
            Console(soft_wrap=True).print(_listed(found))

    @app.command
    def restore(location: str, /, *, json: Json = False) -> None:
        """Bring the stopped group's committed offsets, and the claims on this machine, back to a savepoint.

        Parameters
        ----------
        location
            The savepoint, as `lpa savepoint list` shows it.
        """
        savepoint = keeper.restore(location, settings, context.plugins)
        if json:
            print_json({"location": location, **_as_json(savepoint)})
            return
        console = Console(soft_wrap=True)
        console.print(_partitions(savepoint))
        if savepoint.note:
            console.print(escape(f"Not restored: {savepoint.note}"))

    return app


def _partitions(savepoint: Savepoint) -> Table:
    table = Table("topic", "partition", "offset", "prepared range", "claims")
    for partition, commit in sorted(savepoint.commits.items(), key=lambda item: item[0]):
        claims = "saved" if partition in savepoint.dedup else ""
        prepared = "yes" if commit.metadata else ""
        table.add_row(escape(partition.topic), str(partition.number), str(commit.offset), prepared, claims)
    return table


def _listed(found: Sequence[StoredSavepoint]) -> Table:
    table = Table(Column("location", overflow="fold"), "created", "group", "topic", "partitions", "MB", "problem")
    for each in found:
        if each.savepoint is None:
            table.add_row(escape(each.location), "", "", "", "", "", escape(each.problem))
            continue
        savepoint = each.savepoint
        table.add_row(
            escape(each.location),
            _time(savepoint.created_ms),
            escape(savepoint.group),
            escape(",".join(savepoint.topics)),
            str(len(savepoint.commits)),
            f"{each.bytes / 1e6:,.1f}",
            "",
        )
    return table


def _listed_as_json(each: StoredSavepoint) -> dict[str, Any]:
    said = {"problem": each.problem} if each.savepoint is None else _as_json(each.savepoint)
    return {"location": each.location, "bytes": each.bytes, **said}


def _as_json(savepoint: Savepoint) -> dict[str, Any]:
    return {
        "id": savepoint.id,
        "created": _time(savepoint.created_ms),
        "group": savepoint.group,
        "partitions": [
            {
                "topic": partition.topic,
                "partition": partition.number,
                "offset": commit.offset,
                "metadata": commit.metadata,
                "claims": savepoint.dedup.get(partition),
            }
            for partition, commit in sorted(savepoint.commits.items(), key=lambda item: item[0])
        ],
        "note": savepoint.note,
        "settings_fingerprint": savepoint.settings_fingerprint,
        "versions": dict(savepoint.versions),
    }


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
