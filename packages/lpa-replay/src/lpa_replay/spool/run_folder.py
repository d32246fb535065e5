"""The folder of a run, ``LPA_DATA_DIR/replays/ID``: how far it is, so that a killed run goes on where it was.

``plan.json`` is there first; ``manifest.json`` once all that is to be sent lies beside it; ``delivered.json`` once all
of it is sent. Each is whole or absent.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, final

import attrs
import cattrs
import msgspec
from cattrs.gen import make_dict_unstructure_fn, override
from cattrs.preconf.msgspec import make_converter

from lpa_core.durable import sync_folder
from lpa_core.replays import ReplayError
from lpa_replay.planning.plan import Plan, read_plan, write_plan
from lpa_replay.spool.outcomes import Outgoing, ReplayDecision
from lpa_replay.spool.spool_file import SpoolFile, SpoolReader, SpoolWriter, write_durably

_PLAN: Final = "plan.json"
_MANIFEST: Final = "manifest.json"
_DELIVERED: Final = "delivered.json"
_SENT: Final = "sent"
_CANARY: Final = "canary.json"
_OUTCOMES: Final = "outcomes.msgpack.zst"
_OUTGOING: Final = "outgoing.msgpack.zst"
_EXHAUSTED: Final = "exhausted.msgpack.zst"
_CONVERTER: Final = make_converter(forbid_extra_keys=True)


@final
@attrs.frozen
class Canary:
    """The records at the beginning of ``outgoing`` that are sent and judged before the others.

    Attributes:
        share: of the run, as it was asked for.
        last: the highest digest of a position that belongs to it.
    """

    share: float
    last: int
    records: int


@final
@attrs.frozen
class StagedManifest:
    """What was staged.

    Attributes:
        staged_ms: epoch ms, of the last decision.
        figures: those of the forecast.
        bounds: where reading the source ended.
        left_out: numbers of records that lie in ``outgoing``, but were found stored when the run went on.
        canary: None if the run has none.
    """

    staged_ms: int
    outcomes: SpoolFile
    outgoing: SpoolFile
    exhausted: SpoolFile
    figures: dict[str, Any]
    bounds: dict[str, str]
    left_out: frozenset[int] = frozenset()
    canary: Canary | None = None


# An earlier version knows no such field, and takes a manifest with one for damaged.
_CONVERTER.register_unstructure_hook(
    StagedManifest, make_dict_unstructure_fn(StagedManifest, _CONVERTER, canary=override(omit_if_default=True))
)


@final
class RunFolder:
    """Used by one process at a time: see :meth:`locked`."""

    def __init__(self, root: Path, replay_id: str) -> None:
        """``root`` holds the folders of all runs."""
        self.path = root / replay_id

    @contextmanager
    def locked(self, plan: Plan) -> Iterator[None]:
        """Have the folder to oneself, with the plan in it. Raises ReplayError if another process has it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with (self.path / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not (self.path / _PLAN).exists():
                    write_durably(self.path / _PLAN, write_plan(plan), private=True)
                    sync_folder(self.path.parent)
                yield
        except BlockingIOError:
            raise ReplayError(f"replay {plan.id} is run by another process: wait for it or stop it") from None
        except OSError as error:
            where = error.filename or self.path
            raise ReplayError(
                f"{where}: {error.strerror}: make LPA_DATA_DIR a folder that can be written and has free space"
            ) from None

    @property
    def plan(self) -> Plan | None:
        """None if there is none that can be read."""
        try:
            return read_plan(self.path / _PLAN)
        except Exception:  # whatever is wrong with it: somebody else's folder is not a run of ours
            return None

    @property
    def manifest(self) -> StagedManifest | None:
        """None until everything is staged. Raises ReplayError if it is damaged."""
        path = self.path / _MANIFEST
        if not path.exists():
            return None
        try:
            return _CONVERTER.structure(msgspec.json.decode(path.read_bytes()), StagedManifest)
        except (ValueError, msgspec.DecodeError, cattrs.BaseValidationError):
            raise ReplayError(f"{path} is damaged: bring the folder back from a backup, or plan a new replay") from None

    @property
    def delivered(self) -> bool:
        return (self.path / _DELIVERED).exists()

    def writers(
        self, stack: ExitStack
    ) -> tuple[SpoolWriter[ReplayDecision], SpoolWriter[Outgoing], SpoolWriter[Outgoing]]:
        """Of outcomes, outgoing records, and exhausted ones; what an earlier process left of them is gone."""
        return (
            stack.enter_context(SpoolWriter[ReplayDecision](self.path / _OUTCOMES)),
            stack.enter_context(SpoolWriter[Outgoing](self.path / _OUTGOING)),
            stack.enter_context(SpoolWriter[Outgoing](self.path / _EXHAUSTED)),
        )

    def outcomes(self, manifest: StagedManifest) -> SpoolReader[ReplayDecision]:
        return SpoolReader(self.path / _OUTCOMES, manifest.outcomes, ReplayDecision)

    def outgoing(self, manifest: StagedManifest) -> SpoolReader[Outgoing]:
        return SpoolReader(self.path / _OUTGOING, manifest.outgoing, Outgoing)

    def exhausted(self, manifest: StagedManifest) -> SpoolReader[Outgoing]:
        return SpoolReader(self.path / _EXHAUSTED, manifest.exhausted, Outgoing)

    def write_manifest(self, manifest: StagedManifest) -> None:
        """Durable after return; takes the place of an earlier one."""
        write_durably(self.path / _MANIFEST, _CONVERTER.unstructure(manifest))

    def discard_staging(self) -> None:
        """Forget what was staged: nothing of it was sent."""
        (self.path / _MANIFEST).unlink(missing_ok=True)

    def note_sent(self, records: int) -> None:
        """For telling later that Kafka has forgotten how far the run is, and for showing it; may be behind."""
        (self.path / _SENT).write_text(str(records))

    @property
    def noted_sent(self) -> int:
        try:
            return int((self.path / _SENT).read_text())
        except (OSError, ValueError):
            return 0

    def pass_canary(self, check: Mapping[str, Any]) -> None:
        """Say that the canary came out as planned: what it was judged by. Durable after return."""
        write_durably(self.path / _CANARY, check)

    @property
    def passed_canary(self) -> Mapping[str, Any] | None:
        """What :meth:`pass_canary` was given; None before."""
        try:
            return msgspec.json.decode((self.path / _CANARY).read_bytes(), type=dict[str, Any])
        except (OSError, msgspec.DecodeError):
            return None

    def finish_delivery(self, at: int) -> None:
        """Say that all is sent, and give the space back. ``at`` is epoch ms."""
        write_durably(self.path / _DELIVERED, {"delivered_ms": at})
        for name in (_OUTCOMES, _OUTGOING, _EXHAUSTED):
            (self.path / name).unlink(missing_ok=True)


def unfinished(root: Path, fingerprint: str) -> Plan | None:
    """The plan of a run that was asked for the same and is not all sent; the latest, if there are several."""
    folders = sorted((path.name for path in root.iterdir()), reverse=True) if root.is_dir() else []
    for name in folders:
        folder = RunFolder(root, name)
        plan = folder.plan
        if plan is not None and not folder.delivered and plan.asked.fingerprint == fingerprint:
            return plan
    return None
