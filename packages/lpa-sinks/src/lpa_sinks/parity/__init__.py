"""Parity: whether stored tables, facts, rollups and views agree, as named SQL assertions."""

from lpa_sinks.parity.asking import ROWS_SHOWN, Finding, ask
from lpa_sinks.parity.assertions import Assertion, Severity, assertions

__all__ = ["ROWS_SHOWN", "Assertion", "Finding", "Severity", "ask", "assertions"]
