"""Parity: whether stored tables, facts, rollups and views agree, as named SQL assertions."""

from lpa_sinks.parity.assertions import Assertion, Severity, assertions
from lpa_sinks.parity.comparable_hours import end_of_events, settled_hours
from lpa_sinks.parity.run_assertion import ROWS_SHOWN, AssertionResult, ask

__all__ = [
    "ROWS_SHOWN",
    "Assertion",
    "AssertionResult",
    "Severity",
    "ask",
    "assertions",
    "end_of_events",
    "settled_hours",
]
