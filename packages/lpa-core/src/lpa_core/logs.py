"""Log lines: for people on a terminal, JSON elsewhere. They go to standard error."""

from __future__ import annotations

import logging
import sys

import structlog

from lpa_core.printable import printable


def configure(log_format: str = "auto", level: str = "info") -> None:
    """Set up logging for a process; ``log_format`` is auto, console or json, ``level`` a severity's name."""
    people = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if people
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([_printable] if people else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def _printable(logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Escape what could move a terminal's cursor; the lines of a traceback stay lines."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = "\n".join(map(printable, value.split("\n"))) if name == "exception" else printable(value)
    return event
