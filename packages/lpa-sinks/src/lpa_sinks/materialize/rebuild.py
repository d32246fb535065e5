"""Rebuilds derived rows of a window from the typed rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain
from typing import final

from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_core.sinks.derived import Derived
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.known_sessions import touched_sessions
from lpa_sinks.materialize.materializer import Materializer
from lpa_sinks.materialize.rollups import project_stored
from lpa_sinks.materialize.row_filter import SessionKey, TimeSpan, between
from lpa_sinks.materialize.stored_jobs import touched_jobs


@final
class Rebuild:
    """Sessions and jobs with an event in a span, each whole, however far it reaches out of it."""

    def __init__(
        self, database: FactDatabase, rules: FoldRules, span: TimeSpan, sessions: Collection[SessionKey] = ()
    ) -> None:
        """``sessions``: only these, and no job; none for all."""
        self._database, self._span, self._sessions = database, span, frozenset(sessions)
        self._materializer = Materializer(database, rules, open_sessions=0)
        self._steps: Iterator[Derived] = iter(())

    def prepare(self) -> int:
        """Find the sessions and jobs, and return how many there are. Raises the client's errors."""
        rows = between(self._span)
        found = touched_sessions(self._database, rows.of_sessions(self._sessions) if self._sessions else rows)
        jobs = {} if self._sessions else touched_jobs(self._database, rows)
        if not self._sessions:
            project_stored(self._database, rows)
        self._steps = chain(self._materializer.rebuild(found), self._materializer.rebuild_jobs(jobs))
        return len(found) + len(jobs)

    def step(self) -> Derived | None:
        """Rebuild some of them; None if all are done. Raises the client's errors."""
        return next(self._steps, None)
