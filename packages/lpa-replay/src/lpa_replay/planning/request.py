"""From what somebody asked for to a plan."""

from __future__ import annotations

import getpass
import math
import socket
import uuid
from pathlib import Path
from typing import final

import attrs

from lpa_core.plugins.manager import PluginManager
from lpa_core.replays import ReplayRefused
from lpa_core.settings.settings import Settings
from lpa_replay.database import is_embedded
from lpa_replay.fix.file import read_fix_file
from lpa_replay.planning.plan import LOCAL, TOPIC, Asked, Plan, new_id
from lpa_replay.sources.kafka_settings import replay_settings
from lpa_replay.sources.opening import DLQ_TOPIC, TABLES, clock_of
from lpa_replay.sources.record import Filters
from lpa_replay.sources.window import Clock, window


@final
@attrs.frozen
class Request:
    """The options of ``plan`` and ``run``; None where nobody said."""

    source: str | None = None
    archive: str | None = None
    sink: str | None = None
    dedup: str | None = None
    to: str | None = None
    start: str | None = None
    end: str | None = None
    since: str | None = None
    everything: bool = False
    by: str | None = None
    filters: Filters = attrs.field(factory=Filters)
    fix: Path | None = None
    max_records: int | None = None
    rate: float | None = None
    max_attempts: int = 3
    force: bool = False


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
        source = _path_text(Path(source).expanduser().absolute())
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
        topics=(quality.dlq_topic, quality.input_topic, quality.quarantine_topic) if kafka else (),
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
    """Raises ReplayRefused where the name is not text, which a plan could not hold."""
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
