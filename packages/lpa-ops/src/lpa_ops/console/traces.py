"""The page of a trace: everything known of an id or position, as ``lpa trace`` says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from lpa_ops.console.page import ConsolePage, ConsoleSources, PageRequest
from lpa_ops.trace.answer import Trace
from lpa_ops.trace.gather import trace
from lpa_ops.trace.subject import TraceSubject

_MOST: Final = 20


def traced(sources: ConsoleSources, subject: TraceSubject) -> dict[str, Any]:
    """The answer of ``lpa trace --json``, with ``found``."""
    return _plain(trace(sources.database.questions(), subject, sources.surroundings, _MOST))


def _plain(answer: Trace) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(answer)
    return {**plain, "found": answer.found}


def _read(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    wanted = request.text("of")
    return {"trace": traced(sources, TraceSubject.of(wanted)) if wanted else None}


PAGES: Final = (ConsolePage("trace", "Trace", "trace.html", _read),)
