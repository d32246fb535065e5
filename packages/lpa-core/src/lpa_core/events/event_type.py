"""What an event type declares: its name, its required paths, and its tables with where their columns come from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain
from typing import Any, final

import attrs

from lpa_core.argument_checks import items, require_function, require_named_function, require_text, shown_type
from lpa_core.events.column_rows import rows_maker
from lpa_core.events.declaration import (
    require_choices,
    require_coerced,
    require_model,
    require_own_columns,
    require_paths,
    require_readable,
    require_typed,
)
from lpa_core.events.envelope import Envelope
from lpa_core.events.envelope_mapping import EnvelopeMapping
from lpa_core.events.mismatch import rejecting_shape
from lpa_core.events.model_from_columns import tree_of
from lpa_core.events.row import MakeRows, Row, own_columns
from lpa_core.events.times import DiscardedTime, settling
from lpa_core.tables.row_layout import LEADING_COLUMNS
from lpa_core.tables.table import Column, Table

__all__ = ["EventType", "Row", "typed_table"]


def typed_table(
    name: str,
    *columns: Column,
    order_by: tuple[str, ...],
    keep_days: int | None = None,
    each: str = "",
    one_of: Mapping[str, Collection[str]] | None = None,
) -> Table:
    """A table for rows of an event type: the leading columns, then the event's own. :class:`Table` has the rest.

    Raises ValueError if a column has the name of one that lpa adds, and what :class:`Table` raises.
    """
    require_own_columns(name, columns)
    return Table(
        name=name,
        columns=(*LEADING_COLUMNS, *columns),
        order_by=order_by,
        keep_days=keep_days,
        each=each,
        one_of=one_of or {},
    )


@final
@attrs.frozen(slots=True, eq=False)
class EventType:
    """One ``type`` of event.

    Its columns say where in the event they come from (:class:`~lpa_core.tables.table.Column`), and that is all. Where
    rows take choosing, ``shape`` makes them, from a ``model`` that says what there is to choose from: both or neither.

    Attributes:
        name: the exact, case-sensitive value of the envelope's ``type``.
        model: what ``data`` is decoded into: a struct or attrs class, or a union of a list of them and one. If
            there is no ``shape``, lpa makes it from the columns.
        required: paths that must be present, not null and not empty text, such as ``data.stream_id``.
            Each first step below ``data`` is an attribute of the model, annotated ``Text``.
        tables: every table that rows are made for, each once where its columns say where they come from.
        shape: ``shape(envelope, data) -> rows``, each with its table. Pure. Whatever it raises
            dead-letters the event as PARSING_FAILED.
        requires_items: ``data`` must be a non-empty array (reason ``empty_array``). Columns come from each item, which
            makes a row.
        requires_container: ``data`` must be an array or an object (reason ``invalid_data_shape``).
        requires_object: ``data`` must be an object (reason ``invalid_data_shape``).
        key_at: a key of ``data``, read by a column, whose text tells repeats of an event that come under other ids: if
            it is not blank, the dedup key is the name, ``|`` and the text, with the strategy ``data_id``.
        envelope: where a document without an envelope says what one would say: such documents are events of this type.
        validators: asked about events of this type only, in this order, after the built-in ones. Events of other types
            stay on the fast path. Each is a function of a :class:`~lpa_core.validation.json_document.Document`.

    Raises ValueError at any part that cannot be: columns that say no path, one that is none, or such as contradict each
    other; a required path that no event could have; a model that data cannot be decoded into; a wrong type.
    """

    name: str
    model: Any = None
    required: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    shape: Callable[[Envelope, Any], Iterable[tuple[Table, Row]]] | None = None
    requires_items: bool = False
    requires_container: bool = False
    requires_object: bool = False
    key_at: str = ""
    validators: tuple[Callable[[Any], Any], ...] = ()
    envelope: EnvelopeMapping | None = None
    decoded: Any = attrs.field(init=False, repr=False)
    """What ``data`` is decoded into: the model, or the one that lpa made of the columns."""
    make_rows: MakeRows = attrs.field(init=False, repr=False)
    rejects: bool = attrs.field(init=False, repr=False, default=False)
    """Whether a column says ``on_mismatch="reject"``: data of another shape is rejected then."""
    own_key: Callable[[Any], str] | None = attrs.field(init=False, repr=False, default=None)
    """Gives the text at ``key_at`` of decoded data."""
    unproven: tuple[str, ...] = attrs.field(init=False, repr=False)
    """Required attributes of data that its model lets be missing or empty."""

    def __attrs_post_init__(self) -> None:
        require_text("the name of an event type", self.name)
        try:
            self._require_types()
            require_paths(self.required, self.model, items=self.requires_items)
            model, make_rows, filled = self._shaped() if self.shape is not None else self._of_columns()
        except ValueError as error:
            raise ValueError(f"event type {self.name!r}: {error}") from None
        below_data = [path.removeprefix("data.") for path in self.required if path.startswith("data.")]
        object.__setattr__(self, "decoded", model)
        object.__setattr__(self, "make_rows", make_rows)
        object.__setattr__(self, "unproven", tuple(path for path in below_data if path not in filled))

    def _require_types(self) -> None:
        object.__setattr__(self, "required", items("required", self.required, str))
        object.__setattr__(self, "tables", items("tables", self.tables, Table))
        for table in self.tables:
            require_typed(table)
        require_text("key_at", self.key_at, empty=True)
        for name in ("requires_items", "requires_container", "requires_object"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} is {shown_type(getattr(self, name))}: it must be True or False")
        if not isinstance(self.validators, list | tuple):
            raise ValueError(f"validators is {shown_type(self.validators)}: it must be a list or tuple of functions")
        object.__setattr__(self, "validators", tuple(self.validators))
        for validator in self.validators:
            require_named_function("validators", validator, "document")
        if not isinstance(self.envelope, EnvelopeMapping | None):
            raise ValueError(f"envelope is {shown_type(self.envelope)}: it must be an EnvelopeMapping")
        if self.shape is not None:
            require_function("shape", self.shape, "envelope", "data")

    def _of_columns(self) -> tuple[Any, MakeRows, Collection[str]]:
        if self.model is not None:
            raise ValueError("has a model and no shape: leave the model out: lpa makes it from the columns")
        if not self.tables:
            raise ValueError("has no table: declare one with typed_table, and name it in tables")
        tables = [(table, own_columns(table)) for table in self.tables]
        columns = [*chain.from_iterable(columns for _, columns in tables)]
        require_readable(columns)
        require_choices(self.tables)
        if self.requires_items and (self.requires_object or self.key_at):
            raise ValueError("requires items: data is an array, so requires_object and key_at cannot hold")
        tree = tree_of(self.name, tables, self.required, each=self.requires_items)
        if self.key_at:
            object.__setattr__(self, "own_key", tree.text_at(self.key_at))
        object.__setattr__(self, "rejects", tree.rejects)
        item = rejecting_shape(tree.model, "", dict) if tree.rejects else tree.model
        model = list[item] if self.requires_items else tree.model  # type: ignore[valid-type]  # made just now
        return model, rows_maker(tables, tree, each=self.requires_items), tree.filled

    def _shaped(self) -> tuple[Any, MakeRows, Collection[str]]:
        require_model(self.name, self.model)
        if self.key_at:
            raise ValueError("key_at needs an event type without shape")
        require_coerced(column for table in self.tables for column in own_columns(table))
        require_readable(column for table in self.tables for column in own_columns(table) if column.at is not None)
        for table in self.tables:
            if table.each or table.one_of:
                raise ValueError(f"table {table.name}: each and one_of need an event type without shape")
        shape, settle = self.shape, settling(self.model)
        assert shape is not None
        widths = {table: len(own_columns(table)) for table in self.tables}

        def make_rows(envelope: Envelope, data: Any, discarded: list[DiscardedTime]) -> tuple[tuple[Table, Row], ...]:
            if settle is not None and data is not None:
                data = settle(data, envelope.timestamp, discarded)
            rows = tuple(shape(envelope, data))
            # What is wrong with a plugin's shape must not reach a block that holds other events' rows.
            for table, row in rows:
                if table not in widths:
                    raise ValueError("shape made a row of a table that the event type does not have among its tables")
                if len(row) != widths[table]:
                    raise ValueError(f"a row of {table.name} has {len(row)} values for {widths[table]} columns")
            return rows

        return self.model, make_rows, ()
