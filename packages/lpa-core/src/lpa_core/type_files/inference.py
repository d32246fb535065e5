"""Proposes declarations of event types from samples of their events."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, final

import attrs

from lpa_core.errors import JobFailed
from lpa_core.events.coercion import scalar_text
from lpa_core.events.envelope_mapping import EnvelopeMapping, TimeFormat
from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.times import EARLIEST_EVENT_MS
from lpa_core.tables.reserved import RESERVED_TABLES
from lpa_core.tables.row_layout import LEADING_COLUMNS
from lpa_core.tables.table import Column, Kind, Table

_LATEST_MS: Final = 4_102_444_800_000
"""2100-01-01."""
_TAKEN: Final = {column.name for column in LEADING_COLUMNS} | {"event_date"}
_ADDRESSABLE: Final = re.compile(r'[^.\[\]=$"\\\x00-\x1f]+')
_ENVELOPE: Final = ("timestamp", "data")
_KINDS_OF_DOCUMENT: Final = ("type", "kind", "event", "event_type")
_TIME_NAMES: Final = ("timestamp", "time", "ts", "datetime", "date")
_ID_NAMES: Final = ("id", "uuid", "event_id")
_DATA_NAMES: Final = ("data", "payload")
_MOST_KINDS: Final = 20
_MOST_LABELS: Final = 20


class SamplesError(JobFailed):
    """Nothing can be proposed from the samples."""


@final
@attrs.frozen
class Proposal:
    """Event types, and what of the samples none of their columns reads: a line for each."""

    event_types: tuple[EventType, ...]
    left_out: tuple[str, ...]


def proposed(samples: Iterable[Any], name: str) -> Proposal:
    """Event types that take all samples.

    Args:
        samples: decoded records, in an envelope or without.
        name: what documents without an envelope are called if nothing in them says it.

    Raises SamplesError if no event type can take them.
    """
    enveloped: dict[str, list[Any]] = defaultdict(list)
    bare: list[dict[str, Any]] = []
    for number, sample in enumerate(samples, 1):
        if not isinstance(sample, dict):
            raise SamplesError(f"sample {number} is not an object: an event is one JSON object a line")
        if isinstance(sample.get("type"), str) and all(key in sample for key in _ENVELOPE):
            enveloped[sample["type"]].append(sample["data"])
        else:
            bare.append(sample)
    if not (enveloped or bare):
        raise SamplesError("there is no sample: give a file with an event a line")
    left_out: list[str] = []
    tables = _Names(RESERVED_TABLES)
    made = [_event_type(each, data, None, tables, left_out) for each, data in enveloped.items()]
    for kind, when, documents in _kinds(bare):
        envelope, called = _envelope(documents, when), kind or name
        called = f"bare_{called}" if called in enveloped else called
        data = [each[envelope.data] if envelope.data else each for each in documents]
        made.append(_event_type(called, data, envelope, tables, left_out))
    return Proposal(tuple(made), tuple(dict.fromkeys(left_out)))


def _kinds(
    documents: Sequence[dict[str, Any]],
) -> Iterator[tuple[str, Mapping[str, tuple[str, ...]], Sequence[dict[str, Any]]]]:
    """Documents without an envelope by what they say they are: name, condition and the documents."""
    by_key: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for document in documents:
        by_key[next((key for key in _KINDS_OF_DOCUMENT if document.get(key)), "")].append(document)
    for key, some in by_key.items():
        said = [document.get(key) for document in some]
        kinds = dict.fromkeys(each for each in said if isinstance(each, str))
        if not key or len(kinds) > _MOST_KINDS or not all(isinstance(each, str) for each in said):
            yield "", {}, some
            continue
        for kind in kinds:
            yield kind, {key: (kind,)}, [document for document in some if document[key] == kind]


def _envelope(documents: Sequence[dict[str, Any]], when: Mapping[str, tuple[str, ...]]) -> EnvelopeMapping:
    everywhere = [
        key for key in documents[0] if _ADDRESSABLE.fullmatch(key) and all(key in document for document in documents)
    ]
    timestamp, time = _time(documents, everywhere)
    has = () if when else tuple(everywhere)
    data = next((key for key in _DATA_NAMES if all(isinstance(each.get(key), dict) for each in documents)), "")
    return EnvelopeMapping(timestamp, time, has=has, when=when, id=_identity(documents, everywhere), data=data)


def _time(documents: Sequence[dict[str, Any]], keys: Iterable[str]) -> tuple[str, TimeFormat]:
    for key in sorted(keys, key=_time_rank):
        for time in TimeFormat:
            found_times = [time.epoch_ms(document[key]) for document in documents]
            if all(each is not None and EARLIEST_EVENT_MS <= each < _LATEST_MS for each in found_times):
                return key, time
    raise SamplesError(
        "no attribute holds a time between 2000 and 2100 in every sample without an envelope: "
        "leave out samples that lack a time"
    )


def _time_rank(key: str) -> tuple[int, str]:
    name = key.lower()
    if name in _TIME_NAMES:
        return _TIME_NAMES.index(name), key
    likely = name.endswith(("_at", "time", "timestamp", "_ts")) or key.endswith("At")
    return len(_TIME_NAMES) + (not likely), key


def _identity(documents: Sequence[dict[str, Any]], keys: Iterable[str]) -> tuple[str, ...]:
    for key in sorted(keys, key=lambda key: (key.lower() not in _ID_NAMES, key)):
        if key.lower() in _ID_NAMES or key.endswith(("_id", "Id", "_uuid")):
            texts = [scalar_text(document[key]) for document in documents]
            if all(texts) and len(set(texts)) == len(texts):
                return (key,)
    return ()


@final
class _Names:
    """Makes names of tables or columns that are taken by nobody."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {name.lower() for name in taken}

    def free(self, wanted: str) -> str:
        name = re.sub(r"[^A-Za-z0-9_]+", "_", wanted).strip("_")[:100] or "value"
        name = f"_{name}" if name[0].isdigit() else name
        candidate, number = name, 2
        while candidate.lower() in self._taken:
            candidate, number = f"{name}_{number}", number + 1
        self._taken.add(candidate.lower())
        return candidate


def _event_type(
    name: str, data: Sequence[Any], envelope: EnvelopeMapping | None, tables: _Names, left_out: list[str]
) -> EventType:
    items = all(isinstance(each, list) for each in data)
    objects = [item for each in data for item in (each if items else [each])]
    if not all(isinstance(each, dict) for each in objects):
        raise SamplesError(f"data of {name!r} is neither an object nor an array of objects: write the type by hand")
    leaves = _Leaves(objects)
    arrays = leaves.arrays
    if not items and leaves.without("version"):
        left_out.append(f"{name}: version: the envelope's, which a column reads at $.version")
    if envelope is not None and not envelope.data:
        for path in envelope.when:  # the same in all
            leaves.paths.pop(path, None)
    for path in leaves.odd:
        left_out.append(f"{name}: {path}: a path cannot name it, or it holds different things")
    made = [_table(name, leaves, len(objects), "", tables)] if leaves.paths or not arrays else []
    around = [_around(path, made[0]) for path in _keys(leaves, len(objects))] if made else []
    for path, some in arrays.items():
        of_items = _Leaves(some)
        left_out += [f"{name}: {path}[].{each}: an array in an array" for each in of_items.arrays]
        left_out += [f"{name}: {path}[].{each}: a path cannot name it" for each in of_items.odd]
        made.append(_table(f"{name}_{path}", of_items, len(some), path, tables, around))
    required = tuple(f"data.{path}" for path in _keys(leaves, len(objects))) if not items else ()
    return EventType(
        name, required=required, tables=tuple(made), requires_items=items, requires_object=not items, envelope=envelope
    )


@final
class _Leaves:
    """What stands at the paths of objects."""

    def __init__(self, objects: Iterable[Mapping[str, Any]]) -> None:
        self.paths: dict[str, list[Any]] = {}
        """Path -> the scalars there."""
        self.arrays: dict[str, list[Any]] = {}
        """Path -> the items of arrays there, which are objects."""
        self.odd: dict[str, None] = {}
        """Paths that no column can read."""
        self._objects: set[str] = set()
        for each in objects:
            self._add(each, "")
        for path in [*self.arrays]:
            if path in self._objects or path in self.odd:
                del self.arrays[path]
                self.odd[path] = None
        for path in [*self.paths]:
            if path in self._objects or path in self.arrays:
                del self.paths[path]
                self.odd[path] = None

    def without(self, key: str) -> bool:
        """Leave out what stands at a key and below it; return whether there was anything."""
        found = [path for path in (*self.paths, *self.arrays, *self.odd) if path.partition(".")[0] == key]
        for path in found:
            self.paths.pop(path, None)
            self.arrays.pop(path, None)
            self.odd.pop(path, None)
        return bool(found)

    def _add(self, found_object: Mapping[str, Any], before: str) -> None:
        for key, value in found_object.items():
            path = f"{before}{key}"
            if not _ADDRESSABLE.fullmatch(key):
                self.odd[path] = None
            elif isinstance(value, dict):
                self._objects.add(path)
                self._add(value, f"{path}.")
            elif isinstance(value, list):
                some = [each for each in value if isinstance(each, dict)]
                if len(some) < len(value):
                    self.odd[path] = None
                elif some:
                    self.arrays.setdefault(path, []).extend(some)
            elif value is not None:
                self.paths.setdefault(path, []).append(value)


def _keys(leaves: _Leaves, count: int) -> list[str]:
    """The first text that every sample has: rows are ordered by it, and it is required."""
    for path, values in leaves.paths.items():
        if len(values) == count and all(isinstance(each, str) and each for each in values):
            return [path] if "." not in path else []
    return []


def _around(path: str, table: Table) -> Column:
    column = next(each for each in table.columns if each.at == path)
    return attrs.evolve(column, at=f"$.data.{path}")


def _table(name: str, leaves: _Leaves, count: int, each: str, tables: _Names, around: Sequence[Column] = ()) -> Table:
    names = _Names(_TAKEN | {column.name for column in around})
    columns = [*around, *(_column(path, values, count, names) for path, values in leaves.paths.items())]
    if not columns:
        columns = [Column("event_id", Kind.TEXT, at="$.id")]
    order = [column.name for column in around] or [
        column.name for column in columns if column.at in _keys(leaves, count)
    ]
    return typed_table(tables.free(name), *columns, order_by=tuple(order), each=each)


def _column(path: str, values: Sequence[Any], count: int, names: _Names) -> Column:
    kind = _kind(values)
    text = kind in (Kind.TEXT, Kind.LABEL)
    return Column(names.free(path.replace(".", "_")), kind, nullable=not text and len(values) < count, at=path)


def _kind(values: Sequence[Any]) -> Kind:
    types = {type(value) for value in values}
    if types == {bool}:
        return Kind.UINT8
    if types == {int} and all(-(2**63) <= value < 2**63 for value in values):
        return Kind.INT64
    if types <= {int, float}:
        return Kind.FLOAT64
    distinct = {scalar_text(value) for value in values}
    return Kind.LABEL if len(distinct) <= min(_MOST_LABELS, len(values) // 2) else Kind.TEXT
