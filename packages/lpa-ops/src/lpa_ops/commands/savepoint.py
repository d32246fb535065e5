"""``lpa savepoint``: create, list, restore."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import cyclopts

from lpa_core.commands.consent import confirmed
from lpa_core.commands.listing import ListColumn, print_list, print_paragraph
from lpa_core.commands.options import Json, SavepointLocation, StoredAt, Yes
from lpa_core.commands.output import console, print_json, print_line
from lpa_core.plugins.context import AppContext
from lpa_core.savepoints import Savepoint, StoredSavepoint
from lpa_ops.savepoint import keeper
from lpa_ops.savepoint.store import FileSavepointStore


def savepoint_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="savepoint", help="Save the offsets and claims of the consumer group; restore them.")

    @app.command
    def create(*, location: SavepointLocation = None, json: Json = False) -> None:
        """Make a savepoint of the stopped consumer group: committed offsets, and the claims on this machine."""
        where, savepoint = keeper.create(settings, context.plugins, location)
        if json:
            print_json({"location": where, **_as_json(savepoint)})
            return
        _print_partitions(savepoint)
        if savepoint.note:
            print_paragraph(console(), savepoint.note)
        print_line(where)

    @app.command(name="list")
    def list_savepoints(*, location: SavepointLocation = None, json: Json = False) -> None:
        """List the savepoints, oldest first."""
        place = location or keeper.default_location(settings)
        found = FileSavepointStore(place).list()
        if json:
            print_json([_listed_as_json(each) for each in found])
        elif not found:
            print_line(f"There is no savepoint in {place}.")
        else:
            _print_found(found)

    @app.command
    def restore(location: StoredAt, /, *, yes: Yes = False, json: Json = False) -> int:
        """Bring the stopped group's committed offsets, and the claims on this machine, back to a savepoint.

        Parameters
        ----------
        location
            The savepoint, as `lpa savepoint list` shows it.
        """
        plan = (f"The offsets of {settings.quality.group_id} and the claims here go back to {location}.",)
        if not confirmed(plan, "Restore?", yes=yes):
            return 1
        savepoint = keeper.restore(location, settings, context.plugins)
        if json:
            print_json({"location": location, **_as_json(savepoint)})
            return 0
        _print_partitions(savepoint)
        if savepoint.note:
            print_paragraph(console(), f"Not restored: {savepoint.note}")
        return 0

    return app


def _print_partitions(savepoint: Savepoint) -> None:
    columns = (
        "topic",
        ListColumn("partition", right=True),
        ListColumn("offset", right=True),
        "prepared range",
        "claims",
    )
    rows = [
        (
            partition.topic,
            str(partition.number),
            str(commit.offset),
            "yes" if commit.metadata else "",
            "saved" if partition in savepoint.dedup else "",
        )
        for partition, commit in sorted(savepoint.commits.items(), key=lambda item: item[0])
    ]
    print_list(console(), columns, rows)


def _print_found(found: Sequence[StoredSavepoint]) -> None:
    rows = []
    for each in found:
        if each.savepoint is None:
            rows.append((each.location, "", "", "", "", "", each.problem))
            continue
        savepoint = each.savepoint
        created, topics = _time(savepoint.created_ms), ",".join(savepoint.topics)
        size = f"{each.bytes / 1e6:,.1f}"
        rows.append((each.location, created, savepoint.group, topics, str(len(savepoint.commits)), size, ""))
    columns = ("location", "created", "group", "topic", "partitions", "MB", ListColumn("problem", prose=True))
    print_list(console(), columns, rows)


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
