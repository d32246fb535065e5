"""Finds plugins, keeps account of them, and asks each for what it brings."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, entry_points
from typing import TYPE_CHECKING, Any, Final, final

import pluggy
import structlog

from lpa_core.dedup.store import DedupStore
from lpa_core.doctor.start_check import PlannedStart, StartCheck
from lpa_core.errors import LpaError
from lpa_core.events.event_type import EventType
from lpa_core.health.check import HealthCheck
from lpa_core.health.check_answer import message
from lpa_core.lifecycle.attribution import AttributionPolicy
from lpa_core.pipeline.pipeline import FailureClassifier, Pipeline
from lpa_core.plugins import hook_answers
from lpa_core.plugins.calls import PluginCalls, tell_trace
from lpa_core.plugins.context import AppContext
from lpa_core.plugins.contributions import Brought
from lpa_core.plugins.culprit import Culprit
from lpa_core.plugins.hook_answers import URI_HOOKS, require_hooks
from lpa_core.plugins.hookspecs import PROJECT, HookSpecs
from lpa_core.plugins.judging_faults import Judging, told_classifier, told_event_types, told_validator
from lpa_core.plugins.known_hooks import HOOKS, require_known_hooks
from lpa_core.plugins.named_judges import named_health_check, named_start_check
from lpa_core.plugins.plugin import TYPE_FILES, Plugin, PluginError, is_ours, one_line, ours_first
from lpa_core.plugins.start_checks import start_checks_of
from lpa_core.plugins.taken_names import require_free
from lpa_core.plugins.wanted_version import require_fitting
from lpa_core.replays import ReplayTransform
from lpa_core.savepoints import SavepointKeeper
from lpa_core.settings.effective import nearest
from lpa_core.settings.settings import Settings
from lpa_core.sinks.archive import Archive
from lpa_core.sinks.sink import Sink
from lpa_core.sources.source import Source
from lpa_core.uris import scheme
from lpa_core.validation.chain import Validator
from lpa_core.validation.ignore_rules import IgnoreRule

if TYPE_CHECKING:
    import cyclopts

_log = structlog.get_logger("lpa.plugins")

_CONTRACTS: Final[Mapping[str, type[Any]]] = {
    "lpa_sources": Source,
    "lpa_dedup_stores": DedupStore,
    "lpa_sinks": Sink,
    "lpa_archives": Archive,
}
_JOBS: Final = EntryPoint("jobs", "lpa_core.job_events", PROJECT)
_TYPE_FILES: Final = EntryPoint(TYPE_FILES, "lpa_core.type_files.plugin", PROJECT)
_BROUGHT_BY_THE_CORE: Final = (_JOBS, _TYPE_FILES)
"""Plugins of lpa-core beside ``core``; one that is named here needs no package of its own."""


def _installed(settings: Settings) -> Iterable[EntryPoint]:
    return [*entry_points(group=PROJECT), _JOBS, *([_TYPE_FILES] if settings.lpa.event_types else [])]


def _core() -> Distribution | None:
    try:
        return Distribution.from_name("lpa-core")
    except PackageNotFoundError:  # run from a folder of sources
        return None


@final
class PluginManager:
    """The plugins of a process: the built-in ones, and those that packages register as ``lpa`` entry points.

    Each is asked at once for all that it brings. A broken plugin is named and left out whole, unless the setting
    ``LPA_PLUGINS_REQUIRED`` names it: then PluginError is raised. Files of event types that the settings name are
    required, too.
    """

    def __init__(
        self, settings: Settings, found: Iterable[EntryPoint] | None = None, *, demanding: bool = True
    ) -> None:
        """``found`` replaces the installed entry points, for tests. Not ``demanding``, nothing is required."""
        self._settings = settings
        self._demanding = demanding
        self.context = AppContext(settings, self)
        self._pluggy = pluggy.PluginManager(PROJECT)
        self._pluggy.add_hookspecs(HookSpecs)
        self._brought: list[Brought] = []
        self.plugins: list[Plugin] = []
        self._calls = PluginCalls()
        self._ours: list[Plugin] = []
        in_turn = ours_first([*(_installed(settings) if found is None else found)])
        self._names = tuple(entry_point.name for entry_point in in_turn)
        for entry_point in in_turn:
            self._load(entry_point)
        for name in settings.plugins.names:
            if name not in self._names:
                _log.warning(
                    "options of a plugin that is not installed have no effect",
                    plugin=name,
                    remedy=f"install it, or correct [plugins.{name}]; {nearest(name, self._names)}",
                )
        for name in settings.lpa.plugins_disabled:
            if name not in self._names:
                _log.warning(
                    "a plugin that is not installed cannot be switched off",
                    plugin=name,
                    remedy=f"correct LPA_PLUGINS_DISABLED; {nearest(name, self._names)}",
                )
        for name in settings.lpa.plugins_required if demanding else ():
            if not any(plugin.name == name and not plugin.disabled for plugin in self.plugins):
                raise PluginError(f"plugin {name} is required but not loaded: install its package, or enable it")

    def _load(self, entry_point: EntryPoint) -> None:
        distribution = entry_point.dist or (_core() if entry_point in _BROUGHT_BY_THE_CORE else None)
        plugin = Plugin(
            name=entry_point.name,
            package=distribution.name if distribution else entry_point.value,
            version=distribution.version if distribution else "",
            disabled=entry_point.name in self._settings.lpa.plugins_disabled,
        )
        self.plugins.append(plugin)
        if is_ours(entry_point.value):
            self._ours.append(plugin)
        if plugin.disabled:
            return
        if any(other.name == plugin.name for other in self.plugins[:-1]):
            taken = ValueError(f"another package brings a plugin of the name {plugin.name}")
            # Both have the name, so that it cannot switch off one of them.
            self._leave_out(plugin, taken, f"rename the entry point of {plugin.package}, or uninstall it")
            return
        module = None
        try:
            require_fitting(distribution)
            module = self._calls.timed(plugin, "import", entry_point.load)
            require_known_hooks(module, self._pluggy.parse_hookimpl_opts)
            self._pluggy.register(module, name=plugin.name)
            callers = self._pluggy.get_hookcallers(module) or []
            require_hooks(module, callers, HOOKS)
            plugin.hooks = tuple(sorted(caller.name for caller in callers))
            self._brought.append(self._ask(plugin, module))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever a third party's import or hook raises, an exit or a skip too
            if module is not None and self._pluggy.get_plugin(plugin.name) is module:
                self._pluggy.unregister(module)
            self._leave_out(plugin, error)
        else:
            if not is_ours(entry_point.value):
                self._calls.add(entry_point.module, plugin)

    def _ask(self, plugin: Plugin, module: object) -> Brought:
        """All that the plugin brings. Raises where any of it cannot be used, or not together with what is there."""
        given = {"settings": self._settings, "context": self.context, "options": self._options(plugin)}

        def asked(hook: str) -> Any:
            caller = self._only(module, hook)
            arguments = {name: given[name] for name in _arguments(caller)}
            found = self._calls.timed(plugin, hook if caller.get_hookimpls() else "", partial(caller, **arguments))
            if isinstance(found, list) and len(found) < len(caller.get_hookimpls()):
                raise ValueError(
                    f"{hook} returned None: it must return what it brings, an empty list or dict for nothing"
                )
            return found

        checks = hook_answers.health_checks(asked("lpa_health_checks"), (check.name for check in self.health_checks()))
        brought = Brought(
            plugin,
            module,
            event_types=hook_answers.event_types(asked("lpa_event_types")),
            validators=hook_answers.validators(asked("lpa_validators")),
            ignore_rules=hook_answers.ignore_rules(asked("lpa_ignore_rules")),
            health_checks=checks,
            replay_transforms=hook_answers.replay_transforms(asked("lpa_replay_transforms")),
            commands=hook_answers.commands(asked("lpa_cli_commands")),
            attribution_policy=hook_answers.attribution_policy(asked("lpa_attribution_policy")),
            factories={hook: hook_answers.factories(hook, asked(hook), self._factories(hook)) for hook in URI_HOOKS},
        )
        require_free(brought.event_types, self.types_of_plugins())
        Pipeline(
            [*self.event_types(), *brought.event_types],
            plugin_validators=brought.validators,
            ignore_rules=brought.ignore_rules,
        )
        return brought

    def _options(self, plugin: Plugin) -> Mapping[str, Any]:
        return self._settings.plugins.of(plugin.name, self._names)

    def _only(self, module: object, hook: str) -> pluggy.HookCaller:
        """Calls the hook of one plugin."""
        others = [each for each in self._pluggy.get_plugins() if each is not module]
        return self._pluggy.subset_hook_caller(hook, others)

    def _leave_out(self, plugin: Plugin, error: BaseException, remedy: str = "") -> None:
        plugin.problem = one_line(error)
        if plugin.name == TYPE_FILES and plugin in self._ours:
            if self._demanding:
                raise error if isinstance(error, LpaError) else PluginError(f"{self._type_files}: {message(error)}")
            return
        if self._demanding and plugin.name in self._settings.lpa.plugins_required:
            raise PluginError(
                f"plugin {plugin.name} of {plugin.package} is required but broken: {plugin.problem}; "
                f"correct {plugin.package}, or take {plugin.name} out of LPA_PLUGINS_REQUIRED"
            ) from None
        _log.warning(
            "plugin left out",
            plugin=plugin.name,
            package=plugin.package,
            problem=plugin.problem,
            remedy=remedy or f"correct or remove {plugin.package}, or set LPA_PLUGINS_DISABLED={plugin.name}",
        )
        tell_trace(plugin, error)

    @property
    def _type_files(self) -> str:
        return ", ".join(self._settings.lpa.event_types)

    def event_types(self) -> Sequence[EventType]:
        return [event_type for _, event_type in self.types_of_plugins()]

    def types_of_plugins(self) -> Sequence[tuple[Plugin, EventType]]:
        """Each event type with the plugin that brings it."""
        return [(brought.plugin, event_type) for brought in self._brought for event_type in brought.event_types]

    def validators(self) -> Sequence[Validator]:
        """Each reports its first fault with its plugin's name."""
        return [
            told_validator(brought.plugin, validator) for brought in self._brought for validator in brought.validators
        ]

    def ignore_rules(self) -> Sequence[IgnoreRule]:
        return [rule for brought in self._brought for rule in brought.ignore_rules]

    def health_checks(self) -> Sequence[HealthCheck]:
        return [
            named_health_check(brought.plugin, check) if self._calls.is_foreign(brought.plugin) else check
            for brought in self._brought
            for check in brought.health_checks
        ]

    def replay_transforms(self) -> Sequence[tuple[Plugin, ReplayTransform]]:
        """Each with the plugin that brings it."""
        return [(brought.plugin, transform) for brought in self._brought for transform in brought.replay_transforms]

    def classifiers(self) -> Sequence[FailureClassifier]:
        """One for each plugin that classifies, before them one that reports event types that fail; none raises."""
        foreign = [
            (event_type, brought.plugin)
            for brought in self._brought
            if self._calls.is_foreign(brought.plugin)
            for event_type in brought.event_types
        ]
        asked = [
            told_classifier(brought.plugin, ask)
            for brought in self._brought
            if (ask := self._classify(brought)) is not None
        ]
        return [told_event_types(foreign), *asked] if foreign else asked

    def add_commands(self, app: cyclopts.App) -> None:
        """Add the plugins' commands to ``app``; a plugin with a command that cannot be added is broken."""
        for brought in tuple(self._brought):
            try:
                taken = set(app)
                for name in (name for command in brought.commands for name in command.name):
                    if name in taken:
                        raise ValueError(f"lpa_cli_commands: there is a command {name} already: rename yours")
                    taken.add(name)
                for command in brought.commands:
                    app.command(command)
            except Exception as error:  # whatever else an App is refused for
                self._brought.remove(brought)
                self._leave_out(brought.plugin, error)

    def source(self, uri: str) -> Source:
        source: Source = self._make("lpa_sources", uri)
        return source

    def dedup_store(self, uri: str) -> DedupStore:
        store: DedupStore = self._make("lpa_dedup_stores", uri)
        return store

    def sink(self, uri: str) -> Sink:
        sink: Sink = self._make("lpa_sinks", uri)
        return sink

    def require_sink(self, uri: str) -> None:
        """Raise PluginError if no plugin has a sink for the URI."""
        self._factory("lpa_sinks", uri)

    def archive(self, uri: str) -> Archive:
        archive: Archive = self._make("lpa_archives", uri, self._settings.lpa.data.archive_spool)
        return archive

    def savepoints(self) -> SavepointKeeper:
        """Who makes and restores savepoints."""
        for implementation in reversed(self._pluggy.hook.lpa_savepoints.get_hookimpls()):
            plugin = next(each for each in self.plugins if each.name == implementation.plugin_name)
            what = f"plugin {plugin.name} of {plugin.package}: lpa_savepoints"
            ask = self._only(implementation.plugin, "lpa_savepoints")
            keeper: SavepointKeeper | None = self._calls.run(
                plugin, what, partial(ask, settings=self._settings, context=self.context, options=self._options(plugin))
            )
            if keeper is not None:
                self._calls.take(what, keeper, SavepointKeeper, "lpa_savepoints")
                return keeper
        raise PluginError("nothing installed makes savepoints: install lpa-ops")

    def start_checks(self, start: PlannedStart) -> Sequence[StartCheck]:
        """What plugins look at before a start. A plugin whose hook fails brings one check, which says so."""
        return [
            named_start_check(brought.plugin, check) if self._calls.is_foreign(brought.plugin) else check
            for brought in self._brought
            if "lpa_start_checks" in brought.plugin.hooks
            for check in start_checks_of(
                brought.plugin,
                partial(self._only(brought.module, "lpa_start_checks"), options=self._options(brought.plugin)),
                start,
            )
        ]

    def attribution_policy(self) -> AttributionPolicy:
        """Who attributes signals: the first plugin's that brings a policy, else the core's."""
        in_turn = sorted(self._brought, key=lambda brought: brought.plugin.name == "core")
        for brought in in_turn:
            if brought.attribution_policy is not None:
                self._calls.remember(brought.attribution_policy, "lpa_attribution_policy")
                return brought.attribution_policy
        raise PluginError("nothing installed attributes signals: enable the plugin core")

    def foreign(self) -> Sequence[Plugin]:
        """The plugins that are not lpa's own, broken ones among them."""
        return [plugin for plugin in self.plugins if plugin not in self._ours]

    def seconds(self, plugin: Plugin) -> Mapping[str, float]:
        """What was called of the plugin when it was loaded, ``import`` and hooks -> how long it took."""
        return self._calls.seconds(plugin)

    def judging(self, plugin: Plugin) -> Judging:
        """What of the plugin judges records, as the plugin brought it."""
        for brought in self._brought:
            if brought.plugin is plugin:
                return Judging(brought.validators, brought.event_types, self._classify(brought))
        return Judging((), (), None)

    def _classify(self, brought: Brought) -> Callable[..., object] | None:
        if "lpa_classify_failure" not in brought.plugin.hooks:
            return None
        ask = self._only(brought.module, "lpa_classify_failure")
        return partial(ask, options=self._options(brought.plugin))

    def culprit(self, error: BaseException) -> Culprit | None:
        """Which plugin, of those that are not lpa's own, an unexpected error is of; None if of none."""
        return self._calls.culprit(error)

    def _factories(self, hook: str) -> Mapping[str, Any]:
        return ChainMap(*(dict(brought.factories[hook]) for brought in self._brought))

    def _factory(self, hook: str, uri: str) -> tuple[Plugin, Any]:
        """The factory for the URI, with its plugin."""
        if not uri:
            raise PluginError(f"an empty URI: not an address of a {URI_HOOKS[hook]}: check what it was made of")
        factories, wanted = self._factories(hook), scheme(uri)
        if wanted not in factories:
            known = ", ".join(sorted(factories)) or "none"
            raise PluginError(
                f"no {URI_HOOKS[hook]} for {wanted}:// is installed (there are: {known}); "
                "check the URI, or install its plugin"
            )
        return next((each.plugin, factories[wanted]) for each in self._brought if wanted in each.factories[hook])

    def _make(self, hook: str, uri: str, *arguments: object) -> Any:
        wanted, (plugin, factory) = scheme(uri), self._factory(hook, uri)
        what = f"plugin {plugin.name} of {plugin.package}: {hook}: the factory for {wanted}://"
        try:
            made = self._calls.run(plugin, what, lambda: factory(uri, *arguments, self._settings))
        except ImportError as error:
            raise PluginError(
                f"the {URI_HOOKS[hook]} for {wanted}:// of {plugin.package} needs what is not installed ({error}): "
                f"install {plugin.package} with the extra that brings it"
            ) from None
        self._calls.take(what, made, _CONTRACTS[hook], hook)
        return made


def _arguments(caller: pluggy.HookCaller) -> Iterable[str]:
    return () if caller.spec is None else caller.spec.argnames
