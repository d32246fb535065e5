"""What sources, dedup stores and sinks answer, checked: a plugin's may say anything, and nothing must be lost by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from lpa_core.argument_checks import shown_type
from lpa_core.dedup.store import DedupStore
from lpa_core.errors import ContractError
from lpa_core.records import Position, RecordBatch
from lpa_core.sinks.sink import RowsRefused, Sink
from lpa_core.sources.source import Source
from lpa_core.tables.table import Block

_VALUES: Final = frozenset({bytes, type(None)})


def read(source: Source, max_records: int, max_bytes: int) -> RecordBatch | None:
    """The source's next records. Raises ContractError, and what the source raises."""
    batch: object = source.read(max_records, max_bytes)
    if batch is None:
        return None
    expected = (
        "return a RecordBatch of at least one record, with an offset and bytes or None for each, or None at the end"
    )
    if not isinstance(batch, RecordBatch):
        raise ContractError(source, "read", f"returned {shown_type(batch)}", expected)
    if len(batch.values) != len(batch.offsets):
        raise ContractError(source, "read", "returned a RecordBatch with more values than offsets, or fewer", expected)
    if not len(batch):
        raise ContractError(source, "read", "returned a RecordBatch without records", expected)
    if not _VALUES.issuperset(map(type, batch.values)):
        wrong = next(value for value in batch.values if type(value) not in _VALUES)
        raise ContractError(
            source, "read", f"returned a RecordBatch that has {shown_type(wrong)} for a value", expected
        )
    return batch


def claim(
    store: DedupStore, keys: Sequence[str], topic: str, partition: int, offsets: Sequence[int], batch_time: int
) -> list[Position | None]:
    """Who owns each key. Raises ContractError, and what the store raises."""
    owners: object = store.claim(keys, topic, partition, offsets, batch_time)
    expected = f"return a list of {len(keys)}: for each key None, or the Position that owns it"
    if not isinstance(owners, list):
        raise ContractError(store, "claim", f"returned {shown_type(owners)}", expected)
    if len(owners) != len(keys):
        raise ContractError(store, "claim", f"returned a list of {len(owners)}", expected)
    wrong = next((owner for owner in owners if owner is not None and not isinstance(owner, Position)), None)
    if wrong is not None:
        raise ContractError(store, "claim", f"returned a list that has {shown_type(wrong)}", expected)
    return owners


def require_refusable(sink: Sink, block: Block, refusal: RowsRefused) -> None:
    """Raise ContractError unless the sink refuses rows of this block: others would become dead letters, or none."""
    expected = f"name rows of the block that it was given: of the table {block.table.name}, 0 to {len(block) - 1}"
    if refusal.table != block.table.name:
        raise ContractError(sink, "write", f"raised RowsRefused for the table {refusal.table!r}", expected)
    if not refusal.rows:
        raise ContractError(sink, "write", "raised RowsRefused without rows", expected)
    refused: Iterable[tuple[object, object]] = refusal.rows.items()
    for index, why in refused:
        if not isinstance(index, int) or not 0 <= index < len(block):
            raise ContractError(sink, "write", f"raised RowsRefused for the row {index!r}", expected)
        if not isinstance(why, str):
            raise ContractError(sink, "write", "raised RowsRefused with a reason that is not text", expected)
