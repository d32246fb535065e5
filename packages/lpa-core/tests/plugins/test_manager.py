"""What plugins bring, which of them is asked, and what becomes of a broken one."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import EntryPoint
from pathlib import Path

import cyclopts
import pytest
from structlog.testing import capture_logs

from lpa_core.doctor.start_check import PlannedStart
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.lifecycle.attribution import NearestSnapshot
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.plugins import builtin
from lpa_core.plugins.hookspecs import HookSpecs
from lpa_core.plugins.manager import PluginManager
from lpa_core.plugins.plugin import PluginError
from lpa_core.records import Position
from lpa_core.settings.settings import ProcessSettings, Settings
from lpa_core.validation.reasons import Failure, Reason, schema_invalid

Install = Callable[..., EntryPoint]

CORE = EntryPoint("core", "lpa_core.plugins.builtin", "lpa")
FAILURE = schema_invalid(Reason.ROOT_NOT_OBJECT, "as found")

EVENT_TYPE = """
import attrs
from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.model import EventData, Text
from lpa_core.plugins.hookspecs import hookimpl
from lpa_core.tables.table import Column, Kind

@attrs.frozen(slots=True)
class Model(EventData):
    text: Text = ""

def event_type(name, table, model=Model):
    columns = typed_table(table, Column("text", Kind.TEXT), order_by=("text",))
    return EventType(name, model, ("data.text",), (columns,), lambda envelope, data: [(columns, (data.text,))])

@hookimpl
def lpa_event_types():
    return [event_type("said", "said_events")]
"""
"""A plugin that is well. What makes it broken is added behind it."""


def settings(disabled: tuple[str, ...] = (), required: tuple[str, ...] = (), data_dir: str = "lpa-data") -> Settings:
    return Settings(lpa=ProcessSettings(plugins_disabled=disabled, plugins_required=required, data_dir=Path(data_dir)))


def names(plugins: PluginManager) -> list[str]:
    return [event_type.name for event_type in plugins.event_types()]


BUILTIN_NAMES = [event_type.name for event_type in BUILTIN_EVENT_TYPES]


def test_what_the_core_brings_comes_through_hooks_and_is_gone_without_its_plugin(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.touch()
    core = PluginManager(settings(), [CORE])
    assert names(core) == BUILTIN_NAMES
    with closing(core.source(str(file))) as source:
        assert source.topic == "events.ndjson"
    assert set(core.plugins[0].hooks) == {name for name in vars(builtin) if name.startswith("lpa_")}

    bare = PluginManager(settings(), [])
    assert (names(bare), bare.validators(), bare.classifiers()) == ([], [], [])
    with pytest.raises(PluginError, match=r"no source for file:// is installed \(there are: none\)"):
        bare.source(str(file))


BRINGS = {
    **dict.fromkeys(("lpa_sources", "lpa_dedup_stores", "lpa_sinks", "lpa_archives"), "{}"),
    **dict.fromkeys(("lpa_event_types", "lpa_validators", "lpa_ignore_rules", "lpa_replay_transforms"), "[]"),
    **dict.fromkeys(("lpa_health_checks", "lpa_cli_commands"), "[]"),
}
"""What a hook returns that brings nothing; the others return None."""


def test_every_hook_there_is_gets_called_with_the_arguments_of_its_specification(install: Install) -> None:
    hooks = {name: spec for name, spec in vars(HookSpecs).items() if name.startswith("lpa_")}
    source = "from lpa_core.plugins.hookspecs import hookimpl\nCALLS = {}\n"
    for name, spec in hooks.items():
        arguments = ", ".join(list(inspect.signature(spec).parameters)[1:])
        source += f"@hookimpl\ndef {name}({arguments}):\n    CALLS[{name!r}] = dict(locals())\n"
        source += f"    return {BRINGS.get(name)}\n"
    entry_point = install("listener", source)
    in_force = settings()
    plugins = PluginManager(in_force, [entry_point])
    plugins.classifiers()[0](FAILURE, b"payload")
    with pytest.raises(PluginError, match="install lpa-ops"):
        plugins.savepoints()
    start = PlannedStart(in_force, None, (), "memory://", None, kafka=False, event_types=())
    plugins.start_checks(start)

    calls = sys.modules[entry_point.value].CALLS
    assert set(calls) == set(hooks) == set(plugins.plugins[0].hooks)
    for name, arguments in calls.items():
        given = {
            "settings": in_force,
            "context": plugins.context,
            "failure": FAILURE,
            "payload": b"payload",
            "options": {},
            "start": start,
        }
        assert arguments == {parameter: given[parameter] for parameter in arguments}, name


def test_factories_are_called_with_the_uri_and_the_settings(install: Install) -> None:
    plugin = install(
        "things",
        """
        from unittest.mock import Mock
        from lpa_core.plugins.hookspecs import hookimpl

        factory = Mock()
        lpa_sources = hookimpl(lambda: {"thing": factory}, specname="lpa_sources")
        lpa_dedup_stores = hookimpl(lambda: {"thing": factory}, specname="lpa_dedup_stores")
        lpa_sinks = hookimpl(lambda: {"thing": factory}, specname="lpa_sinks")
        lpa_archives = hookimpl(lambda: {"thing": factory}, specname="lpa_archives")
        """,
    )
    in_force = settings(data_dir="/data")
    plugins = PluginManager(in_force, [CORE, plugin])
    factory = sys.modules[plugin.value].factory
    for make in (plugins.source, plugins.dedup_store, plugins.sink):
        assert make("Thing://there") is factory.return_value
        factory.assert_called_with("Thing://there", in_force)
    assert plugins.archive("thing://there") is factory.return_value
    factory.assert_called_with("thing://there", Path("/data/archive-spool"), in_force)


def test_events_of_a_plugin_go_through_the_pipeline_and_its_validator_is_asked(install: Install) -> None:
    plugin = install(
        "said",
        EVENT_TYPE
        + """
from lpa_core.validation.reasons import Reason, schema_invalid

def no_shouting(document):
    return schema_invalid(Reason.PLUGIN_VALIDATOR, "shouted") if document.text("data.text").isupper() else None

@hookimpl
def lpa_validators(settings):
    return [no_shouting]
""",
    )
    plugins = PluginManager(settings(), [CORE, plugin])
    assert names(plugins) == [*BUILTIN_NAMES, "said"]
    pipeline = Pipeline(plugins.event_types(), plugin_validators=plugins.validators())
    event = b'{"id": "1", "type": "said", "timestamp": 1767873600000, "data": {"text": "%s"}}'
    accepted = pipeline.process(event % b"hello", Position("events", 0, 0))
    assert not isinstance(accepted, Rejected)
    assert [(table.name, row) for table, row in accepted.rows] == [("said_events", ("hello",))]
    rejected = pipeline.process(event % b"HELLO", Position("events", 0, 1))
    assert isinstance(rejected, Rejected)
    assert rejected.failure == schema_invalid(Reason.PLUGIN_VALIDATOR, "shouted")


def test_a_plugin_is_listed_with_its_package_and_version(install: Install) -> None:
    plugins = PluginManager(settings(), [install("lpa-said", EVENT_TYPE, plugin="said", version="2.5")])
    (plugin,) = plugins.plugins
    assert (plugin.name, plugin.package, plugin.version) == ("said", "lpa-said", "2.5")
    assert (plugin.hooks, plugin.disabled, plugin.problem) == (("lpa_event_types",), False, "")


def test_one_that_is_switched_off_is_not_even_imported(install: Install) -> None:
    entry_point = install("said", EVENT_TYPE)
    plugins = PluginManager(settings(disabled=("said",)), [CORE, entry_point])
    assert names(plugins) == BUILTIN_NAMES
    assert [(plugin.name, plugin.disabled) for plugin in plugins.plugins] == [("core", False), ("said", True)]
    assert entry_point.value not in sys.modules


BROKEN = {
    "import error": ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    "exit on import": ("raise SystemExit('no licence')", "SystemExit: no licence"),
    "unknown hook": ("@hookimpl\ndef lpa_sink(): ...", "there is no hook lpa_sink: did you mean lpa_sinks"),
    "unknown argument": (
        "@hookimpl\ndef lpa_sinks(config): ...",
        "lpa_sinks has no argument config: it may take options",
    ),
    "hook that raises": ("@hookimpl\ndef lpa_sinks(): return {'a': 1 / 0}", "ZeroDivisionError: division by zero"),
    "late hook that raises": ("@hookimpl\ndef lpa_cli_commands(): raise OSError('later')", "OSError: later"),
    "answer of the wrong kind": (
        "@hookimpl\ndef lpa_validators(): return 5",
        "lpa_validators returned an int: it must return a list",
    ),
    "event type twice": (
        "@hookimpl\ndef lpa_event_types(): return [event_type('stream_trace', 'own_table')]",
        "event type 'stream_trace' is of the plugin core (lpa_core.plugins.builtin) already: rename it",
    ),
    "table twice": (
        "@hookimpl\ndef lpa_event_types(): return [event_type('own', 'stream_trace_events')]",
        "table 'stream_trace_events' of 'own' is that of 'stream_trace' of the plugin core",
    ),
    "model without a base": (
        "@attrs.frozen\nclass Bare:\n    text: Text = ''\n"
        "@hookimpl\ndef lpa_event_types(): return [event_type('own', 'own_table', Bare)]",
        "Bare must derive from EventData",
    ),
    "validator without a name": (
        "import functools\n@hookimpl\ndef lpa_validators(): return [functools.partial(print)]",
        "lpa_validators has a partial, which has no __name__",
    ),
    "health check that is none": (
        "@hookimpl\ndef lpa_health_checks(): return [print]",
        "is none: a HealthCheck has texts",
    ),
    "severity that is none": (
        "from lpa_core.health.check import HealthCheck\n"
        "@hookimpl\ndef lpa_health_checks(): return [HealthCheck('own', 'Own', print, severity='bad')]",
        "a State as severity",
    ),
    "scheme taken": ("@hookimpl\ndef lpa_sources(): return {'file': print}", "there is a source for file:// already"),
    "no factory": ("@hookimpl\ndef lpa_sinks(): return {'own': 'sink'}", "'own' must be a scheme in lower case"),
    "upper case": ("@hookimpl\ndef lpa_sinks(): return {'OWN': print}", "'OWN' must be a scheme in lower case"),
}


@pytest.mark.parametrize(("addition", "problem"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_plugin_is_named_and_left_out_whole_and_the_others_stay(
    addition: str, problem: str, install: Install
) -> None:
    whole = "\n@hookimpl\ndef lpa_dedup_stores(): return {'own': print}\n"
    found = [CORE, install("lpa-bad", EVENT_TYPE + whole + addition, plugin="bad"), install("good", EVENT_TYPE)]
    with capture_logs() as logs:
        plugins = PluginManager(settings(), found)

    assert names(plugins) == [*BUILTIN_NAMES, "said"], "said is now that of good"
    assert [plugin.name for plugin in plugins.plugins if plugin.problem] == ["bad"]
    assert problem in plugins.plugins[1].problem
    with pytest.raises(PluginError, match=r"no dedup store for own://"):
        plugins.dedup_store("own://")
    line, trace = logs
    assert (line["log_level"], line["plugin"], line["package"]) == ("warning", "bad", "lpa-bad")
    assert line["remedy"] == "correct or remove lpa-bad, or set LPA_PLUGINS_DISABLED=bad"
    assert problem in line["problem"]
    assert "\n" not in line["problem"]
    assert (trace["log_level"], trace["plugin"]) == ("debug", "bad")
    assert trace["exception"].startswith("Traceback")


@pytest.mark.parametrize(("addition", "problem"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_plugin_that_is_required_stops_the_process_in_one_line(
    addition: str, problem: str, install: Install
) -> None:
    found = [CORE, install("lpa-bad", EVENT_TYPE + addition, plugin="bad")]
    with pytest.raises(PluginError) as stopped:
        PluginManager(settings(required=("bad",)), found)
    assert str(stopped.value).startswith("plugin bad of lpa-bad is required but broken: ")
    assert problem in str(stopped.value)
    assert "\n" not in str(stopped.value)


@pytest.mark.parametrize("disabled", [(), ("said",)])
def test_a_required_plugin_that_is_not_loaded_stops_the_process(disabled: tuple[str, ...], install: Install) -> None:
    found = [CORE, install("said", EVENT_TYPE)] if disabled else [CORE]
    with pytest.raises(PluginError, match="plugin said is required but not loaded: install its package, or enable it"):
        PluginManager(settings(disabled=disabled, required=("said",)), found)


def test_a_required_plugin_that_is_well_lets_the_process_start(install: Install) -> None:
    plugins = PluginManager(settings(required=("said",)), [install("said", EVENT_TYPE)])
    assert names(plugins) == ["said"]


def test_of_two_plugins_of_one_name_the_second_is_left_out(install: Install) -> None:
    other = EVENT_TYPE.replace('"said', '"other')
    with capture_logs() as logs:
        plugins = PluginManager(
            settings(), [install("first", EVENT_TYPE, plugin="p"), install("second", other, plugin="p")]
        )
    assert names(plugins) == ["said"]
    assert [plugin.problem for plugin in plugins.plugins] == [
        "",
        "ValueError: another package brings a plugin of the name p",
    ]
    assert logs[0]["package"] == "second"
    assert logs[0]["remedy"] == "rename the entry point of second, or uninstall it", "the name is the other's, too"


def test_a_name_that_cannot_be_switched_off_is_told(install: Install) -> None:
    with capture_logs() as logs:
        PluginManager(settings(disabled=("saaid",)), [install("first", EVENT_TYPE, plugin="said")])
    (told,) = logs
    assert (told["log_level"], told["plugin"]) == ("warning", "saaid")
    assert "LPA_PLUGINS_DISABLED" in told["remedy"]
    assert "said" in told["remedy"]


def test_a_command_whose_name_is_taken_breaks_its_plugin_alone(install: Install) -> None:
    command = "import cyclopts\nfrom lpa_core.plugins.hookspecs import hookimpl\n" + (
        "@hookimpl\ndef lpa_cli_commands(): return [cyclopts.App(name='{}')]\n"
    )
    found = [install("clash", EVENT_TYPE + command.format("ingest")), install("fine", command.format("fine"))]
    plugins = PluginManager(settings(), found)
    app = cyclopts.App(name="lpa")
    app.command(cyclopts.App(name="ingest"))
    with capture_logs() as logs:
        plugins.add_commands(app)
    assert [name for name in app if not name.startswith("-")] == ["ingest", "fine"]
    assert {line["plugin"] for line in logs} == {"clash"}
    assert "there is a command ingest already: rename yours" in plugins.plugins[0].problem
    assert names(plugins) == [], "it is left out whole"


@pytest.mark.parametrize(
    ("make", "uri", "said"),
    [
        (PluginManager.source, "http://x/y", "no source for http:// is installed (there are: -, file)"),
        (
            PluginManager.dedup_store,
            "etcd://x",
            "no dedup store for etcd:// is installed (there are: memory, redis, rediss, rocksdb)",
        ),
        (PluginManager.sink, "./folder", "no sink for file:// is installed (there are: none)"),
        (PluginManager.archive, "s3://bucket", "no archive for s3:// is installed (there are: none)"),
    ],
)
def test_a_uri_that_nothing_serves_is_answered_with_what_there_is(
    make: Callable[[PluginManager, str], object], uri: str, said: str
) -> None:
    with pytest.raises(PluginError) as refused:
        make(PluginManager(settings(), [CORE]), uri)
    assert str(refused.value) == f"{said}; check the URI, or install its plugin"


def test_a_factory_whose_package_is_missing_names_the_plugin_and_the_remedy(install: Install) -> None:
    source = """
        from lpa_core.plugins.hookspecs import hookimpl

        def factory(uri, settings):
            import no_such_module

        @hookimpl
        def lpa_sinks():
            return {"own": factory}
        """
    plugins = PluginManager(settings(), [CORE, install("lpa-own", source, plugin="own")])
    with pytest.raises(PluginError) as refused:
        plugins.sink("own://me:secret@there")
    assert str(refused.value) == (
        "the sink for own:// of lpa-own needs what is not installed (No module named 'no_such_module'): "
        "install lpa-own with the extra that brings it"
    )


POLICY = """
from lpa_core.plugins.hookspecs import hookimpl

class Policy:
    def select(self, capabilities, wallet, model, url, gpu, time):
        return None

@hookimpl
def lpa_attribution_policy(settings):
    return {}
"""


def test_the_policy_of_the_first_plugin_that_brings_one_wins_before_that_of_the_core(install: Install) -> None:
    found = [
        CORE,
        install("c", POLICY.format("Policy()")),
        install("a", POLICY.format("None")),
        install("b", POLICY.format("Policy()")),
    ]
    assert type(PluginManager(settings(), found).attribution_policy()).__module__ == found[3].value
    assert isinstance(PluginManager(settings(), [CORE]).attribution_policy(), NearestSnapshot)
    with pytest.raises(PluginError, match="nothing installed attributes signals"):
        PluginManager(settings(), []).attribution_policy()


@pytest.mark.parametrize("answer", ["1 / 0", "'nearest'"])
def test_a_plugin_whose_policy_cannot_be_used_is_left_out(answer: str, install: Install) -> None:
    with capture_logs() as logs:
        plugins = PluginManager(settings(), [CORE, install("bad", POLICY.format(answer))])
    assert logs[0]["plugin"] == "bad"
    assert isinstance(plugins.attribution_policy(), NearestSnapshot)


CLASSIFIER = """
import attrs
from lpa_core.plugins.hookspecs import hookimpl

@hookimpl
def lpa_classify_failure(failure, payload):
    return {}
"""


def classified(plugins: PluginManager, payload: bytes = b"[1]") -> Failure:
    pipeline = Pipeline(plugins.event_types(), classifiers=plugins.classifiers())
    rejected = pipeline.process(payload, Position("events", 0, 0))
    assert isinstance(rejected, Rejected)
    return rejected.failure


def test_the_first_classifier_that_answers_wins_in_the_order_that_plugins_are_listed_in(install: Install) -> None:
    details = "attrs.evolve(failure, details=failure.details + ' said {}')"
    found = [
        install("c", CLASSIFIER.format(details.format("c"))),
        install("a", CLASSIFIER.format("None")),
        install("b", CLASSIFIER.format(details.format("b"))),
    ]
    plugins = PluginManager(settings(), found)
    assert [plugin.name for plugin in plugins.plugins] == ["a", "b", "c"]
    assert classified(plugins).details == "the root is an array, not an object said b"


@pytest.mark.parametrize("answer", ["1 / 0", "'XML'"])
def test_a_classifier_that_raises_is_named_once_and_the_next_is_asked(answer: str, install: Install) -> None:
    found = [
        install("lpa-a", CLASSIFIER.format(answer), plugin="a"),
        install("b", CLASSIFIER.format("attrs.evolve(failure, details='said b')")),
    ]
    plugins = PluginManager(settings(), found)
    classifiers = plugins.classifiers()
    with capture_logs() as logs:
        answers = [[classify(FAILURE, b"") for classify in classifiers] for _ in range(3)]
    assert answers == [[None, schema_invalid(Reason.ROOT_NOT_OBJECT, "said b")]] * 3
    (line,) = logs
    assert (line["plugin"], line["package"]) == ("a", "lpa-a")
    assert line["remedy"] == "correct lpa-a, or set LPA_PLUGINS_DISABLED=a"
    assert classified(plugins).details == "said b"
