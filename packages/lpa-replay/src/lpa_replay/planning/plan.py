"""A replay as it was decided upon: what ``plan`` writes into a file, and ``run`` carries out exactly."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, final

import attrs
import cattrs
import msgspec
from cattrs.preconf.msgspec import make_converter

from lpa_core.invisible import text_of
from lpa_core.replays import ReplayRefused
from lpa_replay.sources.record import Filters, Selection
from lpa_replay.sources.window import Clock, Window

PLAN_VERSION: Final = 1
TOPIC: Final = "topic"
LOCAL: Final = "local"


@final
@attrs.frozen
class Asked:
    """What somebody asked for: two runs that were asked for the same are the same run as long as one is unfinished.

    Attributes:
        source: dlq-topic, dlq-table, quarantine-table, archive, or the path of a file.
        sink: the database, as a URI; None for the embedded one.
        target: ``topic`` or ``local``.
        window: as it was written, so that a relative one stays the same.
        fix: text of the fix file.
        rate: records a second at most.
    """

    source: str
    archive: str | None
    sink: str | None
    dedup: str | None
    target: str
    topics: tuple[str, ...]
    """Of dead letters, output (several with commas between) and quarantine; empty if none is needed."""
    window: tuple[str | None, ...]
    clock: Clock
    filters: Filters
    fix: str | None
    max_records: int | None
    rate: float | None
    max_attempts: int
    force: bool

    @property
    def fix_sha256(self) -> str:
        """Empty if there is no fix file."""
        return hashlib.sha256(self.fix.encode()).hexdigest() if self.fix is not None else ""

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(msgspec.json.encode(_CONVERTER.unstructure(self))).hexdigest()


@final
@attrs.frozen
class Plan:
    """``selected`` is how many records the planning found; None if the plan was made by the run itself."""

    id: str
    created_ms: int
    by: str
    """User and machine."""
    asked: Asked
    window: Window
    bounds: Mapping[str, str]
    transforms: tuple[str, ...]
    """Those of plugins, with their versions."""
    selected: int | None = None
    version: int = PLAN_VERSION

    @property
    def selection(self) -> Selection:
        return Selection(self.window, self.asked.clock, self.asked.filters)

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = _CONVERTER.unstructure(self)
        return found


def new_id(now: int, fingerprint: str, salt: str) -> str:
    """Names a run: when it was planned, and what for."""
    digest = hashlib.sha256(f"{fingerprint}{salt}{now}".encode()).hexdigest()
    return f"{_compact(now)}-{digest[:6]}"


def write_plan(plan: Plan) -> bytes:
    """The plan as text, with a checksum over all of it."""
    content = plan.as_json()
    return msgspec.json.format(msgspec.json.encode({"plan": content, "sha256": _checksum(content)}), indent=2) + b"\n"


def read_plan(path: Path) -> Plan:
    """Raises ReplayRefused if the file cannot be read, was changed, or is of another version."""
    try:
        text = text_of(path.read_bytes())
    except OSError as error:
        raise ReplayRefused(f"{path}: {error.strerror}: name a file that `lpa replay plan` wrote") from None
    except ValueError as error:
        raise ReplayRefused(f"{path} {error}, or plan again") from None
    try:
        said = msgspec.json.decode(text, type=dict[str, Any])
        content = said["plan"]
        if said["sha256"] != _checksum(content):
            raise ReplayRefused(f"{path} was changed since it was planned: plan again")
        if content["version"] != PLAN_VERSION:
            raise ReplayRefused(f"{path} is a plan of version {content['version']}: plan again with this lpa")
        return _CONVERTER.structure(content, Plan)
    except (KeyError, TypeError, ValueError, msgspec.DecodeError, cattrs.BaseValidationError):
        raise ReplayRefused(f"{path} is not a plan: name a file that `lpa replay plan` wrote") from None


def _checksum(content: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


def _compact(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y%m%dT%H%M%S")


_CONVERTER: Final = make_converter(forbid_extra_keys=True)
