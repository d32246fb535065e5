"""The failures of records without a value, that are not JSON, or of which no rows can be made."""

from __future__ import annotations

from typing import Final

from lpa_core.pipeline.parse_problems import parse_problem
from lpa_core.validation.reasons import Failure, FailureClass, Reason, Stage

NO_VALUE: Final = Failure(
    Stage.DESERIALIZATION, FailureClass.DESERIALIZATION_FAILED, Reason.NULL_PAYLOAD, "the record has no value"
)


def not_json(value: bytes, error: Exception) -> Failure:
    """The failure of a record that its decoder raised ``error`` at."""
    problem = parse_problem(value, error)
    return Failure(Stage.DESERIALIZATION, FailureClass.DESERIALIZATION_FAILED, Reason.JSON_PARSE_ERROR, problem)


def not_parsed(error: Exception) -> Failure:
    """The failure of an event of which no rows can be made."""
    details = f"{type(error).__name__}: {error}"
    return Failure(Stage.PARSE, FailureClass.PARSING_FAILED, Reason.PARSE_EXCEPTION, details)
