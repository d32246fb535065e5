"""What hooks return, checked when a plugin is loaded; what factories return, checked when they are called."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint

import cyclopts
import pytest
from structlog.testing import capture_logs

from lpa_core.errors import LpaError
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.plugins.manager import PluginManager
from lpa_core.records import Position
from lpa_core.settings.settings import Settings
from lpa_core.validation.reasons import Failure, Reason, schema_invalid

Install = Callable[..., EntryPoint]

CORE = EntryPoint("core", "lpa_core.plugins.builtin", "lpa")
BUILTIN_NAMES = [each.name for each in BUILTIN_EVENT_TYPES]
START = """
import cyclopts
from lpa_core.plugin import *
from lpa_core.plugin import Column, EventType, Kind, HealthCheck, State, hookimpl, typed_table

def event_type(name="own", table="own", **more):
    return EventType(name, tables=(typed_table(table, Column("a", Kind.TEXT, at="a"), order_by=()),), **more)

def takes_one(given): ...
def takes_two(given, other): ...
async def waits(given): ...
async def waits_for_two(given, other): ...
def yields(given): yield
class Judge:
    def __call__(self, given): ...
    async def judge(self, given): ...
class Policy:
    def select(self, capabilities, wallet, model, url, gpu, time): ...
class Hasty:
    def select(self, capabilities): ...
class Raising:
    @property
    def select(self): raise OSError("no disk")
class Nameless(Judge):
    @property
    def __name__(self): raise OSError("no name")
def check(**more):
    return HealthCheck(**({"name": "own", "title": "Own", "judge": takes_one} | more))
"""


def hook(name: str, answer: str) -> str:
    return f"@hookimpl\ndef {name}(): return {answer}"


LISTS = ("lpa_event_types", "lpa_validators", "lpa_replay_transforms", "lpa_health_checks", "lpa_cli_commands")
DICTS = ("lpa_sources", "lpa_dedup_stores", "lpa_sinks", "lpa_archives")

BROKEN: dict[str, tuple[str, str]] = {
    **{
        f"{name} {what}": (hook(name, answer), f"{name} returned {said}: it must return")
        for name in LISTS
        for what, answer, said in (
            ("None", "None", "None"),
            ("text", "'own'", "a str"),
            ("a mapping", "{'own': takes_one}", "a dict"),
            ("a set", "{takes_one}", "a set"),
            ("a generator", "(each for each in ())", "a generator"),
            ("the thing itself", "takes_one", "a function"),
            ("a class", "Judge", "the class Judge"),
        )
    },
    **{
        f"{name} {what}": (hook(name, answer), f"{name} returned {said}: it must return")
        for name in DICTS
        for what, answer, said in (
            ("None", "None", "None"),
            ("text", "'own'", "a str"),
            ("a list", "[('own', takes_two)]", "a list"),
            ("a factory", "takes_two", "a function"),
        )
    },
    **{
        f"{name} {what}": (hook(name, answer), f"{name}: {said}")
        for name in DICTS
        for what, answer, said in (
            ("a scheme that is none", "{5: takes_two}", "5 must be a scheme in lower case"),
            ("a scheme with a colon", "{'own://': takes_two}", "'own://' must be a scheme in lower case"),
            ("an empty scheme", "{'': takes_two}", "'' must be a scheme in lower case"),
            ("no factory", "{'own': None}", "'own' must be a scheme in lower case, its value a factory"),
            ("a factory of one", "{'own': takes_one}", "the factory for own:// cannot be called with (uri, "),
            ("a factory that waits", "{'own': waits_for_two}", "the factory for own:// is async"),
        )
    },
    **{
        f"{name} is async": (f"@hookimpl\nasync def {name}(): return []", f"{name} is async")
        for name in (*LISTS, *DICTS, "lpa_attribution_policy", "lpa_classify_failure", "lpa_savepoints")
    },
    **{
        f"{name} yields": (f"@hookimpl\ndef {name}(): yield", f"{name} is a generator function")
        for name in (*LISTS, *DICTS, "lpa_attribution_policy", "lpa_classify_failure", "lpa_savepoints")
    },
    **{
        f"{name} raises": (f"@hookimpl\ndef {name}(): raise OSError('no\\ndisk')", "OSError: no disk")
        for name in (*LISTS, *DICTS, "lpa_attribution_policy")
    },
    "event type as class": (hook("lpa_event_types", "[EventType]"), "lpa_event_types has the class EventType"),
    "table for a type": (hook("lpa_event_types", "event_type().tables"), "lpa_event_types has a Table"),
    "event type twice": (
        hook("lpa_event_types", "[event_type(), event_type()]"),
        "'own' is declared twice: rename one",
    ),
    "validator None": (hook("lpa_validators", "[None]"), "lpa_validators is None: it must be a function"),
    "validator of two": (
        hook("lpa_validators", "[takes_two]"),
        "lpa_validators: takes_two cannot be called with (document), as lpa does: let it",
    ),
    "validator that waits": (hook("lpa_validators", "[waits]"), "lpa_validators: waits is async"),
    "validator that yields": (hook("lpa_validators", "[yields]"), "lpa_validators: yields is a generator function"),
    "validator as class": (hook("lpa_validators", "[Judge]"), "lpa_validators is the class Judge"),
    "validator's method waits": (hook("lpa_validators", "[Judge().judge]"), "lpa_validators: judge is async"),
    "validator without a name": (hook("lpa_validators", "[Judge()]"), "has a Judge, which has no __name__"),
    "validator whose name raises": (hook("lpa_validators", "[Nameless()]"), "OSError: no name"),
    "transform of two": (hook("lpa_replay_transforms", "[takes_two]"), "takes_two cannot be called with (record)"),
    "transform that waits": (hook("lpa_replay_transforms", "[waits]"), "lpa_replay_transforms: waits is async"),
    "transform as text": (hook("lpa_replay_transforms", "['own']"), "lpa_replay_transforms is a str"),
    "judge of two": (hook("lpa_health_checks", "[check(judge=takes_two)]"), "judge of own cannot be called with"),
    "judge that waits": (hook("lpa_health_checks", "[check(judge=waits)]"), "judge of own is async"),
    "check as class": (hook("lpa_health_checks", "[HealthCheck]"), "the class HealthCheck is none"),
    "check of judges": (hook("lpa_health_checks", "[takes_one]"), "a function is none"),
    "check costly": (hook("lpa_health_checks", "[check(costly='no')]"), "True or False as costly"),
    "check named by None": (hook("lpa_health_checks", "[check(name=None)]"), "a HealthCheck is none"),
    "check twice": (hook("lpa_health_checks", "[check(), check()]"), "there is a check own already: rename yours"),
    "check named otherwise": (hook("lpa_health_checks", "[check(name='Own')]"), "is named 'Own': use lower-case"),
    "command that is none": (hook("lpa_cli_commands", "[takes_one]"), "lpa_cli_commands has a function"),
    "command as class": (hook("lpa_cli_commands", "[cyclopts.App]"), "lpa_cli_commands has the class App"),
    "command without a name": (hook("lpa_cli_commands", "[cyclopts.App()]"), "MUST have a name"),
    "command twice": (
        hook("lpa_cli_commands", "[cyclopts.App(name='own'), cyclopts.App(name='own')]"),
        "lpa_cli_commands: two commands are named own: rename one",
    ),
    "command with spaces": (
        hook("lpa_cli_commands", "[cyclopts.App(name='own thing')]"),
        "which nobody can type as one word",
    ),
    "command with help that is none": (
        hook("lpa_cli_commands", "[cyclopts.App(name='own', help=5)]"),
        "lpa_cli_commands: help of own is an int: it must be text",
    ),
    "policy as class": (hook("lpa_attribution_policy", "Policy"), "lpa_attribution_policy returned the class Policy"),
    "policy that is none": (hook("lpa_attribution_policy", "'nearest'"), "a str, which has no select"),
    "policy of one": (hook("lpa_attribution_policy", "Hasty()"), "select of Hasty cannot be called with (capabilities"),
    "policy that raises": (hook("lpa_attribution_policy", "Raising()"), "OSError: no disk"),
    "hook that is not marked": ("def lpa_sinks(): return {}", "lpa_sinks is not marked: write @hookimpl above it"),
    "no hook": ("lpa_sinks_ = {}", "it has no hook"),
    "argument that is not given": (
        "@hookimpl\ndef lpa_classify_failure(fail, payload): return None",
        "lpa_classify_failure has no argument fail: it may take failure, payload, options",
    ),
    "argument by keyword": (
        "@hookimpl\ndef lpa_sinks(*, settings): return {}",
        "lpa_sinks has no argument settings: it may take options",
    ),
    "hook that there is not": (
        "@hookimpl\ndef lpa_evnt_types(): return []",
        "there is no hook lpa_evnt_types: did you mean lpa_event_types",
    ),
    "hook that nothing is like": (
        "@hookimpl\ndef wired(): return []",
        "there is no hook wired: there are lpa_archives, ",
    ),
    "exit": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "skip of a test": ("import pytest; pytest.skip('later', allow_module_level=True)", "Skipped: later"),
    "message that raises": (
        "class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd",
        "Odd: its message cannot be read",
    ),
    "syntax": ("def lpa_sinks(:", "SyntaxError"),
}


@pytest.mark.parametrize(("source", "problem"), BROKEN.values(), ids=BROKEN.keys())
def test_failure_30_a_plugin_whose_answers_cannot_be_used_is_left_out_with_one_line(
    source: str, problem: str, install: Install
) -> None:
    well = START + hook("lpa_event_types", "[event_type('well', 'well')]")
    found = [
        CORE,
        install("lpa-bad", f"{START}\n{source}\n", plugin="bad"),
        install("lpa-well", well, plugin="well"),
    ]
    with capture_logs() as logs:
        plugins = PluginManager(Settings(), found)
    assert [each.name for each in plugins.event_types()] == [*BUILTIN_NAMES, "well"], "nobody else is left out"
    (line,) = [each for each in logs if each["log_level"] != "debug"]
    assert (line["event"], line["plugin"], line["package"]) == ("plugin left out", "bad", "lpa-bad")
    assert problem in line["problem"]
    assert "\n" not in line["problem"]
    assert len(line["problem"]) < 600


OURS = {
    "name": ("core", hook("lpa_event_types", "[event_type()]"), "another package brings a plugin of the name core"),
    "event type": (
        "a",
        hook("lpa_event_types", "[event_type('stream_trace')]"),
        "event type 'stream_trace' is of the plugin core (lpa_core.plugins.builtin) already: rename it",
    ),
    "scheme": ("a", hook("lpa_dedup_stores", "{'memory': takes_two}"), "there is a dedup store for memory:// already"),
    "table": ("a", hook("lpa_event_types", "[event_type(table='stream_trace_events')]"), "'stream_trace_events'"),
}


@pytest.mark.parametrize(("name", "source", "problem"), OURS.values(), ids=OURS.keys())
def test_failure_30_who_takes_a_name_of_ours_is_left_out_not_the_core(
    name: str, source: str, problem: str, install: Install
) -> None:
    found = [install("lpa-a", f"{START}\n{source}\n", plugin=name), CORE]
    plugins = PluginManager(Settings(), found)
    assert [each.name for each in plugins.event_types()] == BUILTIN_NAMES
    assert [(each.package, bool(each.problem)) for each in plugins.plugins] == [
        ("lpa_core.plugins.builtin", False),
        ("lpa-a", True),
    ]
    assert problem in plugins.plugins[1].problem


def test_failure_30_commands_of_a_plugin_are_added_all_or_none(install: Install) -> None:
    source = START + hook("lpa_cli_commands", "[cyclopts.App(name='fine'), cyclopts.App(name='ingest')]")
    plugins = PluginManager(Settings(), [CORE, install("lpa-bad", source, plugin="bad")])
    app = cyclopts.App(name="lpa")
    app.command(cyclopts.App(name="ingest"))
    plugins.add_commands(app)
    assert [name for name in app if not name.startswith("-")] == ["ingest"]
    assert "lpa_cli_commands: there is a command ingest already: rename yours" in plugins.plugins[1].problem


FACTORY = """
from lpa_core.plugin import MemoryDedupStore, doubles, hookimpl

class Base:
    topic, partition, repeatable, size, bytes_read = "t", 0, True, None, 0
    def open(self, tables): ...
    def write(self, block): ...
    def withdraw(self, table, topic, partition, offsets): ...
    def close(self): ...
    def seek(self, offset, resume): ...
    def read(self, max_records, max_bytes): ...

class AsyncWrite(Base):
    async def write(self, block): ...

class YieldingWrite(Base):
    def write(self, block): yield

class ShortWithdraw(Base):
    def withdraw(self, table): ...

class Propertied(Base):
    @property
    def read(self): raise RuntimeError("not yet")

class NoTopic:
    seek, read, close = Base.seek, Base.read, Base.close

def factory(uri, *more):
    BODY

@hookimpl
def HOOK():
    return {"own": factory}
"""
MADE = {
    "None": ("lpa_sinks", "return None", "returned None: it must be a Sink"),
    "nothing": ("lpa_sources", "pass", "returned None: it must be a Source"),
    "no store": ("lpa_dedup_stores", "return {}", "returned a dict, which has no claim: it must be a DedupStore"),
    "no archive": ("lpa_archives", "return doubles.MemorySink()", "which has no recover: it must be an Archive"),
    "class": ("lpa_sinks", "return Base", "returned the class Base: it must be a Sink"),
    "async": ("lpa_sinks", "return AsyncWrite()", "write of AsyncWrite is async"),
    "yields": ("lpa_sinks", "return YieldingWrite()", "write of YieldingWrite is a generator function"),
    "signature": (
        "lpa_sinks",
        "return ShortWithdraw()",
        "withdraw of ShortWithdraw cannot be called with (table, topic",
    ),
    "property": ("lpa_sources", "return Propertied()", "made what raised RuntimeError: not yet"),
    "attribute": ("lpa_sources", "return NoTopic()", "returned a NoTopic, which has no topic: it must be a Source"),
    "raises": ("lpa_sinks", "return {}['missing']", "raised KeyError: 'missing': correct lpa-own"),
    "exits": ("lpa_sinks", "raise SystemExit(0)", "raised SystemExit: 0: correct lpa-own"),
    "missing file": ("lpa_sources", "open('/nothing/here')", "raised FileNotFoundError"),
}


@pytest.mark.parametrize(("name", "body", "problem"), MADE.values(), ids=MADE.keys())
def test_failure_30_a_factory_that_makes_nothing_usable_is_named_with_plugin_and_hook(
    name: str, body: str, problem: str, install: Install
) -> None:
    source = FACTORY.replace("BODY", body).replace("HOOK", name)
    plugins = PluginManager(Settings(), [CORE, install("lpa-own", source, plugin="own")])
    make = {
        "lpa_sources": plugins.source,
        "lpa_sinks": plugins.sink,
        "lpa_dedup_stores": plugins.dedup_store,
        "lpa_archives": plugins.archive,
    }[name]
    with pytest.raises(LpaError) as refused:
        make("own://there")
    assert str(refused.value).startswith(f"plugin own of lpa-own: {name}: the factory for own://")
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)


SAVEPOINTS = """
from lpa_core.plugin import hookimpl

class Keeper:
    def keep(self, savepoint, folders, location=None): ...
    def restore(self, location): ...

class Half:
    def keep(self, savepoint, folders): ...

@hookimpl
def lpa_savepoints():
    return {}
"""


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("Keeper", "returned the class Keeper: it must be a SavepointKeeper"),
        ("'here'", "returned a str, which has no keep: it must be a SavepointKeeper"),
        ("Half()", "keep of Half cannot be called with (savepoint, folders, location)"),
        ("1 / 0", "raised ZeroDivisionError: division by zero: correct lpa-own"),
    ],
)
def test_failure_30_a_savepoint_keeper_that_cannot_be_used_is_named(
    answer: str, problem: str, install: Install
) -> None:
    plugins = PluginManager(Settings(), [install("lpa-own", SAVEPOINTS.format(answer), plugin="own")])
    with pytest.raises(LpaError) as refused:
        plugins.savepoints()
    assert str(refused.value).startswith("plugin own of lpa-own: lpa_savepoints")
    assert problem in str(refused.value)


def test_failure_30_a_savepoint_keeper_that_can_be_used_is_found_behind_one_that_declines(install: Install) -> None:
    found = [
        install("a", SAVEPOINTS.format("Keeper()"), plugin="a"),
        install("b", SAVEPOINTS.format("None"), plugin="b"),
    ]
    assert type(PluginManager(Settings(), found).savepoints()).__module__ == sys.modules[found[0].value].__name__


JUDGING = (
    START
    + """
from lpa_core.plugin import model, Reason, EventData
import attrs

@attrs.frozen(slots=True)
class Said(EventData):
    text: model.Text = ""

TABLE = typed_table("said", Column("text", Kind.TEXT), order_by=())

def shape(envelope, data):
    return [(TABLE, (data.txt,))]

@hookimpl
def lpa_event_types():
    return [EventType("said", Said, (), (TABLE,), shape)]
"""
)


def judged(plugins: PluginManager, event_type: str) -> Failure:
    pipeline = Pipeline(
        plugins.event_types(), plugin_validators=plugins.validators(), classifiers=plugins.classifiers()
    )
    data = b'{"stream_id": "s", "request_id": "r", "type": "t", "text": "x"}'
    event = b'{"id": "1", "type": "%s", "timestamp": 1767873600000, "data": %s}' % (event_type.encode(), data)
    for _ in range(3):
        verdict = pipeline.process(event, Position("events", 0, 0))
    assert isinstance(verdict, Rejected)
    return verdict.failure


@pytest.mark.parametrize("answer", ["True", "False", "'bad'", "1 / 0", "exit()", "takes_one", "waits(document)"])
@pytest.mark.filterwarnings("ignore:coroutine")
def test_failure_30_the_first_fault_of_a_validator_is_told_and_the_event_kept_with_its_name(
    answer: str, install: Install
) -> None:
    source = START + f"def wrong(document): return {answer}\n" + hook("lpa_validators", "[wrong]")
    well = START + hook("lpa_validators", "[takes_one]")
    plugins = PluginManager(Settings(), [CORE, install("lpa-own", source, plugin="own"), install("well", well)])
    with capture_logs() as logs:
        failure = judged(plugins, "stream_trace")
    assert failure.reason is Reason.PLUGIN_VALIDATOR
    faults = {"1 / 0": "raised ZeroDivisionError: division by zero", "exit()": "raised SystemExit: None"}
    wrong = {"takes_one": "function", "waits(document)": "coroutine", "'bad'": "str"}.get(answer, "bool")
    fault = faults.get(answer, f"returned a {wrong}: it must return None or a Failure")
    assert failure.details == f"validator wrong {fault}"
    assert logs[0]["problem"] == fault
    assert [(each["plugin"], each["package"]) for each in logs] == [("own", "lpa-own")]
    assert logs[0]["event"] == "validator wrong failed; it rejects such events"


def test_failure_30_the_first_fault_of_an_event_types_own_validator_is_told_with_its_plugin(install: Install) -> None:
    own = hook("lpa_event_types", "[event_type('said', 'said', validators=[wrong])]")
    source = START + "def wrong(document): return document.nothing\n" + own
    plugins = PluginManager(Settings(), [CORE, install("lpa-own", source, plugin="own")])
    with capture_logs() as logs:
        failure = judged(plugins, "said")
    assert failure.details.startswith("validator wrong raised AttributeError: ")
    assert [(each["plugin"], each["event"]) for each in logs] == [
        ("own", "validator wrong of event type said failed; it rejects such events")
    ]
    assert logs[0]["problem"].startswith("raised AttributeError: ")


def test_failure_30_a_wrong_answer_of_an_event_types_own_validator_is_told_once_not_as_what_it_raised(
    install: Install,
) -> None:
    own = hook("lpa_event_types", "[event_type('said', 'said', validators=[wrong])]")
    source = START + "def wrong(document): return [document]\n" + own
    plugins = PluginManager(Settings(), [CORE, install("lpa-own", source, plugin="own")])
    with capture_logs() as logs:
        failure = judged(plugins, "said")
    assert failure.details == "validator wrong returned a list: it must return None or a Failure"
    assert [each["problem"] for each in logs] == ["returned a list: it must return None or a Failure"]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("reason='no_reason'", "reason is a str: it must be one of Reason"),
        ("stage=None", "stage is None: it must be one of Stage"),
    ],
)
def test_failure_30_a_failure_of_no_closed_list_says_which_of_its_parts_is_wrong(
    part: str, said: str, install: Install
) -> None:
    source = "import attrs\nfrom lpa_core.plugin import hookimpl\n"
    source += f"@hookimpl\ndef lpa_classify_failure(failure): return attrs.evolve(failure, {part})\n"
    (classify,) = PluginManager(Settings(), [install("lpa-own", source, plugin="own")]).classifiers()
    with capture_logs() as logs:
        assert classify(schema_invalid(Reason.MISSING_TYPE, ""), b"{}") is None
    assert [(each["plugin"], each["problem"]) for each in logs] == [("own", f"returned a Failure whose {said}")]


def test_failure_30_a_validator_of_another_plugin_is_not_put_on_the_event_types_own(install: Install) -> None:
    own = START + hook("lpa_event_types", "[event_type('said', 'said', validators=[takes_one])]")
    other = START + "def wrong(document): return document.nothing\n" + hook("lpa_validators", "[wrong]")
    found = [CORE, install("lpa-own", own, plugin="own"), install("lpa-other", other, plugin="other")]
    with capture_logs() as logs:
        judged(PluginManager(Settings(), found), "said")
    assert [each["plugin"] for each in logs] == ["other"]


def test_failure_30_the_first_event_whose_shape_raises_is_told_with_its_plugin(install: Install) -> None:
    plugins = PluginManager(Settings(), [CORE, install("lpa-own", JUDGING, plugin="own")])
    with capture_logs() as logs:
        failure = judged(plugins, "said")
    assert failure.reason is Reason.PARSE_EXCEPTION
    assert [(each["plugin"], each["event"]) for each in logs] == [
        ("own", "rows of event type said could not be made; such events are dead letters")
    ]
    assert logs[0]["problem"] == "AttributeError: 'Said' object has no attribute 'txt'"


def test_failure_30_a_classifier_that_exits_stops_nothing(install: Install) -> None:
    source = "from lpa_core.plugin import hookimpl\n@hookimpl\ndef lpa_classify_failure(): raise SystemExit(0)\n"
    (classify,) = PluginManager(Settings(), [install("own", source)]).classifiers()
    with capture_logs() as logs:
        assert classify(schema_invalid(Reason.MISSING_TYPE, ""), b"{}") is None
    assert [each["plugin"] for each in logs] == ["own"]
