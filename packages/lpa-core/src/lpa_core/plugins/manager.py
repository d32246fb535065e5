"""Finds plugins, keeps account of them, and asks each for what it brings."""

from __future__ import annotations

import re
import traceback
from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, final

import attrs
import pluggy
import structlog

from lpa_core.dedup.store import DedupStore
from lpa_core.errors import ConfigurationError
from lpa_core.events.event_type import EventType
from lpa_core.health.check import HealthCheck, is_health_check
from lpa_core.lifecycle.attribution import AttributionPolicy
from lpa_core.pipeline.pipeline import FailureClassifier, Pipeline
from lpa_core.plugins.context import AppContext
from lpa_core.plugins.hookspecs import PROJECT, HookSpecs
from lpa_core.replays import ReplayTransform
from lpa_core.savepoints import SavepointKeeper
from lpa_core.settings.settings import Settings
from lpa_core.sinks.archive import Archive
from lpa_core.sinks.sink import Sink
from lpa_core.sources.source import Source
from lpa_core.uris import scheme
from lpa_core.validation.chain import Validator
from lpa_core.validation.reasons import Failure, is_failure

if TYPE_CHECKING:
    import cyclopts

_log = structlog.get_logger("lpa.plugins")

_URI_HOOKS: Final = {
    "lpa_sources": "source",
    "lpa_dedup_stores": "dedup store",
    "lpa_sinks": "sink",
    "lpa_archives": "archive",
}


class PluginError(ConfigurationError):
    """A required plugin is missing or broken, or nothing serves a URI. One line, with the remedy."""


@final
@attrs.define(slots=True)
class Plugin:
    """A plugin and how it fares. ``problem`` is one line; empty if all is well."""

    name: str
    package: str
    version: str
    hooks: tuple[str, ...] = ()
    disabled: bool = False
    problem: str = ""


@final
@attrs.frozen(slots=True, eq=False)
class _Brought:
    """What one plugin brings."""

    plugin: Plugin
    module: object
    event_types: tuple[EventType, ...]
    validators: tuple[Validator, ...]
    health_checks: tuple[HealthCheck, ...]
    replay_transforms: tuple[ReplayTransform, ...]
    commands: tuple[cyclopts.App, ...]
    attribution_policy: AttributionPolicy | None
    factories: Mapping[str, Mapping[str, Any]]
    """Hook -> URI scheme -> factory."""


@final
class PluginManager:
    """The plugins of a process: the built-in ones, and those that packages register as ``lpa`` entry points.

    Each is asked at once for all that it brings. A broken plugin is named and left out whole, unless the setting
    ``LPA_PLUGINS_REQUIRED`` names it: then PluginError is raised.
    """

    def __init__(self, settings: Settings, found: Iterable[EntryPoint] | None = None) -> None:
        """``found`` replaces the installed entry points, for tests."""
        self._settings = settings
        self.context = AppContext(settings, self)
        self._pluggy = pluggy.PluginManager(PROJECT)
        self._pluggy.add_hookspecs(HookSpecs)
        self._brought: list[_Brought] = []
        self.plugins: list[Plugin] = []
        for entry_point in _with_core_first(entry_points(group=PROJECT) if found is None else found):
            self._load(entry_point)
        for name in settings.lpa.plugins_required:
            if not any(plugin.name == name and not plugin.disabled for plugin in self.plugins):
                raise PluginError(f"plugin {name} is required but not loaded: install its package, or enable it")

    def _load(self, entry_point: EntryPoint) -> None:
        distribution = entry_point.dist
        plugin = Plugin(
            name=entry_point.name,
            package=distribution.name if distribution else entry_point.value,
            version=distribution.version if distribution else "",
            disabled=entry_point.name in self._settings.lpa.plugins_disabled,
        )
        self.plugins.append(plugin)
        if plugin.disabled:
            return
        module = None
        try:
            if any(other.name == plugin.name for other in self.plugins[:-1]):
                raise ValueError(f"another package brings a plugin of the name {plugin.name}")
            module = entry_point.load()
            self._pluggy.register(module, name=plugin.name)
            self._pluggy.check_pending()
            plugin.hooks = tuple(sorted(caller.name for caller in self._pluggy.get_hookcallers(module) or ()))
            self._brought.append(self._ask(plugin, module))
        except (Exception, SystemExit) as error:  # whatever a third party's import or hook raises
            if module is not None and self._pluggy.get_plugin(plugin.name) is module:
                self._pluggy.unregister(module)
            self._leave_out(plugin, error)

    def _ask(self, plugin: Plugin, module: object) -> _Brought:
        """All that the plugin brings. Raises where any of it cannot be used together with what is there already."""
        others = [other for other in self._pluggy.get_plugins() if other is not module]

        def answers(hook: str, **arguments: Any) -> Any:
            return self._pluggy.subset_hook_caller(hook, others)(**arguments)

        brought = _Brought(
            plugin,
            module,
            event_types=tuple(chain(*answers("lpa_event_types"))),
            validators=tuple(chain(*answers("lpa_validators", settings=self._settings))),
            health_checks=tuple(chain(*answers("lpa_health_checks", settings=self._settings))),
            replay_transforms=tuple(chain(*answers("lpa_replay_transforms", settings=self._settings))),
            commands=tuple(chain(*answers("lpa_cli_commands", settings=self._settings, context=self.context))),
            attribution_policy=answers("lpa_attribution_policy", settings=self._settings),
            factories={hook: dict(ChainMap(*answers(hook))) for hook in _URI_HOOKS},
        )
        Pipeline([*self.event_types(), *brought.event_types], plugin_validators=brought.validators)
        if brought.attribution_policy is not None and not callable(getattr(brought.attribution_policy, "select", None)):
            raise ValueError(f"lpa_attribution_policy: {brought.attribution_policy!r} has no select to call")
        taken = {check.name for check in self.health_checks()}
        for check in brought.health_checks:
            if not is_health_check(check):
                raise ValueError(
                    f"lpa_health_checks: {check!r} is none: "
                    "a HealthCheck has texts, a judge to call and a State as severity"
                )
            if not re.fullmatch("[a-z][a-z0-9_]*", check.name) or check.name in taken:
                raise ValueError(f"lpa_health_checks: {check.name!r} is taken, or no lower-case words with underscores")
            taken.add(check.name)
        for transform in brought.replay_transforms:
            if not hasattr(transform, "__name__"):
                raise ValueError(f"lpa_replay_transforms: {transform!r} is not a function to call by name")
        for hook, factories in brought.factories.items():
            for name, factory in factories.items():
                if name in self._factories(hook):
                    raise ValueError(f"{hook}: there is a {_URI_HOOKS[hook]} for {name}:// already")
                if name != name.lower() or not callable(factory):
                    raise ValueError(f"{hook}: {name!r} must be a scheme in lower case, its value a factory to call")
        return brought

    def _leave_out(self, plugin: Plugin, error: BaseException) -> None:
        plugin.problem = _one_line(error)
        if plugin.name in self._settings.lpa.plugins_required:
            raise PluginError(
                f"plugin {plugin.name} of {plugin.package} is required but broken: {plugin.problem}"
            ) from None
        _log.warning(
            "plugin left out",
            plugin=plugin.name,
            package=plugin.package,
            problem=plugin.problem,
            remedy=f"correct or remove {plugin.package}, or set LPA_PLUGINS_DISABLED={plugin.name}",
        )
        trace = "".join(traceback.format_exception(error))
        _log.debug("how the plugin broke", plugin=plugin.name, exception=trace)

    def event_types(self) -> Sequence[EventType]:
        return [event_type for brought in self._brought for event_type in brought.event_types]

    def validators(self) -> Sequence[Validator]:
        return [validator for brought in self._brought for validator in brought.validators]

    def health_checks(self) -> Sequence[HealthCheck]:
        return [check for brought in self._brought for check in brought.health_checks]

    def replay_transforms(self) -> Sequence[tuple[Plugin, ReplayTransform]]:
        """Each with the plugin that brings it."""
        return [(brought.plugin, transform) for brought in self._brought for transform in brought.replay_transforms]

    def classifiers(self) -> Sequence[FailureClassifier]:
        """One for each plugin that classifies failures; none of them raises."""
        return [
            self._classifier(brought) for brought in self._brought if "lpa_classify_failure" in brought.plugin.hooks
        ]

    def _classifier(self, brought: _Brought) -> FailureClassifier:
        others = [other for other in self._pluggy.get_plugins() if other is not brought.module]
        ask = self._pluggy.subset_hook_caller("lpa_classify_failure", others)
        told = False

        def classify(failure: Failure, payload: bytes | None) -> Failure | None:
            nonlocal told
            try:
                answer = ask(failure=failure, payload=payload)
                if answer is None or is_failure(answer):
                    return answer
                raise TypeError(f"answered {type(answer).__name__}, not None or a Failure of the closed lists")
            except Exception as error:  # whatever a third party's hook raises
                if not told:
                    _log.warning(
                        "failure classifier raised; such failures stay as they were found",
                        plugin=brought.plugin.name,
                        package=brought.plugin.package,
                        problem=_one_line(error),
                        remedy=f"correct {brought.plugin.package}, or set LPA_PLUGINS_DISABLED={brought.plugin.name}",
                    )
                told = True
                return None

        return classify

    def add_commands(self, app: cyclopts.App) -> None:
        """Add the plugins' commands to ``app``; a plugin with a command that cannot be added is broken."""
        for brought in tuple(self._brought):
            try:
                for command in brought.commands:
                    app.command(command)
            except Exception as error:  # no name, a name that is taken, or no App at all
                self._brought.remove(brought)
                self._leave_out(brought.plugin, error)

    def source(self, uri: str) -> Source:
        return self._make("lpa_sources", uri)  # type: ignore[no-any-return]

    def dedup_store(self, uri: str) -> DedupStore:
        return self._make("lpa_dedup_stores", uri)  # type: ignore[no-any-return]

    def sink(self, uri: str) -> Sink:
        return self._make("lpa_sinks", uri)  # type: ignore[no-any-return]

    def archive(self, uri: str) -> Archive:
        return self._make("lpa_archives", uri, self._settings.lpa.data.archive_spool)  # type: ignore[no-any-return]

    def savepoints(self) -> SavepointKeeper:
        """Who makes and restores savepoints."""
        keeper: SavepointKeeper | None = self._pluggy.hook.lpa_savepoints(settings=self._settings, context=self.context)
        if keeper is None:
            raise PluginError("nothing installed makes savepoints: install lpa-ops")
        return keeper

    def attribution_policy(self) -> AttributionPolicy:
        """Who attributes signals: the first plugin's that brings a policy, else the core's."""
        in_turn = sorted(self._brought, key=lambda brought: brought.plugin.name == "core")
        for brought in in_turn:
            if brought.attribution_policy is not None:
                return brought.attribution_policy
        raise PluginError("nothing installed attributes signals: enable the plugin core")

    def _factories(self, hook: str) -> Mapping[str, Any]:
        return ChainMap(*(dict(brought.factories[hook]) for brought in self._brought))

    def _make(self, hook: str, uri: str, *arguments: object) -> Any:
        factories, wanted = self._factories(hook), scheme(uri)
        if wanted not in factories:
            known = ", ".join(sorted(factories)) or "none"
            raise PluginError(
                f"no {_URI_HOOKS[hook]} for {wanted}:// is installed (there are: {known}); "
                "check the URI, or install its plugin"
            )
        try:
            return factories[wanted](uri, *arguments, self._settings)
        except ImportError as error:
            package = next(b.plugin.package for b in self._brought if wanted in b.factories[hook])
            raise PluginError(
                f"the {_URI_HOOKS[hook]} for {wanted}:// of {package} needs what is not installed ({error}): "
                f"install {package} with the extra that brings it"
            ) from None


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _with_core_first(found: Iterable[EntryPoint]) -> list[EntryPoint]:
    return sorted(found, key=lambda entry_point: (entry_point.name != "core", entry_point.name))
