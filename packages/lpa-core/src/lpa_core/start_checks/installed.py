"""What is installed: Python, the packages of lpa, the libraries that a start needs, and plugins."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Final

from lpa_core.doctor.start_check import PlannedStart, StartCheck
from lpa_core.health.check import Finding
from lpa_core.plugins.manager import PluginManager
from lpa_core.plugins.plugin import TYPE_FILES
from lpa_core.settings.thresholds import State
from lpa_core.uris import scheme

_OURS: Final = ("lpa-core", "lpa-sinks", "lpa-replay", "lpa-flink", "lpa-ops")
_LIBRARIES: Final = {
    "confluent-kafka": ("confluent_kafka", "lpa-core[kafka]"),
    "rocksdict": ("rocksdict", "lpa-core[rocksdb]"),
    "redis": ("redis", "lpa-core[redis]"),
    "chdb-core": ("chdb", "lpa-sinks[chdb]"),
    "clickhouse-connect": ("clickhouse_connect", "lpa-sinks"),
}
"""Library -> its module, and what brings it."""


def checks(plugins: PluginManager) -> Sequence[StartCheck]:
    return (
        StartCheck("versions", "Versions", _versions),
        StartCheck("plugins", "Plugins", lambda start: _plugins(plugins, start)),
    )


def _versions(start: PlannedStart) -> Finding:
    ours = {name: found for name in _OURS if (found := _version(name))}
    libraries = {name: found for name in _LIBRARIES if (found := _version(name))}
    told = ", ".join(f"{name} {found}" for name, found in {**ours, **libraries}.items())
    detail = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}; {told}"
    missing = [name for name in _needed(start) if find_spec(_LIBRARIES[name][0]) is None]
    if missing:
        packages = " ".join(f"'{_LIBRARIES[name][1]}'" for name in missing)
        return Finding(
            State.CRITICAL, f"{', '.join(missing)} is not installed; {detail}", action=f"pip install {packages}"
        )
    if len(set(ours.values())) > 1:
        return Finding(
            State.CRITICAL, f"the packages of lpa have several versions; {detail}", action="install one version of all"
        )
    return Finding(State.OK, detail)


def _needed(start: PlannedStart) -> set[str]:
    stores = {"rocksdb": "rocksdict", "redis": "redis", "rediss": "redis"}
    sinks = {
        "chdb": "chdb-core",
        "clickhouse": "clickhouse-connect",
        "http": "clickhouse-connect",
        "https": "clickhouse-connect",
    }
    found = {sinks.get(scheme(uri), "") for uri in start.sinks} | {stores.get(scheme(start.dedup), "")}
    return (found | ({"confluent-kafka"} if start.kafka else set())) - {""}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _plugins(plugins: PluginManager, start: PlannedStart) -> Finding:
    # What is wrong with files of event types is said with the setting that names them.
    out = [plugin for plugin in plugins.plugins if plugin.problem and plugin.name != TYPE_FILES]
    if out:
        return Finding(
            State.WARNING,
            "left out: " + "; ".join(f"{plugin.name} of {plugin.package}: {plugin.problem}" for plugin in out),
            action=f"correct or remove {out[0].package}, or set LPA_PLUGINS_DISABLED={out[0].name}",
        )
    loaded = ", ".join(f"{each.name} ({each.package} {each.version})" for each in plugins.plugins if not each.disabled)
    disabled = ", ".join(each.name for each in plugins.plugins if each.disabled)
    return Finding(State.OK, f"loaded: {loaded}{f'; disabled: {disabled}' if disabled else ''}")
