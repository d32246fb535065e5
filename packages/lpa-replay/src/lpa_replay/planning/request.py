"""From what somebody asked for to a plan."""

from __future__ import annotations

import getpass
import math
import socket
import uuid
from pathlib import Path
from typing import Annotated, final

import attrs
from cyclopts import Parameter, validators

from lpa_core.commands.options import SinkUri, Switch, addressed, require_utf8
from lpa_core.plugins.manager import PluginManager
from lpa_core.replays import ReplayRefused
from lpa_core.settings.settings import Settings
from lpa_core.uris import local_path
from lpa_replay.database import is_embedded
from lpa_replay.fix.file import read_fix_file
from lpa_replay.planning.plan import LOCAL, TOPIC, Asked, Plan, new_id
from lpa_replay.sources.kafka_settings import replay_settings
from lpa_replay.sources.opening import DLQ_TOPIC, TABLES, clock_of
from lpa_replay.sources.record import Filters
from lpa_replay.sources.window import Clock, window


@final
@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Request:
    """What somebody asks ``lpa replay plan`` or ``lpa replay run`` for; None if nobody said.

    Parameters
    ----------
    source
        dlq-topic, dlq-table, quarantine-table, archive, or a file of envelopes or records. Default: the table of an
        embedded database, the topic if the sink is a server.
    archive
        Folder or object store, for --from archive.
    dedup
        Where claimed dedup keys are kept, for --to local. Default: RocksDB in the data folder.
    to
        topic (the input topic) or local (straight into the sink). Default: local for an embedded database.
    start
        First moment of the window: epoch milliseconds or ISO 8601, UTC if no zone is given.
    end
        End of the window, exclusive. Default: now.
    since
        A window up to now, or to --end, such as 90s, 30m, 2h, 7d. Of dead letters: by the time of rejection.
    everything
        No window: all there is.
    by
        event (the event's time, or the record's if it has none) or ingestion (time of rejection or receipt).
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
        At most so many of the selected records, the first ones; skipped records count, too.
    rate
        At most so many records a second.
    fix
        A TOML file of repairs.
    max_attempts
        Replays of one record, after which it goes to quarantine.
    force
        Send stored events, too: then only the dedup store decides.
    """

    source: Annotated[str | None, Parameter(name="--from", negative="", validator=addressed("--from"))] = None
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
    types: Annotated[tuple[str, ...], Parameter(name="--type", negative="", validator=require_utf8)] = ()
    stages: Annotated[tuple[str, ...], Parameter(name="--stage", negative="")] = ()
    partitions: Annotated[tuple[int, ...], Parameter(name="--partition", negative="")] = ()
    where: Annotated[str, Parameter(validator=require_utf8)] = ""
    max_records: Annotated[int | None, Parameter(name="--max", validator=validators.Number(gte=1))] = None
    rate: float | None = None
    fix: Path | None = None
    max_attempts: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=2**16 - 1))] = 3
    force: Switch = False

    @property
    def filters(self) -> Filters:
        """Raises ReplayRefused if a filter names what there is not."""
        return Filters(self.classes, self.reasons, self.types, self.stages, self.partitions, self.where.strip())


def asked(request: Request, settings: Settings) -> Asked:
    """What the request comes to, with what nobody said filled in. Raises ReplayRefused.

    An embedded database can be open in one process only, so its records go straight into it; a server's go where its
    workers read from.
    """
    embedded = is_embedded(request.sink, settings)
    target = request.to or (LOCAL if embedded else TOPIC)
    if target not in (LOCAL, TOPIC):
        raise ReplayRefused(f"--to {target}: there are {TOPIC} and {LOCAL}")
    source = request.source or ("dlq-table" if embedded else DLQ_TOPIC)
    if source not in (DLQ_TOPIC, "archive", *TABLES):
        source = _path_text(local_path(source).absolute())
    quality = replay_settings(settings).quality
    kafka = target == TOPIC or source == DLQ_TOPIC
    if request.rate is not None and not 0 < request.rate < math.inf:
        raise ReplayRefused(f"--rate {request.rate}: a rate has to be more than 0 records a second, and finite")
    if request.by is not None and request.by not in [clock.value for clock in Clock]:
        raise ReplayRefused(f"--by {request.by}: there are event and ingestion")
    start, end = request.start, request.end
    if start is None and end is None and request.since is None and not request.everything:
        start, end = _text(settings.replay.start_epoch_ms), _text(settings.replay.end_epoch_ms)
    return Asked(
        source=source,
        archive=request.archive,
        sink=request.sink,
        dedup=request.dedup,
        target=target,
        topics=(quality.dlq_topic, ",".join(quality.topics), quality.quarantine_topic) if kafka else (),
        window=(start, end, request.since, "all" if request.everything else None),
        clock=clock_of(source, up_to_now=request.since is not None) if request.by is None else Clock(request.by),
        filters=request.filters,
        fix=None if request.fix is None else read_fix_file(request.fix).text,
        max_records=request.max_records,
        rate=request.rate,
        max_attempts=request.max_attempts,
        force=request.force,
    )


def new_plan(request: Request, what: Asked, settings: Settings, plugins: PluginManager, now: int) -> Plan:
    """A plan without bounds: opening the source gives them. ``now`` is epoch ms. Raises ReplayRefused."""
    found = window(request.start, request.end, request.since, request.everything, settings, now)
    return Plan(
        id=new_id(now, what.fingerprint, uuid.uuid4().hex),
        created_ms=now,
        by=f"{_user()}@{socket.gethostname()}",
        asked=what,
        window=found,
        bounds={},
        transforms=transforms_of(plugins),
    )


def transforms_of(plugins: PluginManager) -> tuple[str, ...]:
    """The plugins' transforms, each with its package and version."""
    return tuple(
        f"{plugin.name}.{transform.__name__} ({plugin.package} {plugin.version})"
        for plugin, transform in plugins.replay_transforms()
    )


def _path_text(path: Path) -> str:
    """Raises ReplayRefused if the name is not text, which a plan could not hold."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ReplayRefused(f"--from {str(path)!a}: the name is not UTF-8: rename the file") from None
    return str(path)


def _text(moment: int | None) -> str | None:
    return None if moment is None else str(moment)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need have no name
        return "unknown"
