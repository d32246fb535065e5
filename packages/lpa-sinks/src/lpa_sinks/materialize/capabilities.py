"""Capability snapshots of the wallets that sessions name, and what a snapshot that arrives changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, final

import attrs

from lpa_core.events.times import MOST_APART_MS
from lpa_core.lifecycle.capabilities import TTL_MS, Capability, CapabilityIndex
from lpa_core.sinks.sink import StoredRange
from lpa_core.tables.table import Column, Kind
from lpa_sinks.clickhouse.inline_rows import carried
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.row_filter import RowFilter, SessionKey, TimeSpan, between, of_ranges

_EARLIEST: Final = -(1 << 45)
_LATEST: Final = 1 << 45
"""Epoch ms, beyond whatever a table can hold."""

_WALLETS: Final = (Column("wallet", Kind.TEXT),)
_TIMES: Final = (Column("wallet", Kind.TEXT), Column("time", Kind.INT64))


@final
@attrs.define(slots=True)
class _Changes:
    """Signals that may be attributed otherwise from now on, by wallet; times are epoch ms.

    Attributes:
        since: all of these times and later; ``_LATEST`` if there are none.
        at: those of these very times.
    """

    since: dict[str, int] = attrs.field(factory=dict[str, int])
    at: set[tuple[str, int]] = attrs.field(factory=set[tuple[str, int]])

    def add(self, wallet: str, since: int, *at: int) -> None:
        self.since[wallet] = min(since, self.since.get(wallet, _LATEST))
        self.at.update((wallet, time) for time in at)

    @property
    def span(self) -> TimeSpan:
        return TimeSpan(min([*self.since.values(), *(time for _, time in self.at)]), _LATEST)


@final
class HeldSnapshots:
    """The snapshots around the signals of the wallets asked for so far."""

    def __init__(self, database: FactDatabase) -> None:
        self.index = CapabilityIndex()
        self.snapshots = 0
        """How many are held."""
        self._database = database
        self._seen: set[StoredRange] | None = None
        """Ranges that brought capabilities lately; None before anybody looked."""
        self._since: dict[str, int] = {}
        """Wallet -> the time from which its snapshots are here, beside the last one before."""

    def require(self, needed: Mapping[str, int]) -> None:
        """See to it that signals of these wallets find all that matters.

        Args:
            needed: wallet, trimmed and in lower case -> time of its earliest signal, epoch ms.

        Raises the client's errors.
        """
        offering = self._load({wallet: time - TTL_MS for wallet, time in needed.items() if wallet})
        # A signal that names no wallet is looked up by the canonical one that its session is on.
        self._load(dict.fromkeys(offering, min(needed.values(), default=0) - TTL_MS))

    def _load(self, needed: Mapping[str, int]) -> set[str]:
        """Load what is missing and return the canonical wallets of it."""
        missing = {wallet: since for wallet, since in needed.items() if since < self._since.get(wallet, _LATEST)}
        if not missing:
            return set()
        since = min(missing.values())
        self._since.update(dict.fromkeys(missing, since))
        return self._add(
            *self._database.query(
                "capabilities_of.sql", 7, {"since": since}, wallets=carried(_WALLETS, [(name,) for name in missing])
            )
        )

    def _add(self, *columns: Iterable[Any]) -> set[str]:
        canonicals = set()
        for local, canonical, url, pipeline, model, gpu, snapshots in zip(*columns, strict=True):
            for snapshot in snapshots:
                capability = Capability(snapshot, "", canonical, local, url, pipeline, model, gpu)
                self.snapshots += self.index.add(capability)
            canonicals.add(canonical)
        return canonicals

    def refresh(self) -> set[SessionKey]:
        """Take in what arrived since the last time, by whichever range; answers as :meth:`arrived` does.

        Raises the client's errors.
        """
        columns = self._database.query("capability_ranges.sql", 3)
        ranges = {StoredRange(*place) for place in zip(*columns, strict=True)}
        new = ranges - self._seen if self._seen is not None else set()
        self._seen = ranges
        return self.arrived(of_ranges(sorted(new))) if new else set()

    def arrived(self, rows: RowFilter) -> set[SessionKey]:
        """Take in the snapshots that these rows are, and answer whose facts may change by them.

        A snapshot that offers what the one before offered changes nothing but for signals of its very time, and those
        later than the one before reaches. Raises the client's errors.
        """
        changes = self._changes(rows)
        if not changes.since:
            return set()
        offering = self._add(*self._database.query("capabilities_arrived.sql", 7, rows.parameters, rows=rows.condition))
        if self._since:
            self._load(dict.fromkeys(offering - self._since.keys(), min(self._since.values())))
        near = between(changes.span.wider(MOST_APART_MS))  # a trace's step may lie that far from its event
        streams, requests = self._database.query(
            "sessions_on_wallets.sql",
            2,
            near.parameters,
            since=carried(_TIMES, list(changes.since.items())),
            at=carried(_TIMES, list(changes.at)),
            near=near.condition,
        )
        return {SessionKey(*ids) for ids in zip(streams, requests, strict=True)}

    def _changes(self, rows: RowFilter) -> _Changes:
        found = _Changes()
        columns = self._database.query("arrived_snapshots.sql", 4, rows.parameters, rows=rows.condition)
        for wallet, time, previous, same in zip(*columns, strict=True):
            if same and time - previous <= TTL_MS:
                found.add(wallet, previous + TTL_MS + 1, time)
            else:
                found.add(wallet, _EARLIEST)
        return found
