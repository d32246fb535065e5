"""Capability snapshots of the wallets and URLs that signals name, and what a snapshot that arrives changes.

A signal sees the snapshots of its own org only (docs/spec/producers.md section 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, final

import attrs

from lpa_core.lifecycle.capabilities import TTL_MS, Capability, CapabilityIndex, url_key
from lpa_core.lifecycle.signals import Signal
from lpa_core.sinks.sink import StoredRange
from lpa_core.tables.table import Column, Kind
from lpa_sinks.clickhouse.inline_rows import carried
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.row_filter import RowFilter, TimeSpan, of_ranges
from lpa_sinks.materialize.statements import SQL

_EARLIEST: Final = -(1 << 45)
_LATEST: Final = 1 << 45
"""Epoch ms, beyond whatever a table can hold."""

CAPABILITY_TABLES: Final = frozenset(
    {
        "network_capabilities",
        "network_capabilities_advertised",
        "network_capabilities_model_constraints",
        "network_capabilities_prices",
    }
)
"""The tables that tell who offered what, or at least who answered at a URL."""

_NAMES: Final = (Column("org", Kind.TEXT), Column("name", Kind.TEXT))


class OrchestratorName(NamedTuple):
    """What a signal names an orchestrator by: a wallet, trimmed and in lower case, or a URL as it is compared."""

    org: str
    """Of the signal."""
    is_url: int
    """1 or 0."""
    name: str


def named_orchestrators(signals: Iterable[Signal]) -> Mapping[OrchestratorName, int]:
    """The wallets and URLs that signals name, and the time of the earliest that names it, epoch ms."""
    earliest: dict[OrchestratorName, int] = {}
    seen: dict[tuple[str, str, str], int] = {}
    for signal in signals:
        named = signal.org, signal.orchestrator_address, signal.orchestrator_url
        if signal.signal_ts < seen.get(named, signal.signal_ts + 1):
            seen[named] = signal.signal_ts
    for (org, wallet, url), time in seen.items():
        for name in (OrchestratorName(org, 0, wallet), OrchestratorName(org, 1, url_key(url))):
            if name.name:
                earliest[name] = min(time, earliest.get(name, time))
    return earliest


@final
@attrs.define(slots=True)
class CapabilityChanges:
    """What may be attributed otherwise from now on: signals and jobs, by what they name; times are epoch ms.

    Attributes:
        since: all of these times and later; ``_LATEST`` if there are none.
        at: those of these very times.
    """

    since: dict[OrchestratorName, int] = attrs.field(factory=dict[OrchestratorName, int])
    at: set[tuple[str, int, str, int]] = attrs.field(factory=set[tuple[str, int, str, int]])

    def add(self, name: OrchestratorName, since: int, *at: int) -> None:
        self.since[name] = min(since, self.since.get(name, _LATEST))
        self.at.update((*name, time) for time in at)

    @property
    def span(self) -> TimeSpan:
        return TimeSpan(min([*self.since.values(), *(time for *_, time in self.at)]), _LATEST)


@final
class HeldSnapshots:
    """The snapshots around the signals of the wallets and URLs asked for so far."""

    def __init__(self, database: FactDatabase) -> None:
        self.snapshots = 0
        """How many are held."""
        self._database = database
        self._by_org: dict[str, CapabilityIndex] = {}
        self._seen: set[StoredRange] | None = None
        """Ranges that brought capabilities lately; None before anybody looked."""
        self._since: dict[OrchestratorName, int] = {}
        """Wallet or URL -> the time from which its snapshots are here, beside the last one before and the first."""

    def index(self, org: str) -> CapabilityIndex:
        """Of the org's snapshots; it grows with what is asked for and arrives."""
        found = self._by_org.get(org)
        if found is None:
            found = self._by_org[org] = CapabilityIndex()
        return found

    def require(self, needed: Mapping[OrchestratorName, int]) -> None:
        """See to it that signals of these wallets and URLs find all that matters.

        Args:
            needed: wallet or URL -> time of its earliest signal, epoch ms.

        Raises the client's errors.
        """
        offering = self._load({name: time - TTL_MS for name, time in needed.items()})
        # A signal that names no wallet is looked up by the canonical one that its session is on.
        self._load(dict.fromkeys(offering, min(needed.values(), default=0) - TTL_MS))

    def _load(self, needed: Mapping[OrchestratorName, int]) -> set[OrchestratorName]:
        """Load what is missing and return the canonical wallets of it."""
        missing = {name: since for name, since in needed.items() if since < self._since.get(name, _LATEST)}
        if not missing:
            return set()
        since = min(missing.values())
        self._since.update(dict.fromkeys(missing, since))
        wallets, urls = (
            carried(_NAMES, [(org, name) for org, is_url, name in missing if is_url == wanted]) for wanted in (0, 1)
        )
        offering = self._add(
            *self._database.query(
                "capabilities_of.sql", 8, {"since": since}, wallets=wallets, urls=urls, url_key=url_key_of("orch_uri")
            )
        )
        if any(each.is_url for each in missing):
            found = self._database.query("identities_of.sql", 5, urls=urls, url_key=url_key_of("orch_uri"))
            offering |= self._add(*_identities(*found))
        return offering

    def _add(self, *columns: Iterable[Any]) -> set[OrchestratorName]:
        canonicals = set[OrchestratorName]()
        for org, local, canonical, url, pipeline, model, gpu, snapshots in zip(*columns, strict=True):
            index = self.index(org)
            for snapshot in snapshots:
                capability = Capability(snapshot, "", canonical, local, url, pipeline, model, gpu)
                self.snapshots += index.add(capability)
            if canonical:
                canonicals.add(OrchestratorName(org, 0, canonical))
        return canonicals

    def refresh(self) -> CapabilityChanges:
        """Take in what arrived since the last time, by whichever range; returns what :meth:`arrived` does.

        Raises the client's errors.
        """
        columns = self._database.query("capability_ranges.sql", 3)
        ranges = {StoredRange(*place) for place in zip(*columns, strict=True)}
        new = ranges - self._seen if self._seen is not None else set()
        self._seen = ranges
        return self.arrived(of_ranges(sorted(new))) if new else CapabilityChanges()

    def arrived(self, rows: RowFilter) -> CapabilityChanges:
        """Take in the snapshots that these rows are, and return what may be attributed otherwise by them.

        A snapshot that offers what the one before offered changes nothing but for signals of its very time, and those
        later than the one before reaches. Raises the client's errors.
        """
        identities = self._database.query("identities_arrived.sql", 5, rows.parameters, rows=rows.condition)
        changes = self._changes(rows, identities)
        if not changes.since:
            return changes
        offering = self._add(*self._database.query("capabilities_arrived.sql", 8, rows.parameters, rows=rows.condition))
        offering |= self._add(*_identities(*identities))
        if self._since:
            self._load(dict.fromkeys(offering - self._since.keys(), min(self._since.values())))
        return changes

    def _changes(self, rows: RowFilter, identities: Sequence[Sequence[Any]]) -> CapabilityChanges:
        found = CapabilityChanges()
        columns = self._database.query(
            "arrived_snapshots.sql", 6, rows.parameters, rows=rows.condition, url_key=url_key_of("orch_uri")
        )
        for org, is_url, name, time, previous, same in zip(*columns, strict=True):
            if same and time - previous <= TTL_MS:
                found.add(OrchestratorName(org, is_url, name), previous + TTL_MS + 1, time)
            else:
                found.add(OrchestratorName(org, is_url, name), _EARLIEST)
        told = [
            (OrchestratorName(org, 1, url_key(url)), local, canonical, times)
            for org, local, canonical, url, times in zip(*identities, strict=True)
            if url_key(url)
        ]
        self._load({name: min(times) - TTL_MS for name, _, _, times in told})
        for name, local, canonical, times in told:
            self._note_identity(found, name, canonical, local, times)
        return found

    def _note_identity(
        self, found: CapabilityChanges, url: OrchestratorName, canonical: str, local: str, snapshots: Sequence[int]
    ) -> None:
        """An identity row that only repeats the one before decides about no signal but those after that one's reach.

        All that was stored for the URL is held by now, also what arrived.
        """
        urls = self.index(url.org).urls
        known = urls[url.name].identities if url.name in urls else []
        same = [offer for offer in known if (offer.canonical, offer.local) == (canonical, local)]
        times = [time for offer in same for time in offer.times]
        for snapshot in snapshots:
            before = max((time for time in times if time < snapshot), default=_EARLIEST)
            if len(known) == 1 and snapshot - before <= TTL_MS:
                found.add(url, before + TTL_MS + 1, snapshot)
            else:
                found.add(url, _EARLIEST)


def _identities(
    org: Sequence[Any], local: Sequence[Any], canonical: Sequence[Any], url: Sequence[Any], snapshots: Sequence[Any]
) -> Sequence[Sequence[Any]]:
    """Columns of identity rows as those of offers: without pipeline, model and GPU."""
    nothing = [""] * len(local)
    return org, local, canonical, url, nothing, nothing, nothing, snapshots


def url_key_of(column: str) -> str:
    """The expression that says of a column what :func:`~lpa_core.lifecycle.capabilities.url_key` says of a URL."""
    return SQL.fill("url_key.sql", url=column).strip()
