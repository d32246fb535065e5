"""What a recovery scenario is: it looks at what is damaged, says what is to be done, and does it step by step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar, final

import attrs
import msgspec

from lpa_core.commands.failure import CommandFailed
from lpa_core.delivery.consumer_group import Partition
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings


class RecoveryError(CommandFailed):
    """A recovery cannot go on. One line: what, where, what to do."""


@final
class RecoveryOvertakenError(RecoveryError):
    """What a recovery was started for is no longer so, and to go on would lose what came since."""


@final
@attrs.frozen
class Context:
    """What a recovery works on. ``sink`` and ``backups`` are as given on the command line.

    ``command``: what continues it where it was interrupted; empty for ``lpa recover SCENARIO --execute``.
    """

    settings: Settings
    plugins: PluginManager
    sink: str | None
    backups: str
    """Folder or URL that holds the backups."""
    command: str = ""


@final
@attrs.frozen
class RecoveryStep:
    """One step.

    Attributes:
        do: returns what it did in a few words. It may be called again where it was interrupted.
        once: a recovery that goes on passes it over where it is done. The others are done each time: they only look,
            or find nothing left to do.
    """

    name: str
    what: str
    do: Callable[[], str]
    once: bool = False


@final
@attrs.frozen
class RecoveryPlan:
    """For people.

    Attributes:
        damage: what was found; empty if there is nothing to recover.
        lost: what cannot be brought back; empty if all can.
        seconds: how long it takes, roughly.
        then: what is left to do for people afterwards.
        since: when it was begun, where it was interrupted.
        journal: the file that keeps how far it has come, where it was interrupted.
    """

    damage: Sequence[str]
    lost: Sequence[str]
    seconds: int
    then: Sequence[str]
    since: str
    journal: Path | None


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What a scenario has found, as its journal keeps it: once begun, the live state may tell it no more."""

    damage: list[str]
    lost: list[str]
    seconds: int
    again: int = 0
    """Records of the topic that are read afterwards."""


class FoundOffset(msgspec.Struct, frozen=True):
    """An offset of a partition, in findings."""

    topic: str
    partition: int
    offset: int
    metadata: str = ""


F = TypeVar("F", bound=Findings)


class Scenario(Protocol[F]):
    """One kind of disaster. Methods raise RecoveryError and what the parts they use raise."""

    @property
    def name(self) -> str: ...

    @property
    def findings(self) -> type[F]: ...

    def assess(self, context: Context) -> F:
        """Look at the live state; changes nothing."""
        ...

    def look_again(self, found: F, begun: Collection[str], started_ms: int, context: Context) -> F:
        """Recompute which findings still apply when an interrupted recovery resumes; change nothing.

        Raises RecoveryOvertakenError.

        Args:
            begun: the steps that were started.
            started_ms: when the first of them was, epoch ms.
        """
        ...

    def steps(self, found: F, context: Context) -> Sequence[RecoveryStep]:
        """What to do about it, in order."""
        ...

    def then(self, found: F) -> Sequence[str]:
        """What is left to do for people afterwards."""
        ...


def broken_off(scenario: str, command: str = "") -> str:
    """Why files are kept out of a database, from a recovery's first change until it is finished."""
    if command:
        return f"a recovery was interrupted, or is still running: run `{command}` again"
    return f"a recovery was interrupted, or is still running: run `lpa recover {scenario} --execute` again"


def offsets(positions: Sequence[FoundOffset]) -> dict[Partition, int]:
    return {Partition(each.topic, each.partition): each.offset for each in positions}


def as_positions(offsets: Mapping[Partition, int]) -> list[FoundOffset]:
    return [FoundOffset(*partition, offset) for partition, offset in sorted(offsets.items())]
