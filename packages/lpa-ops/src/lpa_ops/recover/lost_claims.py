"""A shared dedup store has lost claims: what the tables hold is claimed again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from typing import final

from lpa_core.counted import counted
from lpa_core.dedup.store import Claimed, DedupStore, SupportsVouching
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.committed_offsets import require_stopped
from lpa_core.uris import without_secrets
from lpa_ops.backup.claims import stored_claims
from lpa_ops.positions.stored_tables import positions, stored_tables
from lpa_ops.recover.scenario import Context, Findings, RecoveryError, RecoveryStep
from lpa_sinks.clickhouse.database import opened


class LostClaimsFindings(Findings, frozen=True, kw_only=True):
    of_topic: bool
    """Whether any stored record came from the group's topics."""


@final
class LostClaims:
    """Claims every key that is stored and has not expired, and has workers trust the store again."""

    name = "lost-claims"
    findings = LostClaimsFindings

    def __init__(self, dedup: str) -> None:
        """``dedup`` names the store as ``lpa ingest --dedup`` does."""
        self._dedup = dedup

    def assess(self, context: Context) -> LostClaimsFindings:
        with opened(context.sink, context.settings) as (client, name):
            stored = positions(client, stored_tables(client, name))
        with closing(self._opened(context)) as store:
            assert isinstance(store, SupportsVouching)
            loss = store.loss(some=bool(stored))
        damage = [f"{without_secrets(self._dedup)} has lost claims: {loss}"] if loss else []
        of_topic = any(partition.topic in context.settings.quality.topics for partition in stored)
        return LostClaimsFindings(damage=damage, lost=[], seconds=1, of_topic=of_topic)

    def look_again(
        self, found: LostClaimsFindings, begun: Collection[str], started_ms: int, context: Context
    ) -> LostClaimsFindings:
        return self.assess(context)  # the live state tells all there is to know

    def steps(self, found: LostClaimsFindings, context: Context) -> Sequence[RecoveryStep]:
        return [
            RecoveryStep("stopped", "make sure that no worker is running", lambda: self._stopped(found, context)),
            RecoveryStep(
                "claims", "claim every key again that is stored and has not expired", lambda: self._claim(context)
            ),
        ]

    def then(self, found: LostClaimsFindings) -> Sequence[str]:
        return ["start the workers"]

    def _stopped(self, found: LostClaimsFindings, context: Context) -> str:
        if not found.of_topic:
            return "no consumer group is concerned"
        require_stopped(admin_client(context.settings), context.settings)
        return "the group has no members"

    def _claim(self, context: Context) -> str:
        with opened(context.sink, context.settings) as (client, name), closing(self._opened(context)) as store:

            def claims() -> Iterator[Claimed]:
                stored = positions(client, stored_tables(client, name))
                return stored_claims(client, name, stored, context.settings)

            assert isinstance(store, SupportsVouching)
            return counted(store.recover(claims()), "key")

    def _opened(self, context: Context) -> DedupStore:
        store = context.plugins.dedup_store(self._dedup)
        if not isinstance(store, SupportsVouching):
            store.close()
            raise RecoveryError(
                f"{without_secrets(self._dedup)} is not a store that workers share: a worker rebuilds its claims itself"
            )
        return store
