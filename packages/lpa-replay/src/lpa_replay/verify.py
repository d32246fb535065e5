"""The regression checklist of a replay, as figures (docs/spec/operations.md section 8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, final

import attrs

from lpa_core.counted import counted
from lpa_core.tables.table import Table
from lpa_replay.audit import CLOCKS_MAY_DIFFER_MS, RunRecord, results_of_run
from lpa_replay.database import ReplayDatabase

EVERY_RECORD: Final = "every record in one place"
"""The check that counts what became of the records."""
_TOLERATED_SHARE: Final = 0.01
"""Dead letters of all input: docs/spec/operations.md section 5 alerts above it."""


@final
@attrs.frozen
class VerificationResult:
    """One line of the checklist. ``figures`` are what it was judged by; ``passed`` None: for information only."""

    name: str
    passed: bool | None
    figures: dict[str, Any]
    said: str

    def as_json(self) -> dict[str, Any]:
        return attrs.asdict(self)


def verify(
    database: ReplayDatabase, run: RunRecord, tables: Sequence[Table], ttl_ms: int, now: int
) -> list[VerificationResult]:
    """Find out what became of each record of a run, write it into ``replay_outcomes``, and judge.

    Args:
        tables: the typed tables.
        ttl_ms: for how long the dedup store remembers.
        now: epoch ms.

    Raises SinkUnavailable, SinkMisconfigured.
    """
    about = {"replay_id": run.replay_id, "since": run.started_ms - CLOCKS_MAY_DIFFER_MS}
    sql = database.sql("verify_results.sql", results=results_of_run(database, "1"))
    database.run("write down results", lambda: database.client.command(sql, parameters={**about, "now": now}))
    (sums,) = database.rows("add results up", database.sql("verify_sums.sql"), replay_id=run.replay_id)
    names = ("records", "numbers", "published", "recovered", "failed_again", "skipped", "unrecoverable")
    figures = dict(zip((*names, "missing", "ambiguous", "typed_rows", "oldest_ms"), map(int, sums), strict=True))
    return [
        _accounts(run, figures),
        *_rows(database, tables, figures["typed_rows"], about),
        _rate(database, run, figures),
        *_duplicates(database, run),
        _ttl(run, figures, ttl_ms),
    ]


def _accounts(run: RunRecord, figures: dict[str, int]) -> VerificationResult:
    kinds = ("recovered", "failed_again", "skipped", "unrecoverable")
    settled = sum(figures[kind] for kind in kinds)
    agree = settled == figures["records"] == figures["numbers"] == run.records_selected
    agree = agree and figures["published"] == run.records_published
    said = ", ".join(f"{figures[kind]:,} {kind.replace('_', ' ')}" for kind in kinds)
    if figures["missing"]:
        said += f"; {figures['missing']:,} have not arrived: is `lpa ingest` running? Verify again then"
    if figures["ambiguous"]:
        said += f"; {figures['ambiguous']:,} are in more than one place"
    if not agree and not figures["missing"] and not figures["ambiguous"]:
        said += f"; the audit has {figures['records']:,} of {run.records_selected:,} records"
    shown = {name: figures[name] for name in ("records", *kinds, "missing", "ambiguous")}
    return VerificationResult(EVERY_RECORD, agree, shown, said)


def _rows(
    database: ReplayDatabase, tables: Sequence[Table], expected: int, about: dict[str, Any]
) -> Iterator[VerificationResult]:
    counts = {}
    for table in tables:
        sql = database.sql("verify_rows.sql", table=database.table(table.name))
        ((counts[table.name],),) = database.rows(f"count rows of {table.name}", sql, **about)
    found = sum(counts.values())
    rows = {name: count for name, count in counts.items() if count}
    yield VerificationResult(
        "rows in typed tables",
        found == expected,
        {"expected": expected, "found": found, "tables": rows},
        f"{found:,} of {expected:,}",
    )
    facts = {}
    for (name,) in database.rows("list fact tables", database.sql("fact_tables.sql"), database=database.name):
        sql = database.sql("verify_facts.sql", table=database.table(name))
        ((facts[name],),) = database.rows(f"count rows of {name}", sql, **about)
    made = {name: count for name, count in facts.items() if count}
    said = f"{sum(made.values()):,} in {counted(len(made), 'table')}" if facts else "there are no fact tables"
    yield VerificationResult("rows in fact tables", None, {"tables": made}, said)


def _rate(database: ReplayDatabase, run: RunRecord, figures: dict[str, int]) -> VerificationResult:
    """The records of the run alone: what others send meanwhile says nothing about it."""
    ((dead_before, accepted_before),) = database.rows(
        "look up the usual rate of dead letters", database.sql("verify_rate.sql"), replay_id=run.replay_id
    )
    failed, recovered = figures["failed_again"], figures["recovered"]
    after = failed / (failed + recovered) if failed + recovered else 0.0
    before = dead_before / (dead_before + accepted_before) if dead_before + accepted_before else 0.0
    allowed = max(before, _TOLERATED_SHARE)
    return VerificationResult(
        "rate of dead letters",
        after <= allowed,
        {"before": before, "after": after, "allowed": allowed, "dead_letters": failed, "accepted": recovered},
        f"{after:.2%} of what it sent, {before:.2%} in the day before the first failure; at most {allowed:.2%}",
    )


def _duplicates(database: ReplayDatabase, run: RunRecord) -> Iterator[VerificationResult]:
    """A duplicate that this run made fails it. Duplicates of other runs in its window are only reported."""
    parameters = {"start": run.start_ms, "end": run.end_ms}
    moment = "event_timestamp" if run.clock == "event" else "ingestion_timestamp"
    in_window = (
        "1"
        if run.start_ms is None
        else f"{moment} >= fromUnixTimestamp64Milli({{start:Int64}}, 'UTC') "
        f"AND {moment} < fromUnixTimestamp64Milli({{end:Int64}}, 'UTC')"
    )
    if run.start_ms is None:
        del parameters["start"], parameters["end"]
    sql = database.sql("verify_duplicates.sql", in_window=in_window)
    (there,) = database.rows("look for duplicates", sql, **parameters)
    (ours,) = database.rows("look for what was doubled", database.sql("verify_doubled.sql"), replay_id=run.replay_id)
    for name, found, doubled in zip(("by dedup key", "by position"), there, ours, strict=True):
        yield VerificationResult(
            f"duplicates {name}",
            not doubled,
            {"in_window": found, "of_this_replay": doubled},
            f"{doubled:,} by this replay; {found:,} in the window, from any source",
        )


def _ttl(run: RunRecord, figures: dict[str, int], ttl_ms: int) -> VerificationResult:
    """What is stored was looked up, whatever the dedup store remembers; a forced run relied on the store alone."""
    age = run.started_ms - figures["oldest_ms"] if figures["published"] else 0
    within = age <= ttl_ms
    said = f"the oldest record is {'within' if within else 'beyond'} the dedup TTL"
    if not within:
        said += ": forced, so duplicates may be stored" if run.forced else "; what is stored was looked up by key"
    return VerificationResult(
        "window against dedup TTL", within or not run.forced, {"age_ms": age, "ttl_ms": ttl_ms}, said
    )
