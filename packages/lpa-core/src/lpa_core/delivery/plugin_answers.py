"""What sources and dedup stores return, checked: a plugin's may return anything, and nothing must be lost by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lpa_core.argument_checks import shown_type
from lpa_core.dedup.store import DedupStore
from lpa_core.errors import ContractError
from lpa_core.records import Position, RecordBatch
from lpa_core.sources.source import Source

_VALUES: Final = frozenset({bytes, type(None)})


def read(source: Source, max_records: int, max_bytes: int) -> RecordBatch | None:
    """The source's next records. Raises ContractError, and what the source raises."""
    batch: object = source.read(max_records, max_bytes)
    if batch is None:
        return None
    expected = "a RecordBatch of at least one record, with an offset and bytes or None for each, or None at the end"
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
    expected = f"a list of {len(keys)}: for each key None, or the Position that owns it"
    if not isinstance(owners, list):
        raise ContractError(store, "claim", f"returned {shown_type(owners)}", expected)
    if len(owners) != len(keys):
        raise ContractError(store, "claim", f"returned a list of {len(owners)}", expected)
    wrong = next((owner for owner in owners if owner is not None and not isinstance(owner, Position)), None)
    if wrong is not None:
        raise ContractError(store, "claim", f"returned a list that has {shown_type(wrong)}", expected)
    return owners
