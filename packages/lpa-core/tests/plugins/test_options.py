"""Options of plugins: from ``lpa.toml`` and the environment to every hook."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from lpa_core.doctor.start_check import PlannedStart
from lpa_core.plugins.fingerprint import fingerprint
from lpa_core.plugins.hookspecs import HookSpecs
from lpa_core.plugins.manager import PluginManager
from lpa_core.plugins.plugin import PluginError
from lpa_core.settings.loading import SettingsError, load
from lpa_core.settings.settings import Settings
from lpa_core.validation.reasons import Reason, schema_invalid

Install = Callable[..., EntryPoint]

HOOKS = [name for name in vars(HookSpecs) if name.startswith("lpa_")]
NOTHING = dict.fromkeys(("lpa_sources", "lpa_dedup_stores", "lpa_sinks", "lpa_archives"), "{}")
LATER = {"lpa_attribution_policy", "lpa_classify_failure", "lpa_savepoints"}


def listener() -> str:
    source = "from lpa_core.plugin import hookimpl\nGIVEN = {}\n"
    for name in HOOKS:
        answer = "None" if name in LATER else NOTHING.get(name, "[]")
        source += f"@hookimpl\ndef {name}(options):\n    GIVEN[{name!r}] = options\n    return {answer}\n"
    return source


def given(tmp_path: Path, toml: str, environment: Mapping[str, str], *found: EntryPoint) -> PluginManager:
    file = tmp_path / "lpa.toml"
    file.write_text(toml)
    return PluginManager(load(environment, file), found)


def test_failure_30_every_hook_is_handed_the_options_of_its_plugin(install: Install, tmp_path: Path) -> None:
    entry_point = install("lpa-gpu", listener(), plugin="gpu")
    toml = '[plugins.gpu]\nurl = "http://there"\nlimits = [1, 2]\n[plugins.gpu.more]\ndeep = true\n'
    plugins = given(tmp_path, toml, {"PLUGINS_GPU_URL": "http://here", "PLUGINS_GPU_TOKEN": "t"}, entry_point)
    plugins.classifiers()[0](schema_invalid(Reason.MISSING_TYPE, ""), b"")
    with pytest.raises(PluginError, match="nothing installed makes savepoints"):
        plugins.savepoints()
    plugins.start_checks(PlannedStart(Settings(), None, (), "memory://", None, kafka=False, event_types=()))
    found: dict[str, Mapping[str, Any]] = sys.modules[entry_point.value].GIVEN
    assert set(found) == set(HOOKS)
    expected = {"url": "http://here", "limits": [1, 2], "more": {"deep": True}, "token": "t"}
    assert [dict(options) for options in found.values()] == [expected] * len(HOOKS)


def test_a_variable_is_of_the_plugin_with_the_longer_name(install: Install, tmp_path: Path) -> None:
    found = [install("a", listener(), plugin="gpu"), install("b", listener(), plugin="gpu-rack")]
    given(tmp_path, "", {"PLUGINS_GPU_RACK_UNIT": "7", "PLUGINS_GPU_UNIT": "8", "PLUGINS_GPU_EMPTY": " "}, *found)
    options = [dict(sys.modules[each.value].GIVEN["lpa_sinks"]) for each in found]
    assert options == [{"unit": "8"}, {"unit": "7"}]


def test_a_variable_sets_an_option_over_the_file_however_that_is_spelt(install: Install, tmp_path: Path) -> None:
    entry_point = install("a", listener(), plugin="gpu")
    given(tmp_path, '[plugins.gpu]\n"base-url" = "file"', {"PLUGINS_GPU_BASE_URL": "environment"}, entry_point)
    assert dict(sys.modules[entry_point.value].GIVEN["lpa_sinks"]) == {"base-url": "environment"}


def test_options_cannot_be_changed_and_are_not_shown(install: Install, tmp_path: Path) -> None:
    entry_point = install("a", listener(), plugin="gpu")
    plugins = given(tmp_path, '[plugins.gpu]\ntoken = "secret-1"', {"PLUGINS_GPU_KEY": "secret-2"}, entry_point)
    with pytest.raises(TypeError):
        sys.modules[entry_point.value].GIVEN["lpa_sinks"]["token"] = "other"
    assert "secret" not in repr(plugins.context.settings)


@pytest.mark.parametrize("toml", ["plugins = 5", "[plugins]\ngpu = 5", "plugins = []"])
def test_failure_30_options_that_are_no_table_are_refused(toml: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"expected (a table|tables) of options") as refused:
        given(tmp_path, toml, {})
    assert "\n" not in str(refused.value)


def test_failure_30_options_of_a_plugin_that_is_not_there_are_reported(install: Install, tmp_path: Path) -> None:
    with capture_logs() as logs:
        given(tmp_path, "[plugins.gpuu]\nurl = 1", {}, install("a", listener(), plugin="gpu"))
    (line,) = logs
    assert line["event"] == "options of a plugin that is not installed have no effect"
    assert line["remedy"] == "install it, or correct [plugins.gpuu]; did you mean gpu"


def test_failure_30_an_option_that_a_plugin_cannot_use_leaves_it_out_with_its_own_words(
    install: Install, tmp_path: Path
) -> None:
    source = """
        from lpa_core.plugin import ConfigurationError, hookimpl

        @hookimpl
        def lpa_sinks(options):
            if "url" not in options:
                raise ConfigurationError("set url in [plugins.gpu]")
            return {}
        """
    entry_point = install("lpa-gpu", source, plugin="gpu")
    assert given(tmp_path, "", {}, entry_point).plugins[0].problem == "ConfigurationError: set url in [plugins.gpu]"


def test_options_of_a_plugin_that_judges_are_part_of_the_fingerprint(install: Install, tmp_path: Path) -> None:
    entry_point = install("lpa-gpu", listener(), plugin="gpu")
    prints = set()
    for limit in (1, 2, 2):
        plugins = given(tmp_path, f"[plugins.gpu]\nlimit = {limit}", {}, entry_point)
        prints.add(fingerprint(plugins.context.settings, plugins.plugins))
    assert len(prints) == 2
