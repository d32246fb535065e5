"""Every hook, in one place. A plugin implements any of them with :data:`hookimpl`.

Hooks are called once, when a process starts; only ``lpa_classify_failure`` is called later, once a reject, and
``lpa_savepoints`` and ``lpa_start_checks``. A plugin names in its hook only those arguments that it wants. ``options``
are those of the plugin itself: its table ``[plugins.NAME]`` in ``lpa.toml``, and what the environment sets over it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

from lpa_core.dedup.store import DedupStore
from lpa_core.doctor.start_check import PlannedStart, StartCheck
from lpa_core.events.event_type import EventType
from lpa_core.health.check import HealthCheck
from lpa_core.lifecycle.attribution import AttributionPolicy
from lpa_core.plugins.context import AppContext
from lpa_core.replays import ReplayTransform
from lpa_core.savepoints import SavepointKeeper
from lpa_core.settings.settings import Settings
from lpa_core.sinks.archive import Archive
from lpa_core.sinks.sink import Sink
from lpa_core.sources.source import Source
from lpa_core.validation.chain import Validator
from lpa_core.validation.ignore_rules import IgnoreRule
from lpa_core.validation.reasons import Failure

if TYPE_CHECKING:
    import cyclopts

PROJECT = "lpa"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl: pluggy.HookimplMarker = pluggy.HookimplMarker(PROJECT)

Options = Mapping[str, Any]
"""What a plugin's table in ``lpa.toml`` and the environment say, by name."""
SourceFactory = Callable[[str, Settings], Source]
DedupStoreFactory = Callable[[str, Settings], DedupStore]
SinkFactory = Callable[[str, Settings], Sink]
ArchiveFactory = Callable[[str, Path, Settings], Archive]


class HookSpecs(Protocol):
    @hookspec
    def lpa_event_types(self, settings: Settings, options: Options) -> Sequence[EventType]:
        """Called when the process starts: event types to collect beside the built-in ones."""

    @hookspec
    def lpa_validators(self, settings: Settings, options: Options) -> Sequence[Validator]:
        """Called when the process starts: validators to ask after the built-in ones, in the order given.

        An event that passes them all goes on. As soon as there is any, every event is judged as a document instead of
        decoded straight into its model, which takes several times as long.
        """

    @hookspec
    def lpa_ignore_rules(self, settings: Settings, options: Options) -> Sequence[IgnoreRule]:
        """Called when the process starts: rules by which records are passed over, asked after the built-in ones.

        A record that a rule takes is counted; it is neither stored nor a dead letter.
        """

    @hookspec
    def lpa_sources(self, options: Options) -> Mapping[str, SourceFactory]:
        """Called when the process starts: URI scheme -> ``factory(uri, settings)``.

        The factory raises SourceError if the source cannot be read.
        """

    @hookspec
    def lpa_dedup_stores(self, options: Options) -> Mapping[str, DedupStoreFactory]:
        """Called when the process starts: URI scheme -> ``factory(uri, settings)``."""

    @hookspec
    def lpa_sinks(self, options: Options) -> Mapping[str, SinkFactory]:
        """Called when the process starts: URI scheme -> ``factory(uri, settings)``.

        The factory connects to nothing yet: that is what the sink's ``open`` is for.
        """

    @hookspec
    def lpa_archives(self, options: Options) -> Mapping[str, ArchiveFactory]:
        """Called when the process starts: URI scheme -> ``factory(uri, spool folder, settings)``."""

    @hookspec(firstresult=True)
    def lpa_attribution_policy(self, settings: Settings, options: Options) -> AttributionPolicy | None:
        """Called when the process starts: who chooses the snapshot that a signal is attributed to, or None.

        The first answer wins, the built-in policy's being the last. Another policy makes other facts: rebuild those
        that there are.
        """

    @hookspec(firstresult=True)
    def lpa_classify_failure(self, failure: Failure, payload: bytes | None, options: Options) -> Failure | None:
        """Called for every reject: a better failure than the one found, or None. The first answer wins.

        Plugins are asked in the order that ``lpa plugins`` lists them in. ``payload`` is the record as received, None
        if it has no value. Only classes and reasons of the closed lists can be given.
        """

    @hookspec
    def lpa_replay_transforms(self, settings: Settings, options: Options) -> Sequence[ReplayTransform]:
        """Called when the process starts: what repairs records while they are replayed, in the order given.

        Each is shown what the one before has made of a record. Those of the fix file come last.
        """

    @hookspec(firstresult=True)
    def lpa_savepoints(self, settings: Settings, context: AppContext, options: Options) -> SavepointKeeper | None:
        """Called when a savepoint is to be made or restored: who does that, or None. The first answer wins."""

    @hookspec
    def lpa_health_checks(self, settings: Settings, options: Options) -> Sequence[HealthCheck]:
        """Called when the process starts: checks for ``lpa health`` and for a running job to ask."""

    @hookspec
    def lpa_start_checks(self, start: PlannedStart, options: Options) -> Sequence[StartCheck]:
        """Called by `lpa doctor`: checks of what this start needs of what the plugin brings. They change nothing."""

    @hookspec
    def lpa_cli_commands(self, settings: Settings, context: AppContext, options: Options) -> Sequence[cyclopts.App]:
        """Called when the process starts: commands to add to ``lpa``, each an App with a name.

        A command that needs what plugins bring asks ``context.plugins`` when it runs: then all of them are loaded.
        What a command answers is the exit status, if it is a whole number; else 0.
        """
