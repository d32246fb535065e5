"""What a validator is, and the chain that asks one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from lpa_core.validation.json_document import Document
from lpa_core.validation.plugin_verdict import WrongVerdictError, required_answer
from lpa_core.validation.reasons import Failure, Reason, schema_invalid

FAULT: Final = re.compile(r"validator (.+?) ((?:raised|returned) .*)", re.DOTALL)
"""The details of a failure that a validator did not find but caused: its name, and its fault."""


class Validator(Protocol):
    """Looks at one document and says what is wrong with it, or None.

    Pure: no I/O, no clock. A validator may rely on all that stand before it in the chain having passed.
    """

    @property
    def __name__(self) -> str: ...

    def __call__(self, document: Document, /) -> Failure | None: ...


def first_failure(validators: Iterable[Validator], document: Document) -> Failure | None:
    for validator in validators:
        failure = validator(document)
        if failure is not None:
            return failure
    return None


def of_event_types(validators: Mapping[str, Sequence[Validator]]) -> Validator:
    """A validator that asks those of the document's event type, which the built-in ones have made sure of."""

    def of_event_type(document: Document) -> Failure | None:
        event_type = document.event_type
        return first_failure(validators[event_type.name] if event_type else (), document)

    return of_event_type


def guarded(validators: Sequence[Validator]) -> tuple[Validator, ...]:
    """Validators of plugins, so that one that raises, or answers nonsense, rejects the event and stops no stream."""
    return tuple(_guarded(validator) for validator in validators)


def _guarded(validator: Validator) -> Validator:
    def guard(document: Document) -> Failure | None:
        try:
            return required_answer(validator(document))
        except WrongVerdictError as wrong:
            fault = str(wrong)
        except (Exception, SystemExit) as error:
            fault = f"raised {type(error).__name__}: {error}"
        return schema_invalid(Reason.PLUGIN_VALIDATOR, f"validator {validator.__name__} {fault}")

    guard.__name__ = validator.__name__
    return guard
