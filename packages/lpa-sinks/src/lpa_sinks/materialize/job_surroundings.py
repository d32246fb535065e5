"""What decides about jobs beside their rows: the workers and the advertised prices that they need."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from lpa_core.job_facts.job_fact import AdvertisedPrice
from lpa_core.job_facts.job_rows import JobKey
from lpa_core.job_facts.workers import VALID_MS, Registration, WorkerIndex
from lpa_core.lifecycle.capabilities import url_key
from lpa_core.tables.table import Column, Kind
from lpa_sinks.clickhouse.inline_rows import carried
from lpa_sinks.materialize.capabilities import OrchestratorName
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.row_filter import TimeSpan, between
from lpa_sinks.materialize.stored_jobs import StoredJob


def orchestrators_of(jobs: Mapping[JobKey, StoredJob]) -> Mapping[OrchestratorName, int]:
    """What jobs name orchestrators by, and the time of the earliest event of one that does, epoch ms."""
    earliest: dict[OrchestratorName, int] = {}
    for key, job in jobs.items():
        rows = job.rows
        urls = {row.orchestrator_url for row in (*rows.batch, *rows.gateway, *rows.orchestrator)}
        urls |= {row.orch_url for row in rows.gateway}
        wallets = {row.orchestrator_address for row in (*rows.gateway, *rows.orchestrator)}
        names = [OrchestratorName(key.org, 1, url_key(url)) for url in urls]
        names += [OrchestratorName(key.org, 0, wallet) for wallet in wallets]
        for name in names:
            if name.name:
                earliest[name] = min(job.extent.span.earliest, earliest.get(name, job.extent.span.earliest))
    return earliest


def workers_of(database: FactDatabase, jobs: Mapping[JobKey, StoredJob]) -> Mapping[str, WorkerIndex]:
    """Org -> the registrations that may be of workers of these jobs. Raises the client's errors."""
    capabilities = {
        (key.org, row.capability) for key, job in jobs.items() for row in (*job.rows.gateway, *job.rows.orchestrator)
    }
    if not capabilities:
        return {}
    span = TimeSpan.hull([job.extent.span for job in jobs.values()])
    rows = between(TimeSpan(span.earliest - VALID_MS, span.latest))
    orgs, *columns = database.query(
        "registrations_of.sql",
        7,
        rows.parameters,
        rows=rows.condition,
        capabilities=carried(_CAPABILITIES, sorted(capabilities)),
    )
    found: dict[str, list[Registration]] = {}
    for org, registration in zip(orgs, map(Registration, *columns), strict=True):
        found.setdefault(org, []).append(registration)
    return {org: WorkerIndex(some) for org, some in found.items()}


def advertised_prices(
    database: FactDatabase, wanted: Collection[tuple[str, AdvertisedPrice]]
) -> Mapping[tuple[str, AdvertisedPrice], float]:
    """Org and price -> wei for a unit, of those that are advertised. Raises the client's errors."""
    if not wanted:
        return {}
    *places, prices = database.query("advertised_prices.sql", 5, wanted=carried(_PRICES, _rows(wanted)))
    return {(org, AdvertisedPrice(*place)): price for org, *place, price in zip(*places, prices, strict=True)}


def _rows(wanted: Iterable[tuple[str, AdvertisedPrice]]) -> list[tuple[str, str, int, str]]:
    return sorted((org, *price) for org, price in wanted)


_CAPABILITIES: Final = (Column("org", Kind.TEXT), Column("capability", Kind.TEXT))
_PRICES: Final = (
    Column("org", Kind.TEXT),
    Column("orchestrator_address", Kind.TEXT),
    Column("snapshot", Kind.INT64),
    Column("capability", Kind.TEXT),
)
