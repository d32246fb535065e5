"""Makes the declarations of event types out of TOML: the same that a Python plugin makes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, final

import attrs

from lpa_core.events import model
from lpa_core.events.declaration import require_own_columns, require_paths, require_readable
from lpa_core.events.envelope_mapping import EnvelopeMapping, TimeFormat
from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.model_from_columns import tree_of
from lpa_core.events.registry import registry
from lpa_core.events.row import own_columns
from lpa_core.settings.effective import nearest
from lpa_core.tables.table import Column, Kind, Table
from lpa_core.type_files.faults import DeclarationFault, EventTypesError
from lpa_core.type_files.toml_table import TomlFile, TomlTable
from lpa_core.validation.ignore_rules import IgnoreRule

READS: Final[dict[str, Any]] = {
    "address": model.Address,
    "digits_or_uint32": model.DigitsOrUInt32,
    "flag": model.Flag,
    "near_timestamp": model.NearTimestamp,
    "past_timestamp": model.PastTimestamp,
}
"""Name in a file -> what a column reads instead of its kind's own type."""
_MISMATCH: Final = ("coerce", "reject")


@final
@attrs.frozen
class Declared:
    """What files declare, and everything that is wrong with them. What is at fault is not among the rest."""

    event_types: tuple[EventType, ...] = ()
    ignore_rules: tuple[IgnoreRule, ...] = ()
    faults: tuple[DeclarationFault, ...] = ()

    def required(self) -> Declared:
        """The same. Raises EventTypesError if there is a fault."""
        if self.faults:
            raise EventTypesError(*self.faults)
        return self


def declared(paths: Iterable[Path], others: Iterable[EventType] = ()) -> Declared:
    """What the files declare, in their order; ``others`` are event types that are there beside them."""
    event_types = [*others]
    beside = len(event_types)
    rules: list[IgnoreRule] = []
    faults: list[DeclarationFault] = []
    for path in paths:
        file = TomlFile(path)
        root = file.read()
        for name, table in root.table("types").tables():
            made = _event_type(name, table)
            if made is not None and _is_free(made, event_types, table):
                event_types.append(made)
        for reason, table in root.table("ignore").tables():
            rule = _ignore_rule(reason, table)
            if rule is not None:
                rules.append(rule)
        root.end()
        if not (file.faults or [*root]):
            file.fault((), "declares nothing: write [types.NAME] for an event type")
        faults += sorted(file.faults, key=lambda fault: fault.line)
    return Declared(tuple(event_types[beside:]), tuple(rules), tuple(faults))


def _event_type(name: str, table: TomlTable) -> EventType | None:
    before = table.faults
    on_mismatch = _on_mismatch(table, "coerce")
    items = table.take("requires_items", bool, False)
    required = table.texts("required")
    for path in required:
        table.tried(partial(require_paths, [path], None, items=items), "required")
    given: dict[str, Any] = {
        "required": required,
        "requires_items": items,
        "requires_container": table.take("requires_container", bool, False),
        "requires_object": table.take("requires_object", bool, not items),
        "key_at": table.take("key_at", str, ""),
        "envelope": _envelope(table.table("envelope")) if table.has("envelope") else None,
    }
    below = table.table("tables")
    tables = [(each, _table(each, content, on_mismatch)) for each, content in below.tables()]
    table.end()
    if not tables and table.faults == before:
        table.fault(f"event type {name!r} has no table: write [types.{name}.tables.NAME]")
    if table.faults > before:
        return None
    _fit_together(name, below, [made for _, made in tables if made is not None], items=items)
    if table.faults > before:
        return None
    return table.tried(lambda: EventType(name, tables=tuple(made for _, made in tables if made is not None), **given))


def _fit_together(name: str, below: TomlTable, tables: Sequence[Table], *, items: bool) -> None:
    """Note each column whose path contradicts that of a column before it."""
    good: list[tuple[Table, list[Column]]] = []
    for table in tables:
        good.append((table, []))
        for column in own_columns(table):
            tried = [*good[:-1], (table, [*good[-1][1], column])]
            place = (table.name, "columns", column.name, "at")
            if below.tried(partial(tree_of, name, tried, (), each=items), *place) is not None:
                good = tried


def _table(name: str, table: TomlTable, on_mismatch: str) -> Table | None:
    before = table.faults
    on_mismatch = _on_mismatch(table, on_mismatch)
    columns = [_column(each, table, on_mismatch) for each in table.table("columns")]
    given: dict[str, Any] = {
        "order_by": table.texts("order_by"),
        "keep_days": table.number("keep_days"),
        "each": table.take("each", str, ""),
        "one_of": table.table("one_of").text_lists(),
    }
    table.end()
    if not columns and table.faults == before:
        table.fault(f"table {name} has no column: write [{'.'.join(table.name)}.columns]")
    if table.faults > before:
        return None
    return table.tried(lambda: typed_table(name, *(each for each in columns if each is not None), **given))


def _column(name: str, of_table: TomlTable, on_mismatch: str) -> Column | None:
    columns = of_table.table("columns")
    if isinstance(columns.value(name), str):
        kind, rest = columns.take(name, str, ""), None
    else:
        rest = columns.table(name)
        kind = rest.take("kind", str, "")
    before = columns.faults
    if kind not in [*Kind]:
        near = nearest(kind, [*Kind]) if kind else f"give it one of {', '.join(Kind)}"
        columns.fault(f"column {name}: kind is {kind!r}, which is none; {near}", name, "kind")
    given: dict[str, Any] = {"at": name, "on_mismatch": on_mismatch}
    if rest is not None:
        given["nullable"] = rest.take("nullable", bool, False)
        given["at"] = rest.take("at", str, name)
        given["otherwise"] = rest.take("otherwise", str, "") or None
        given["note"] = rest.take("note", str, "")
        given["by_key"] = rest.table("by_key").all_texts()
        given["on_mismatch"] = _on_mismatch(rest, on_mismatch)
        given["reads"] = _reads(name, rest)
        rest.end()
    if columns.faults > before:
        return None

    def make() -> Column:
        column = Column(name, Kind(kind), **given)
        require_own_columns(of_table.name[-1], [column])
        require_readable([column])
        return column

    return columns.tried(make, name)


def _reads(name: str, column: TomlTable) -> Any:
    reads = column.take("reads", str, "")
    if reads and reads not in READS:
        column.fault(f"column {name}: reads is {reads!r}, which is none; {nearest(reads, [*READS])}", "reads")
    return READS.get(reads)


def _on_mismatch(table: TomlTable, default: str) -> str:
    given = table.take("on_mismatch", str, default)
    if given not in _MISMATCH:
        table.fault(f"on_mismatch is {given!r}: it must be coerce or reject", "on_mismatch")
        return default
    return given


def _envelope(table: TomlTable) -> EnvelopeMapping | None:
    before = table.faults
    time = table.take("time", str, TimeFormat.MILLISECONDS.value)
    if time not in [*TimeFormat]:
        table.fault(f"time is {time!r}, which is none; {nearest(time, [*TimeFormat])}", "time")
    given: dict[str, Any] = {
        "has": table.texts("has"),
        "when": table.table("when").text_lists(),
        "id": table.texts("id"),
        "gateway": table.take("gateway", str, ""),
        "data": table.take("data", str, ""),
    }
    timestamp = table.take("timestamp", str, "")
    table.end()
    if table.faults > before:
        return None
    return table.tried(lambda: EnvelopeMapping(timestamp, TimeFormat(time), **given))


def _ignore_rule(reason: str, table: TomlTable) -> IgnoreRule | None:
    before = table.faults
    given: dict[str, Any] = {
        "event_types": table.texts("event_types"),
        "subtypes": table.texts("subtypes"),
        "subtype_prefix": table.take("subtype_prefix", str, ""),
        "where": table.table("where").all_texts(),
        "other_subtypes": table.texts("other_subtypes"),
        "incomplete": table.take("incomplete", bool, False),
    }
    table.end()
    return table.tried(lambda: IgnoreRule(reason, **given)) if table.faults == before else None


def _is_free(event_type: EventType, others: Sequence[EventType], table: TomlTable) -> bool:
    """Whether nobody else has the type's name, or a table's; a fault says who has."""
    try:
        registry([*others, event_type])
    except ValueError as error:
        named = [each.name for each in event_type.tables if repr(each.name) in str(error)]
        table.fault(str(error), *(["tables", named[0]] if named else []))
        return False
    return True
