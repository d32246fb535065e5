"""Brings derived tables up to date with what is stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Final, final

import attrs
import structlog

from lpa_core.delivery.touched_sessions import JOB_TABLES
from lpa_core.events.coercion import MIN_EPOCH_MS
from lpa_core.job_facts.job_rows import JobKey
from lpa_core.lifecycle.fold import SessionFold
from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_core.sinks.derived import Derived, Refold
from lpa_core.sinks.sink import StoredRange
from lpa_sinks.clickhouse.retries import AbandonedError
from lpa_sinks.materialize.capabilities import (
    CAPABILITY_TABLES,
    CapabilityChanges,
    HeldSnapshots,
    OrchestratorName,
    named_orchestrators,
)
from lpa_sinks.materialize.changed_attributions import jobs_named, sessions_named
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.facts import FoldedSession, buried_minutes, bury, write
from lpa_sinks.materialize.jobs import JobDerivation
from lpa_sinks.materialize.known_sessions import KnownSession, known_sessions, touched_sessions
from lpa_sinks.materialize.quality_benchmarks import QualityBenchmarks
from lpa_sinks.materialize.rollups import ChangedSamples, project, project_stored, roll_up
from lpa_sinks.materialize.row_filter import Extent, RowFilter, SessionKey, TimeSpan, between, of_ranges, since
from lpa_sinks.materialize.sessions import OpenSession, OpenSessions
from lpa_sinks.materialize.signals import BySession, Signals, read
from lpa_sinks.materialize.stored_jobs import jobs_of_workers, touched_jobs

_log = structlog.get_logger("lpa.materialize")

_SESSIONS_AT_ONCE: Final = 1_000
_ROWS_AT_ONCE: Final = 100_000
"""What is read and folded together, at least one session: bounds memory."""
_RANGES_AT_ONCE: Final = 3
"""So few are read without a look at how large they are: none has more than some ten thousand records."""
_INTERLEAVED_MS: Final = 10_000
"""Workers that write at the same time finish their ranges in another order than that of their batch times."""
_LOOKED_UP_AT_ONCE: Final = 10_000
_SNAPSHOTS_AT_MOST: Final = 2_000_000
_DAY_MS: Final = 86_400_000
RETENTION_MS: Final = 89 * _DAY_MS
"""Younger events are certainly there: typed tables keep them for 90 days (01-schema.sql)."""


class DerivationOvertakenError(AbandonedError):
    """Somebody else derives by now what this process was about to write: nothing more of the pass is written."""


@final
@attrs.define(slots=True)
class _Pass:
    """What is written in one go: as of which version, what was done, and which samples are to be rolled up for it.

    Attributes:
        known_from: batch time, epoch ms; ranges from it on may come once more.
    """

    version: int
    known_from: float = math.inf
    done: Derived = attrs.field(factory=Derived)
    changed: ChangedSamples = attrs.field(factory=ChangedSamples)

    def note(self, written: Sequence[FoldedSession]) -> None:
        """Count sessions whose facts were written."""
        self.done.sessions += len(written)
        self.done.url_wallet_mismatches += sum(each.url_wallet_mismatches for each in written)
        self.changed.include(ChangedSamples.of(written))


@final
class Materializer:
    """Folds touched sessions and writes their facts, projections and rollups. One thread at a time.

    Every row carries a version: the server's time at which what it was made of began to be read. Everything is
    derived again after it is stored, so the latest version has seen all there is; doing a pass again, or beside another
    materializer, changes nothing that is read.
    """

    def __init__(
        self,
        database: FactDatabase,
        rules: FoldRules,
        *,
        open_sessions: int,
        before_writing: Callable[[], None] = lambda: None,
    ) -> None:
        """``open_sessions`` are kept between passes: 0 if others write signals of the same sessions, and derive.

        ``before_writing`` is called before anything is written, and may raise DerivationOvertakenError.
        """
        self._database, self._rules, self._before_writing = database, rules, before_writing
        self._sessions = OpenSessions(open_sessions)
        self._capabilities = HeldSnapshots(database)
        self._benchmarks = QualityBenchmarks(database)
        self._jobs = JobDerivation(database, before_writing)

    def forget(self) -> None:
        """Keep nothing of earlier passes: somebody else may have derived since."""
        self._capabilities = HeldSnapshots(self._database)
        self._sessions.clear()

    def update(
        self,
        ranges: Sequence[StoredRange],
        keys: Collection[SessionKey] | None = None,
        tables: Mapping[str, Sequence[StoredRange]] | None = None,
        jobs: Sequence[StoredRange] = (),
        *,
        refresh: bool = False,
    ) -> Derived:
        """Derive what new rows touch.

        Args:
            ranges: that brought signals.
            keys: the sessions to look at; None for all that the ranges touch.
            tables: projected table -> the ranges that brought rows of it; None for whatever the ranges brought.
            jobs: the ranges that brought rows of jobs or workers, if ``tables`` are given.
            refresh: look for capabilities that touches told others.

        Raises the client's errors, and what ``before_writing`` raises.
        """
        with self._forgetting_what_fails():
            return self._update(ranges, keys, tables, jobs, refresh=refresh)

    @contextmanager
    def _forgetting_what_fails(self) -> Iterator[None]:
        """What is folded in memory and was not written would be passed over the next time."""
        try:
            yield
        except BaseException:
            self.forget()
            raise

    def _update(
        self,
        ranges: Sequence[StoredRange],
        keys: Collection[SessionKey] | None,
        tables: Mapping[str, Sequence[StoredRange]] | None,
        jobs: Sequence[StoredRange],
        *,
        refresh: bool,
    ) -> Derived:
        told = chain(ranges, jobs, *({} if tables is None else tables).values())
        oldest = min((each.batch_time for each in told), default=math.inf)
        work = _Pass(self._version(), oldest - _INTERLEAVED_MS)
        if refresh:
            for key in sessions_named(self._database, self._capabilities.refresh()):
                self._sessions.forget(key)
        changes = CapabilityChanges()
        if tables is None and ranges:
            changes, has_jobs = self._projected(of_ranges(ranges))
            jobs = ranges if has_jobs else ()
        capabilities: set[StoredRange] = set()
        for table, some in (tables or {}).items():
            if some:
                capabilities.update(some if table in CAPABILITY_TABLES else ())
                times = [each.batch_time for each in some]
                project(self._database, table, min(times), max(times))
        if capabilities:
            changes = self._capabilities.arrived(of_ranges(sorted(capabilities)))
        changed = sessions_named(self._database, changes)
        for rows in self._arrived(ranges, keys):
            self._fold(read(self._database, rows), changed, work)
            changed = set()
        if changed:
            self._fold({}, changed, work)
        roll_up(self._database, work.changed)
        self._fold_jobs(of_ranges(jobs) if jobs else None, changes, work)
        self._benchmarks.refresh_when_due(work.version)
        return work.done

    def finish(self) -> None:
        """Do what passes leave to later ones, after the last pass. Raises the client's errors."""
        self._benchmarks.refresh()

    def _fold_jobs(self, rows: RowFilter | None, changes: CapabilityChanges, work: _Pass) -> None:
        """Fold the jobs that these rows, if any, or changed capabilities touch."""
        came = touched_jobs(self._database, rows) if rows else {}
        changed = jobs_named(self._database, changes)
        if rows:
            changed |= jobs_of_workers(self._database, rows)
        for written in self._folded_jobs([*came, *(changed - came.keys())], came, work.version):
            work.done.jobs += written

    def _folded_jobs(
        self, keys: Collection[JobKey], came: Mapping[JobKey, Extent], version: int, *, keep_expired: bool = True
    ) -> Iterator[int]:
        kept_since = version // 1000 - RETENTION_MS if keep_expired else MIN_EPOCH_MS
        return self._jobs.fold(keys, came, self._capabilities, version, kept_since)

    def _arrived(self, ranges: Sequence[StoredRange], keys: Collection[SessionKey] | None) -> Iterator[RowFilter]:
        """The signals of these ranges, in portions of whole sessions that can be held in memory."""
        if not ranges or (keys is not None and not keys):
            return
        of_all = of_ranges(ranges)
        rows = of_all if keys is None else of_all.of_sessions(keys)
        if len(ranges) <= _RANGES_AT_ONCE:
            yield rows
            return
        portion: list[SessionKey] = []
        held = 0
        for key, extent in touched_sessions(self._database, rows).items():
            if portion and held + extent.rows > _ROWS_AT_ONCE:
                yield of_all.of_sessions(portion)
                portion, held = [], 0
            portion.append(key)
            held += extent.rows
        if portion:
            yield of_all.of_sessions(portion)

    def catch_up(self, topic: str, batch_time: int) -> Iterator[Derived]:
        """Derive everything that rows of a topic with this batch time (epoch ms) or later touch, some at a time.

        Raises the client's errors.
        """
        rows = since(topic, batch_time)
        with self._forgetting_what_fails():
            changes, has_jobs = self._projected(rows)
            work = _Pass(self._version(), batch_time)
            self._fold({}, sessions_named(self._database, changes), work)
            roll_up(self._database, work.changed)
            self._fold_jobs(rows if has_jobs else None, changes, work)
            yield work.done
            yield from self.rebuild(touched_sessions(self._database, rows), batch_time)

    def rebuild_jobs(self, keys: Mapping[JobKey, Extent], *, keep_expired: bool = True) -> Iterator[Derived]:
        """Refold jobs, some at a time; answers after each what was done with these.

        Args:
            keys: job -> all its rows, or those that are known of.
            keep_expired: leave facts as they are whose events are not all there any more.

        Raises the client's errors.
        """
        for written in self._folded_jobs(keys, keys, self._version(), keep_expired=keep_expired):
            yield Derived(jobs=written)

    def rebuild(
        self, keys: Mapping[SessionKey, Extent], known_from: float = math.inf, *, keep_expired: bool = True
    ) -> Iterator[Derived]:
        """Refold sessions, some at a time; answers after each what was done with these.

        An hour's samples are rolled up once no later session can change them: rollups are complete at the end only.

        Args:
            keys: session -> all its rows, or those that are known of; earliest first.
            known_from: batch time, epoch ms; ranges from it on may come once more.
            keep_expired: leave facts as they are whose events are not all there any more.

        Raises the client's errors.
        """
        changed = ChangedSamples()
        for some, known in self._portions(keys, keys):
            roll_up(self._database, changed, before=keys[some[0]].span.earliest / 1000)
            work = _Pass(self._version(), known_from, changed=changed)
            self._fold_anew(some, known, keys, {}, work, keep_expired=keep_expired)
            yield work.done
        roll_up(self._database, changed)
        self._benchmarks.refresh()

    def _version(self) -> int:
        (times,) = self._database.query("server_time.sql", 1)
        return int(times[0])

    def _projected(self, rows: RowFilter) -> tuple[CapabilityChanges, bool]:
        """Project new rows, whichever tables have some.

        Returns what may be attributed otherwise by them, and whether some are of jobs or their workers.
        """
        tables = project_stored(self._database, rows)
        none = CAPABILITY_TABLES.isdisjoint(tables)
        changes = CapabilityChanges() if none else self._capabilities.arrived(rows)
        return changes, not JOB_TABLES.isdisjoint(tables)

    def _fold(self, arrived: BySession, changed: set[SessionKey], work: _Pass) -> None:
        """Add arrived signals to their sessions. Refold sessions that changed or that cannot simply be added to."""
        if self._capabilities.snapshots > _SNAPSHOTS_AT_MOST:
            self.forget()
        self._capabilities.require(_named(arrived.values()))
        folded: list[FoldedSession] = []
        anew = dict.fromkeys(changed, Refold.CAPABILITIES)
        for name, signals in arrived.items():
            if signals.key in anew:
                continue
            session = self._sessions.get(name)
            applied = Refold.FORGOTTEN if session is None else session.apply(signals, work.known_from)
            if isinstance(applied, Refold):
                self._sessions.forget(signals.key)
                anew[signals.key] = applied
            elif session is not None and applied:
                work.done.signals += applied
                folded.append(session.take())
        if folded:
            self._before_writing()
            write(self._database, folded, work.version)
        work.note(folded)
        came: dict[SessionKey, Extent] = {}
        for signals in arrived.values():
            there = came.get(signals.key)
            came[signals.key] = signals.extent if there is None else there + signals.extent
        for some, known in self._portions(sorted(anew), came):
            self._fold_anew(some, known, came, anew, work)

    def _portions(
        self, keys: Iterable[SessionKey], came: Mapping[SessionKey, Extent]
    ) -> Iterator[tuple[Sequence[SessionKey], Mapping[SessionKey, KnownSession]]]:
        """Sessions that can be folded together, and those of them that have facts.

        What has none and did not come is left to the pass that it comes with.
        """
        remaining = iter(keys)
        while some := list(islice(remaining, _LOOKED_UP_AT_ONCE)):
            known = known_sessions(self._database, some)
            portion: list[SessionKey] = []
            rows = 0
            for key in some:
                if key not in known and key not in came:
                    continue
                more = sum(each.rows for each in (came.get(key), known[key].stored if key in known else None) if each)
                if portion and (rows + more > _ROWS_AT_ONCE or len(portion) == _SESSIONS_AT_ONCE):
                    yield portion, known
                    portion, rows = [], 0
                portion.append(key)
                rows += more
            if portion:
                yield portion, known

    def _fold_anew(
        self,
        keys: Sequence[SessionKey],
        all_known: Mapping[SessionKey, KnownSession],
        came: Mapping[SessionKey, Extent],
        reasons: Mapping[SessionKey, Refold],
        work: _Pass,
        *,
        keep_expired: bool = True,
    ) -> None:
        """Read all events of these sessions and replace their facts.

        Args:
            came: rows that are probably not in the facts yet.
            reasons: why sessions that have facts are folded again, if that is to be counted.
        """
        known = {key: all_known[key] for key in keys if key in all_known}
        spans = [each.stored.span for each in known.values()]
        # Of a session without facts there should be no other rows; but they may have come while nobody derived.
        spans += [came[key].span if key in known else came[key].span.wider(_DAY_MS) for key in keys if key in came]
        if not spans:
            return
        sessions = read(self._database, between(TimeSpan.hull(spans)).of_sessions(keys))
        for key in _expired(known, sessions, work.version) if keep_expired else ():
            _log.warning("facts stay as they are: some of their events have expired", **key._asdict())
            del known[key]
            sessions = {name: signals for name, signals in sessions.items() if signals.key != key}
        self._capabilities.require(_named(sessions.values()))
        folded: list[FoldedSession] = []
        for name, signals in sessions.items():
            index = self._capabilities.index(name.org)
            session = OpenSession(SessionFold(name.workflow_session_id, index, self._rules.policy, self._rules.mode))
            applied = session.apply(signals, work.known_from)
            if isinstance(applied, Refold):
                raise AssertionError(f"{name} cannot be folded in its own order")
            folded.append(session.take())
            self._sessions.keep(name, session)
            work.done.signals += applied
        self._before_writing()
        write(self._database, folded, work.version)
        work.note(folded)
        work.done.anew += len(folded)
        work.done.refolds.update(reasons[key] for key in known if key in reasons)
        if known:
            names = {each.name for each in known.values()}
            derived = TimeSpan.hull([each.derived for each in known.values()])
            work.changed.add(buried_minutes(self._database, names, work.version, derived), names)
            bury(self._database, names, work.version, derived)


def _expired(known: Mapping[SessionKey, KnownSession], sessions: BySession, version: int) -> list[SessionKey]:
    """Sessions of which fewer rows are left than they were made of, and that are old enough to have lost them."""
    found = {signals.key: signals.extent.rows for signals in sessions.values()}
    kept_since = version // 1000 - RETENTION_MS
    return [
        key
        for key, session in known.items()
        if session.stored.span.earliest < kept_since and found.get(key, 0) < session.stored.rows
    ]


def _named(sessions: Iterable[Signals]) -> Mapping[OrchestratorName, int]:
    """What signals name orchestrators by, and the time of the earliest that does."""
    return named_orchestrators(signal for session in sessions for signal in session.found)
