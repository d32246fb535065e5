"""The JSON Schema of events says what both paths take without coercion."""

from __future__ import annotations

from typing import Any

from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.json_schema import json_schema
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.tables.table import Column, Kind

OWN = EventType(
    "own",
    required=("data.region",),
    tables=(
        typed_table(
            "own",
            Column("region", Kind.LABEL, at="region"),
            Column("waiting", Kind.UINT16, at="queue.waiting"),
            Column("left", Kind.FLOAT64, nullable=True, at="queue.left"),
            order_by=(),
        ),
    ),
)


def described(schema: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """What a reference refers to."""
    chosen = next((each for each in found.get("anyOf", ()) if "$ref" in each), found)
    definition: dict[str, Any] = schema["$defs"][chosen["$ref"].removeprefix("#/$defs/")]
    return definition


def test_every_event_type_is_told_apart_by_its_type() -> None:
    schema = json_schema([*BUILTIN_EVENT_TYPES, OWN])
    assert schema["discriminator"]["propertyName"] == "type"
    assert set(schema["discriminator"]["mapping"]) == {each.name for each in BUILTIN_EVENT_TYPES} | {"own"}


def test_data_is_described_by_its_columns() -> None:
    schema = json_schema([OWN, *BUILTIN_EVENT_TYPES])
    event = schema["$defs"]["own"]
    assert {"type", "timestamp", "data"} == set(event["required"])
    data = described(schema, event["properties"]["data"])
    assert data["required"] == ["region"]
    assert data["properties"]["region"] == {"type": "string", "minLength": 1}
    queue = described(schema, data["properties"]["queue"])
    assert queue["properties"]["waiting"] == {"type": "integer", "minimum": 0, "maximum": 65535, "default": 0}
    assert {"type": "null"} in queue["properties"]["left"]["anyOf"]
