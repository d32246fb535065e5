"""The options of ``lpa replay plan`` and ``lpa replay run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, final

import attrs
from cyclopts import Parameter, validators

from lpa_core.commands.options import SinkUri, Switch
from lpa_replay.planning.request import Request
from lpa_replay.sources.record import Filters


@final
@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Options:
    """What is replayed, where to, and how.

    Parameters
    ----------
    source
        dlq-topic, dlq-table, quarantine-table, archive, or a file of envelopes or records. Default: the table of an
        embedded database, the topic where a server is the sink.
    archive
        Folder or object store, for --from archive.
    dedup
        Where claimed dedup keys are kept, for --to local. Default: RocksDB in the data folder.
    to
        topic (the input topic) or local (straight into the sink). Default: local for an embedded database.
    start
        First moment of the window: epoch milliseconds or ISO 8601, UTC where no zone is given.
    end
        The moment behind the window's last. Default: now.
    since
        A window up to now, or to --end, such as 90s, 30m, 2h, 7d. Of dead letters: by the time of rejection.
    everything
        No window: all there is.
    by
        event (the event's time, or the record's where it has none) or ingestion (time of rejection or receipt).
        Default: event; ingestion with --since, and for the archive, which is laid out by it.
    classes
        Failure classes; may be given several times, as may the next four.
    reasons
        Failure reasons.
    types
        Event types.
    stages
        Failure stages.
    partitions
        Partitions that records came from.
    where
        A condition in SQL over the envelope's columns, for tables.
    max_records
        At most so many records, the first that are selected; those that are skipped count as well.
    rate
        At most so many records a second.
    fix
        A TOML file of repairs.
    max_attempts
        Replays of one record, after which it goes to quarantine.
    force
        Send also what is stored already: only the dedup store decides then.
    """

    source: Annotated[str | None, Parameter(name="--from", negative="")] = None
    archive: str | None = None
    sink: SinkUri = None
    dedup: str | None = None
    to: str | None = None
    start: str | None = None
    end: str | None = None
    since: str | None = None
    everything: Annotated[bool, Parameter(name="--all", negative="")] = False
    by: str | None = None
    classes: Annotated[tuple[str, ...], Parameter(name="--class", negative="")] = ()
    reasons: Annotated[tuple[str, ...], Parameter(name="--reason", negative="")] = ()
    types: Annotated[tuple[str, ...], Parameter(name="--type", negative="")] = ()
    stages: Annotated[tuple[str, ...], Parameter(name="--stage", negative="")] = ()
    partitions: Annotated[tuple[int, ...], Parameter(name="--partition", negative="")] = ()
    where: str = ""
    max_records: Annotated[int | None, Parameter(name="--max", validator=validators.Number(gte=1))] = None
    rate: float | None = None
    fix: Path | None = None
    max_attempts: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=2**16 - 1))] = 3
    force: Switch = False

    def request(self) -> Request:
        """Raises ReplayRefused where a filter names what there is not."""
        filters = Filters(self.classes, self.reasons, self.types, self.stages, self.partitions, self.where.strip())
        own = {field.name: getattr(self, field.name) for field in attrs.fields(Request) if field.name != "filters"}
        return Request(filters=filters, **own)
