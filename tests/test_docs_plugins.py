"""docs/plugins.md against the hooks there are, and its examples at work."""

from __future__ import annotations

import bz2
import inspect
import json
import re
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, final

import attrs
import cyclopts
import pytest
from structlog.testing import capture_logs

from lpa_core.dedup.store import DedupStore, DedupStoreError
from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.doctor.examination import Examination, StartState
from lpa_core.doctor.start_check import PlannedStart
from lpa_core.events import model
from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.generate.generator import generate
from lpa_core.health.check import Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.ingest import ingest
from lpa_core.jobs.new_savepoint import new_savepoint
from lpa_core.lifecycle.attribution import AttributionPolicy
from lpa_core.lifecycle.capabilities import Capability, CapabilityIndex
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.pipeline.verdicts import Accepted, Ignored, Verdict
from lpa_core.plugins.hookspecs import HookSpecs
from lpa_core.plugins.manager import PluginManager
from lpa_core.records import Position, RecordBatch
from lpa_core.replays import ReplayRecord
from lpa_core.savepoints import SavepointError, SavepointKeeper
from lpa_core.settings.settings import ProcessSettings, Settings
from lpa_core.settings.thresholds import State
from lpa_core.sinks.archive import Archive
from lpa_core.sinks.sink import Sink, SinkMisconfigured
from lpa_core.sources.source import Source
from lpa_core.tables.table import Column, Kind, Table
from lpa_core.testing import (
    archive_suite,
    dedup_suite,
    policy_suite,
    savepoint_suite,
    sink_suite,
    source_suite,
)
from lpa_core.testing.event_type_check import check_event_type
from lpa_core.testing.sink_suite import Place, SinkContract

PAGE = (Path(__file__).parents[1] / "docs" / "plugins.md").read_text()
HOOKS = {name: hook for name, hook in vars(HookSpecs).items() if name.startswith("lpa_")}
SECTIONS = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
FENCED = re.compile(r"^```python ?(.*)\n((?:.*\n)*?)^```$", re.MULTILINE)

CORE = EntryPoint("core", "lpa_core.plugins.builtin", "lpa")


def signature(hook: Callable[..., object]) -> str:
    """As it is written in the specification, without ``self``."""
    written = inspect.signature(hook)
    arguments = [f"{p.name}: {p.annotation}" for p in written.parameters.values() if p.name != "self"]
    return f"def {hook.__name__}({', '.join(arguments)}) -> {written.return_annotation}\n"


def test_every_hook_is_documented_and_no_other() -> None:
    assert list(SECTIONS) == list(HOOKS)


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_documented_with_its_signature_and_one_example(name: str) -> None:
    blocks = FENCED.findall(SECTIONS[name])
    assert [title for title, _ in blocks] == ["signature", ""]
    assert blocks[0][1] == signature(HOOKS[name])


@pytest.fixture
def load_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], PluginManager]:
    """Loads the example of a hook as a plugin, beside the core."""

    def load(hook: str) -> PluginManager:
        module = f"example_of_{hook}"
        (tmp_path / f"{module}.py").write_text(FENCED.findall(SECTIONS[hook])[1][1])
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, module, raising=False)
        settings = Settings(lpa=ProcessSettings(data_dir=tmp_path / "data"))
        with capture_logs() as logs:
            plugins = PluginManager(settings, [CORE, EntryPoint("example", module, "lpa")])
        assert logs == []
        assert plugins.plugins[1].hooks == (hook,)
        return plugins

    return load


Load = Callable[[str], PluginManager]


def judge(plugins: PluginManager, payload: bytes) -> Verdict:
    pipeline = Pipeline(
        plugins.event_types(), plugin_validators=plugins.validators(), classifiers=plugins.classifiers()
    )
    return pipeline.process(payload, Position("events", 0, 0))


def event(type_: str, data: str) -> bytes:
    return b'{"id": "1", "type": "%s", "timestamp": 1767873600000, "data": %s}' % (type_.encode(), data.encode())


def test_example_of_event_types(load_example: Load) -> None:
    verdict = judge(
        load_example("lpa_event_types"), event("queue_length", '{"region": "eu", "queue": {"waiting": "12"}}')
    )
    assert isinstance(verdict, Accepted)
    assert [(table.name, row) for table, row in verdict.rows] == [("queue_length", ("eu", 12))]


def test_example_of_validators(load_example: Load) -> None:
    plugins = load_example("lpa_validators")
    data = '{"stream_id": "%s", "request_id": "r", "type": "t"}'
    assert isinstance(judge(plugins, event("stream_trace", data % "s-1")), Accepted)
    rejected = judge(plugins, event("stream_trace", data % "test-1"))
    assert isinstance(rejected, Rejected)
    assert rejected.failure.details == "no_test_streams: data.stream_id begins with test-"


def test_example_of_sources(load_example: Load, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson.bz2"
    file.write_bytes(bz2.compress(b"{}\n[]\n"))
    with closing(load_example("lpa_sources").source(f"bz2://{file}")) as source:
        source.seek(0, "")
        batch = source.read(10, 1000)
    assert batch is not None
    assert batch.values == [b"{}", b"[]"]


class TestExampleOfDedupStores(
    dedup_suite.SharedContract,
    dedup_suite.ExpiryContract,
    dedup_suite.DurableContract,
    dedup_suite.SnapshotContract,
    dedup_suite.DedupStoreContract,
):
    @pytest.fixture
    def stores_of(self, load_example: Load) -> type[Any]:
        load_example("lpa_dedup_stores")
        found: type[Any] = sys.modules["example_of_lpa_dedup_stores"].SqliteClaims
        return found

    @pytest.fixture
    def folders(self) -> list[Path]:
        return []

    @pytest.fixture
    def make_store(self, stores_of: type[Any], tmp_path: Path, folders: list[Path]) -> dedup_suite.MakeStore:
        def make(ttl_ms: int) -> DedupStore:
            folders.append(tmp_path / f"claims {len(folders)}")
            store: DedupStore = stores_of(folders[-1], ttl_ms)
            return store

        return make

    @pytest.fixture
    def reopen(self, stores_of: type[Any], folders: list[Path]) -> Callable[[], DedupStore]:
        return lambda: stores_of(folders[-1], dedup_suite.TTL)

    @pytest.fixture
    def open_again(self, reopen: Callable[[], DedupStore]) -> Callable[[], DedupStore]:
        return reopen

    @pytest.fixture
    def open_snapshot(self, stores_of: type[Any]) -> Callable[[Path], DedupStore]:
        return lambda folder: stores_of(folder, dedup_suite.TTL)


def test_example_of_dedup_stores(load_example: Load, tmp_path: Path) -> None:
    plugins = load_example("lpa_dedup_stores")
    day = 24 * 60 * 60_000
    with closing(plugins.dedup_store(f"sqlite://{tmp_path}/claims")) as store:
        owners = [store.claim(["key"], "events", 0, [offset], offset * day)[0] for offset in range(3)]
    assert owners == [None, Position("events", 0, 0), None], "it is free again after the day that is the default"
    (tmp_path / "file").touch()
    with pytest.raises(DedupStoreError, match=r"claims\.db cannot be used: .*; name another folder"):
        plugins.dedup_store(f"sqlite://{tmp_path}/file")


@final
class SqlitePlace:
    def __init__(self, plugins: PluginManager, file: Path) -> None:
        self._plugins, self._file = plugins, file

    def sink(self) -> Sink:
        return self._plugins.sink(f"sqlite://{self._file}")

    def rows(self, table: Table) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self._file)) as stored:
            rows = stored.execute(f"SELECT * FROM {table.name}").fetchall()
        numbers = [column.kind is Kind.UINT64 for column in table.columns]
        return [
            tuple(int(v) if number and v is not None else v for number, v in zip(numbers, row, strict=True))
            for row in rows
        ]


class TestExampleOfSinks(SinkContract):
    @pytest.fixture
    def place(self, load_example: Load, tmp_path: Path) -> Place:
        return SqlitePlace(load_example("lpa_sinks"), tmp_path / "rows.db")


LOOKING = """
from lpa_core.plugin import doubles, hookimpl

BLOCKS = []

class Looking(doubles.MemorySink):
    def write(self, block):
        BLOCKS.append(block)
        super().write(block)

@hookimpl
def lpa_sinks():
    return {"looking": lambda uri, settings: Looking()}
"""


def test_the_table_of_values_is_what_a_sink_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = re.findall(r"^\| (`.*`) \| (.*) \|$", SECTIONS["lpa_sinks"], re.MULTILINE)
    told = {kind: set(re.findall(r"`(\w+)`", types)) for kinds, types in rows for kind in re.findall(r"`(\w+)`", kinds)}
    assert set(told) == {kind.name for kind in Kind}

    (tmp_path / "looking.py").write_text(LOOKING)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "looking", raising=False)
    lines = generate(2_000, duplicates=0.05, bad=0.1, sessions=5, seed=1)
    (tmp_path / "events.ndjson").write_bytes(b"".join(line + b"\n" for line in lines))
    settings = Settings(lpa=ProcessSettings(data_dir=tmp_path / "data"))
    plugins = PluginManager(settings, [CORE, EntryPoint("looking", "looking", "lpa")])
    ingest(Job(str(tmp_path / "events.ndjson"), ("looking://",), "memory://"), settings, plugins)

    columns = [
        (column, block, values)
        for block in sys.modules["looking"].BLOCKS
        for column, values in zip(block.table.columns, block.columns, strict=True)
    ]
    seen: dict[str, set[str]] = {kind: set() for kind in told}
    for column, block, values in columns:
        assert len(values) == len(block.offsets)
        assert column.nullable or None not in values
        seen[column.kind.name] |= {type(value).__name__ for value in values if value is not None}
    assert {kind: types - told[kind] for kind, types in seen.items() if types - told[kind]} == {}
    assert seen["TEXT"] == {"str", "bytes"}
    assert seen["TIMESTAMP"] == {"int"}


def test_example_of_sinks(load_example: Load, tmp_path: Path) -> None:
    sink = load_example("lpa_sinks").sink(f"sqlite://{tmp_path}/none/rows.db")
    with pytest.raises(SinkMisconfigured, match=r"rows\.db cannot be used: unable to open database file"):
        sink.open([])


@final
class RangesPlace:
    def __init__(self, plugins: PluginManager, folder: Path) -> None:
        self._plugins, self._folder = plugins, folder

    def archive(self) -> Archive:
        return self._plugins.archive(f"ranges://{self._folder}")

    def records(self) -> list[bytes]:
        return [line for file in self._folder.iterdir() for line in file.read_bytes().split(b"\n")[:-1]]


class TestExampleOfArchives(archive_suite.ArchiveContract):
    @pytest.fixture
    def place(self, load_example: Load, tmp_path: Path) -> archive_suite.ArchivePlace:
        return RangesPlace(load_example("lpa_archives"), tmp_path / "archive")


def test_example_of_archives(load_example: Load, tmp_path: Path) -> None:
    archive = load_example("lpa_archives").archive(f"ranges://{tmp_path}/archive")
    archive.recover()
    archive.write(RecordBatch("events", 0, range(5, 7), [b"one", b"two"]), 0)
    (file,) = (tmp_path / "archive").iterdir()
    assert file.name == "events-0-5.ndjson"


class TestExampleOfSources(source_suite.SourceContract):
    @pytest.fixture
    def open_source(self, load_example: Load, tmp_path: Path) -> source_suite.OpenSource:
        plugins, file = load_example("lpa_sources"), tmp_path / "events.bz2"

        def open_records(records: Sequence[bytes]) -> Source:
            file.write_bytes(bz2.compress(b"".join(record + b"\n" for record in records)))
            return plugins.source(f"bz2://{file}")

        return open_records


class TestExampleOfAttributionPolicy(policy_suite.AttributionPolicyContract):
    @pytest.fixture
    def make_policy(self, load_example: Load) -> Callable[[], AttributionPolicy]:
        return load_example("lpa_attribution_policy").attribution_policy


class TestExampleOfSavepoints(savepoint_suite.SavepointKeeperContract):
    @pytest.fixture
    def keeper(self, load_example: Load) -> SavepointKeeper:
        return load_example("lpa_savepoints").savepoints()


def test_example_of_attribution_policy(load_example: Load) -> None:
    policy = load_example("lpa_attribution_policy").attribution_policy()
    index = CapabilityIndex([Capability(1000, "e", "0xcan", "0xhot", "", "", "sdxl", None)])
    early, late = (policy.select(index, "0xhot", "sdxl", "", "", time) for time in (999, 1001))
    assert early is None
    assert late is not None
    assert (late.snapshot_ts, late.offer.canonical) == (1000, "0xcan")


def test_example_of_classify_failure(load_example: Load) -> None:
    plugins = load_example("lpa_classify_failure")
    binary, other = judge(plugins, b"\x00\x00\x00\x00\x07rest"), judge(plugins, b"{")
    assert isinstance(binary, Rejected)
    assert isinstance(other, Rejected)
    assert binary.failure.details.startswith("binary, perhaps Avro with a schema id: ")
    assert not other.failure.details.startswith("binary")


def test_example_of_replay_transforms(load_example: Load) -> None:
    ((plugin, transform),) = load_example("lpa_replay_transforms").replay_transforms()
    assert (plugin.name, transform.__name__) == ("example", "quotes_as_in_json")
    broken = ReplayRecord(b"{'id': 'e'}", Position("events", 0, 7), failure_reason="json_parse_error")
    assert transform(broken) == b'{"id": "e"}'
    assert transform(attrs.evolve(broken, payload=b"nonsense")) is None


def test_example_of_ignore_rules(load_example: Load) -> None:
    rules = load_example("lpa_ignore_rules").ignore_rules()
    record = b'{"type": "stream_trace", "timestamp": "soon", "data": {"client_source": "%s"}}'
    verdicts = Pipeline(BUILTIN_EVENT_TYPES, ignore_rules=rules).judge(
        RecordBatch("events", 0, [0, 1], [record % b"Load-Test", record % b"app"]), 1
    )
    assert isinstance(verdicts[0], Ignored)
    assert isinstance(verdicts[1], Rejected)


def test_example_of_savepoints(load_example: Load, tmp_path: Path) -> None:
    plugins = load_example("lpa_savepoints")
    claims = tmp_path / "claims"
    claims.mkdir()
    (claims / "000004.sst").write_bytes(b"claims")
    partition = Partition("events", 3)
    savepoint = new_savepoint(Settings(), plugins.plugins, {partition: Commit(42)}, [partition])
    keeper = plugins.savepoints()
    for location in (None, str(tmp_path / "elsewhere")):
        kept = Path(keeper.keep(savepoint, {savepoint.dedup[partition]: claims}, location))
        assert json.loads((kept / "offsets.json").read_text()) == {"events[3]": 42}
        assert (kept / "dedup" / "events-3" / "000004.sst").read_bytes() == b"claims"
    with pytest.raises(SavepointError, match="by hand"):
        keeper.restore(str(kept))


def test_example_of_health_checks(load_example: Load, tmp_path: Path) -> None:
    settings = Settings(lpa=ProcessSettings(data_dir=tmp_path))
    scope = Scope(settings, now_ms=1, since_ms=0)
    runner = CheckRunner(load_example("lpa_health_checks").health_checks(), settings)
    (result,) = runner.run(scope)
    assert result.finding.state is State.NOT_APPLICABLE
    (tmp_path / "temperature").write_text("71")
    (result,) = runner.run(scope)
    assert (result.finding.state, result.finding.value) == (State.WARNING, 71)


def test_example_of_start_checks(load_example: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = load_example("lpa_start_checks")
    start = PlannedStart(Settings(), None, (), "memory://", None, kafka=False, event_types=())
    monkeypatch.setenv("PATH", "")
    (result,) = Examination(plugins.start_checks(start), start).run()
    assert (result.state, result.action) == (StartState.FAILED, "install ffmpeg")


def test_example_of_cli_commands(load_example: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = cyclopts.App(name="lpa", result_action="return_value")
    load_example("lpa_cli_commands").add_commands(app)
    assert app(["where"]) == 1, "there is no such folder yet"
    assert capsys.readouterr().out == f"{tmp_path / 'data'}\n"


def test_no_example_goes_untested() -> None:
    tested = {name.removeprefix("test_example_of_") for name in globals() if name.startswith("test_example_of_")}
    assert {f"lpa_{name}" for name in tested} == set(HOOKS)


def test_the_table_of_annotations_is_that_of_the_kinds_and_its_example_passes() -> None:
    section = PAGE.partition("\n## Models\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ((?:`[A-Z0-9]+`(?:, )?)+) \| (.*?) \| (.*?) \|$", section, re.MULTILINE)
    documented = {name: cells for kinds, *cells in rows for name in re.findall(r"`(\w+)`", kinds)}
    assert set(documented) == {kind.name for kind in Kind}
    for name, cells in documented.items():
        for nullable, cell in zip((False, True), cells, strict=True):
            names = re.findall(r"`(\w+)`", cell)
            for each in set(names) - {"Flag"}:  # that is for models only
                column = Column("a", Kind[name], nullable=nullable, at="a", reads=getattr(model, each))
                EventType("own", tables=(typed_table("own", column, order_by=()),))
            if names:
                column = Column("a", Kind[name], nullable=nullable)
                assert model.annotation_of(column, nullable=nullable) is getattr(model, names[0])
    ((_, code),) = FENCED.findall(section)
    made: dict[str, Any] = {}
    exec(compile(code, "the example of models", "exec", dont_inherit=True), made)
    sensors = [{"name": "a", "celsius": "70.5"}, {"name": "b", "celsius": None}]
    whole = {"id": "1", "type": "rack", "timestamp": 1767873600000, "data": {"rack": "r1", "sensors": sensors}}
    check_event_type(made["EVENT_TYPE"], [whole])
    odd = json.dumps(whole | {"data": {"rack": 7, "sensors": {}}}).encode()
    loose = Pipeline([made["EVENT_TYPE"]]).validate(odd)
    assert isinstance(loose, Accepted)
    assert [(table.name, row) for table, row in loose.rows] == [("racks", ("7", 0))]
    whole_rows = Pipeline([made["EVENT_TYPE"]]).validate(json.dumps(whole).encode())
    assert isinstance(whole_rows, Accepted)
    assert [table.name for table, _ in whole_rows.rows] == ["racks", "rack_readings", "rack_readings"]


SUITES = (archive_suite, dedup_suite, policy_suite, savepoint_suite, sink_suite, source_suite)


def test_the_contract_suites_are_documented_and_no_others() -> None:
    suites = {name for suite in SUITES for name in vars(suite) if re.match(r"\w+Contract$", name)}
    assert set(re.findall(r"`(\w+Contract)`", PAGE)) == {name for name in suites if not name.startswith("_")}
