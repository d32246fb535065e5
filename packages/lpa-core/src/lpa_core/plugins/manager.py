"""Finds plugins, keeps account of them, and asks each for what it brings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar, final

import attrs
import cyclopts
import pluggy
import structlog

from lpa_core.dedup.store import DedupStore
from lpa_core.delivery.archive import Archive
from lpa_core.events.event_type import EventType, registry
from lpa_core.pipeline import FailureClassifier
from lpa_core.plugins.hookspecs import (
    PROJECT,
    ArchiveFactory,
    DedupStoreFactory,
    HookSpecs,
    SinkFactory,
    SourceFactory,
)
from lpa_core.settings import Settings
from lpa_core.sinks import Sink
from lpa_core.sources.source import Source
from lpa_core.validation.chain import Validator
from lpa_core.validation.reasons import Failure

_log = structlog.get_logger("lpa.plugins")

_Factory = TypeVar("_Factory", SourceFactory, DedupStoreFactory, SinkFactory, ArchiveFactory)


class PluginError(Exception):
    """A required plugin is missing or broken, or nothing serves a URI. One line, with the remedy."""


@final
@attrs.define(slots=True)
class Plugin:
    """A plugin and how it fares. ``problem`` is one line; empty where all is well."""

    name: str
    package: str
    version: str
    hooks: tuple[str, ...] = ()
    disabled: bool = False
    problem: str = ""


@final
class PluginManager:
    """The plugins of a process: the built-in ones, and those that packages register as ``lpa`` entry points.

    A broken plugin is named and left out, unless the setting ``LPA_PLUGINS_REQUIRED`` names it: then
    PluginError is raised.
    """

    def __init__(self, settings: Settings, found: Iterable[EntryPoint] | None = None) -> None:
        """``found`` replaces the installed entry points, for tests."""
        self._settings = settings
        self._pluggy = pluggy.PluginManager(PROJECT)
        self._pluggy.add_hookspecs(HookSpecs)
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
        try:
            module = entry_point.load()
            self._pluggy.register(module, name=plugin.name)
            self._pluggy.check_pending()
        except Exception as error:  # whatever a third party's import raises
            self._broken(plugin, error)
            return
        callers = self._pluggy.get_hookcallers(module) or []
        plugin.hooks = tuple(sorted(caller.name for caller in callers))

    def _broken(self, plugin: Plugin, error: Exception) -> None:
        plugin.problem = f"{type(error).__name__}: {error}".splitlines()[0]
        module = self._pluggy.get_plugin(plugin.name)
        if module is not None:
            self._pluggy.unregister(module)
        if plugin.name in self._settings.lpa.plugins_required:
            raise PluginError(f"plugin {plugin.name} of {plugin.package} is required but broken: {plugin.problem}")
        _log.warning(
            "plugin left out",
            plugin=plugin.name,
            package=plugin.package,
            problem=plugin.problem,
            remedy=f"mend or remove {plugin.package}, or set LPA_PLUGINS_DISABLED={plugin.name}",
        )

    def _collect(self, hook: str, accept: Callable[[Any], None], **arguments: Any) -> None:
        """Hand each plugin's answer to ``accept``; a plugin whose answer raises there is broken."""
        modules = {plugin.name: self._pluggy.get_plugin(plugin.name) for plugin in self.plugins}
        for plugin in self.plugins:
            if hook in plugin.hooks and not plugin.problem:
                others = [module for name, module in modules.items() if name != plugin.name and module is not None]
                try:
                    for answer in self._pluggy.subset_hook_caller(hook, others)(**arguments):
                        accept(answer)
                except Exception as error:  # whatever a third party's hook raises
                    self._broken(plugin, error)

    def event_types(self) -> Sequence[EventType]:
        """All event types; a plugin that declares a name or table once more is broken."""
        known: list[EventType] = []

        def accept(answer: Sequence[EventType]) -> None:
            registry([*known, *answer])
            known.extend(answer)

        self._collect("lpa_event_types", accept)
        return known

    def validators(self) -> Sequence[Validator]:
        found: list[Validator] = []
        self._collect("lpa_validators", found.extend, settings=self._settings)
        return found

    def classifiers(self) -> Sequence[FailureClassifier]:
        """None, or one callable that asks the plugins in turn and survives one that raises."""
        if not any("lpa_classify_failure" in plugin.hooks and not plugin.problem for plugin in self.plugins):
            return ()

        def classify(failure: Failure, payload: bytes | None) -> Failure | None:
            try:
                answer: Failure | None = self._pluggy.hook.lpa_classify_failure(failure=failure, payload=payload)
            except Exception as error:  # whatever a third party's hook raises
                _log.warning("failure classifier raised", problem=f"{type(error).__name__}: {error}")
                return None
            return answer

        return (classify,)

    def commands(self) -> Sequence[cyclopts.App]:
        found: list[cyclopts.App] = []
        self._collect("lpa_cli_commands", found.extend, settings=self._settings)
        return found

    def source(self, uri: str) -> Source:
        return self._factory("lpa_sources", uri)(uri, self._settings)  # type: ignore[no-any-return]

    def dedup_store(self, uri: str) -> DedupStore:
        return self._factory("lpa_dedup_stores", uri)(uri, self._settings)  # type: ignore[no-any-return]

    def sink(self, uri: str) -> Sink:
        return self._factory("lpa_sinks", uri)(uri, self._settings)  # type: ignore[no-any-return]

    def archive(self, uri: str) -> Archive:
        spool = self._settings.lpa.data_dir / "archive-spool"
        return self._factory("lpa_archives", uri)(uri, spool, self._settings)  # type: ignore[no-any-return]

    def _factory(self, hook: str, uri: str) -> Any:
        factories: dict[str, Any] = {}

        def accept(answer: Mapping[str, Any]) -> None:
            for scheme, factory in answer.items():
                factories.setdefault(scheme, factory)

        self._collect(hook, accept)
        wanted = scheme(uri)
        if wanted not in factories:
            kind = hook.removeprefix("lpa_").removesuffix("s").replace("_", " ")
            known = ", ".join(sorted(factories)) or "none"
            raise PluginError(
                f"no {kind} for {wanted}:// is installed (there are: {known}); check the URI, or install its plugin"
            )
        return factories[wanted]


def scheme(uri: str) -> str:
    """A URI's scheme; ``-`` for standard input or output; ``file`` for a plain path."""
    if uri == "-":
        return "-"
    head, separator, _ = uri.partition("://")
    return head.lower() if separator else "file"


def _with_core_first(found: Iterable[EntryPoint]) -> list[EntryPoint]:
    return sorted(found, key=lambda entry_point: (entry_point.name != "core", entry_point.name))
