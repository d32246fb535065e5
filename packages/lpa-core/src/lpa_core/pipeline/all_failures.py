"""Everything that is wrong with a document: a verdict has the first failure only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from lpa_core.events.mismatch import MismatchError, Mismatches
from lpa_core.pipeline.compiled_type import CompiledType
from lpa_core.validation.builtin import missing_fields, required_fields
from lpa_core.validation.chain import Validator
from lpa_core.validation.json_document import Document
from lpa_core.validation.reasons import Failure, Reason, schema_invalid


def every_failure(
    document: Document,
    builtin: Sequence[Validator],
    others: Sequence[Callable[[Document], Failure | None]],
    compiled: CompiledType | None,
) -> Iterator[Failure]:
    """Each failure, in the order in which validators are asked.

    Args:
        builtin: the first makes sure that the root is an object.
        others: those of plugins: they rely on the built-in ones, and are asked only if those found nothing.
        compiled: the event type; None if the document has none that is collected.
    """
    found = False
    for validator in builtin:
        every = missing_fields(document) if validator is required_fields else iter(_one(validator(document)))
        for failure in every:
            yield failure
            found = True
        if not isinstance(document.root, dict):
            return
    if not found:
        yield from (failure for validator in others for failure in _one(validator(document)))
    if compiled is not None:
        mismatches = Mismatches()
        with suppress(Exception):  # what else coercion raises is a failure that the verdict has
            compiled.coerce(document.value("data"), mismatches)
        yield from (mismatched(each, items=compiled.needs_items) for each in mismatches.found)


def mismatched(error: MismatchError, *, items: bool) -> Failure:
    """The failure of a value that does not fit; with ``items`` its path begins at an item of the data."""
    where = "data[]" if items else "data"
    path = f"{where}.{error.path}" if error.path else where
    return schema_invalid(Reason.VALUE_MISMATCH, f"{path} {error}")


def _one(failure: Failure | None) -> tuple[Failure, ...]:
    return () if failure is None else (failure,)
