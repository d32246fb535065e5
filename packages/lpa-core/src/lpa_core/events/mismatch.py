"""Columns that rather lose an event than a value: what does not fit makes the event a dead letter."""

from __future__ import annotations

import reprlib
from functools import cache
from typing import Annotated, Any, final

import attrs

from lpa_core.errors import JobFailed
from lpa_core.events.coercion import Unfit
from lpa_core.events.lenient_decoding import Coercion, coercion_for


class MismatchError(JobFailed):
    """A value does not fit its column, which is not to be coerced.

    Attributes:
        path: where it is in the data, or in an item of it; empty for the data or the item itself.
    """

    def __init__(self, path: str, value: object, expected: str) -> None:
        super().__init__(f"is {reprlib.repr(value)}: expected {expected}")
        self.path = path


@final
class Mismatches(list[int]):
    """Counts what does not fit, as any list of one number does, and keeps every mismatch instead of the first."""

    def __init__(self) -> None:
        super().__init__([0])
        self.found: list[MismatchError] = []


@final
@attrs.frozen(slots=True)
class Rejecting:
    """A rule that raises MismatchError if the rule within counts a value that does not fit."""

    path: str
    rule: Coercion
    expected: str

    def __call__(self, value: Any, unfit: Unfit) -> Any:
        before = unfit[0]
        coerced = self.rule(value, unfit)
        if unfit[0] > before:
            raised = MismatchError(self.path, value, self.expected)
            if not isinstance(unfit, Mismatches):
                raise raised
            unfit.found.append(raised)
        return coerced


@final
@attrs.frozen(slots=True)
class RejectingShape:
    """The same for an object or an array in which such columns are; what is wrong inside is not its own."""

    path: str
    rule: Coercion
    shape: type

    def __call__(self, value: Any, unfit: Unfit) -> Any:
        if value is not None and not isinstance(value, self.shape):
            expected = "an object" if self.shape is dict else "an array"
            return Rejecting(self.path, self.rule, expected)(value, unfit)
        return self.rule(value, unfit)


@cache
def rejecting(annotation: Any, path: str, expected: str) -> Any:
    """The annotated type with the rule that rejects; the same object for the same arguments."""
    return Annotated[annotation, Rejecting(path, coercion_for(annotation), expected)]


def rejecting_shape(annotation: Any, path: str, shape: type) -> Any:
    return Annotated[annotation, RejectingShape(path, coercion_for(annotation), shape)]
