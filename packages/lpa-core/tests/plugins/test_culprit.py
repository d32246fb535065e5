"""Who is named when a plugin's object raises, or returns what its contract does not allow, in the middle of a job."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from lpa_core.cli import main, run

Install = Callable[..., EntryPoint]

PLUGIN = """
import cyclopts
from lpa_core.plugin import MemoryDedupStore, Position, RecordBatch, hookimpl, doubles

class Sink(doubles.MemorySink):
    pass

class Store:
    def __init__(self): self._store = MemoryDedupStore(1000)
    def claim(self, *given): return self._store.claim(*given)
    def release(self, *given): return self._store.release(*given)
    def snapshot(self, target): ...
    def statistics(self): return self._store.statistics()
    def close(self): ...

class Source:
    topic, partition, repeatable, size, bytes_read = "t", 0, False, None, 0
    def seek(self, offset, resume): ...
    def read(self, max_records, max_bytes): return None
    def close(self): ...

class Archive:
    def recover(self): ...
    def write(self, batch, batch_time): ...
    def flush_due(self, now_ms): ...
    def close(self): ...

own = cyclopts.App(name="own")
@own.default
def command(): ...

def helper(): raise KeyError("missing")

CHANGE

@hookimpl
def lpa_sinks(): return {"own": lambda uri, settings: Sink()}
@hookimpl
def lpa_dedup_stores(): return {"own": lambda uri, settings: Store()}
@hookimpl
def lpa_sources(): return {"own": lambda uri, settings: Source()}
@hookimpl
def lpa_archives(): return {"own": lambda uri, spool, settings: Archive()}
@hookimpl
def lpa_cli_commands(): return [own]
"""
EVENT = (
    b'{"id":"e","type":"stream_trace","timestamp":1767873600000,"data":{"stream_id":"s","request_id":"r","type":"t"}}\n'
)
INGEST = ("ingest", "FILE", "--sink", "own://", "--dedup", "memory://")
FROM_OWN = ("ingest", "own://", "--sink", "own://", "--dedup", "memory://")
CLAIMING = ("ingest", "FILE", "--sink", "own://", "--dedup", "own://")
REFUSING = "from lpa_core.plugin import RowsRefused\n"
ARCHIVING = (*INGEST, "--archive", "own://")


def method(kind: str, name: str, body: str) -> str:
    return f"def {name}(self, *given): {body}\n{kind}.{name} = {name}"


CASES: dict[str, tuple[str, tuple[str, ...], str, str]] = {
    "sink write": (method("Sink", "write", "1 / 0"), INGEST, "lpa_sinks", "write raised ZeroDivisionError"),
    "sink write by a helper": (method("Sink", "write", "helper()"), INGEST, "lpa_sinks", "helper raised KeyError"),
    "sink write in a library": (
        "import json\n" + method("Sink", "write", "json.loads('{')"),
        INGEST,
        "lpa_sinks",
        "write raised JSONDecodeError",
    ),
    "sink exits": (method("Sink", "write", "raise SystemExit(0)"), INGEST, "lpa_sinks", "write raised SystemExit"),
    "sink open": (
        method("Sink", "open", "raise TypeError('a\\nb')"),
        INGEST,
        "lpa_sinks",
        "open raised TypeError: a b",
    ),
    "sink close": (method("Sink", "close", "raise TypeError('no')"), INGEST, "lpa_sinks", "close raised TypeError"),
    "sink message": (
        "class Odd(Exception):\n    def __str__(self): raise ValueError\n" + method("Sink", "write", "raise Odd"),
        INGEST,
        "lpa_sinks",
        "write raised Odd: its message cannot be read",
    ),
    "source property": (
        "Source.topic = property(helper_of_property := lambda self: 1 / 0)",
        FROM_OWN,
        "lpa_sources",
        "raised ZeroDivisionError",
    ),
    "source read": (method("Source", "read", "return given[5]"), FROM_OWN, "lpa_sources", "read raised IndexError"),
    "source list": (
        method("Source", "read", "return [b'{}']"),
        FROM_OWN,
        "lpa_sources",
        "read returned a list: it must return",
    ),
    "source empty": (
        method("Source", "read", "return RecordBatch('t', 0, [], [])"),
        FROM_OWN,
        "lpa_sources",
        "read returned a RecordBatch without records",
    ),
    "source text": (
        method("Source", "read", "return RecordBatch('t', 0, [0], ['{}'])"),
        FROM_OWN,
        "lpa_sources",
        "read returned a RecordBatch that has a str for a value",
    ),
    "source offsets": (
        method("Source", "read", "return RecordBatch('t', 0, [0, 1], [b'{}'])"),
        FROM_OWN,
        "lpa_sources",
        "with more values than offsets, or fewer",
    ),
    "store None": (
        method("Store", "claim", "return None"),
        CLAIMING,
        "lpa_dedup_stores",
        "claim returned None: it must return",
    ),
    "store short": (method("Store", "claim", "return []"), CLAIMING, "lpa_dedup_stores", "claim returned a list of 0"),
    "store bool": (
        method("Store", "claim", "return [True]"),
        CLAIMING,
        "lpa_dedup_stores",
        "claim returned a list that has a bool",
    ),
    "sink disk": (
        method("Sink", "write", "raise OSError(28, 'No space left on device')"),
        INGEST,
        "lpa_sinks",
        "No space left on device: make room on the disk",
    ),
    "sink permission": (
        method("Sink", "write", "raise PermissionError(13, 'Permission denied', '/x')"),
        INGEST,
        "lpa_sinks",
        "/x: Permission denied: give this user",
    ),
    "sink refuses another row": (
        REFUSING + method("Sink", "write", "raise RowsRefused(given[0].table.name, {999: 'bad'})"),
        INGEST,
        "lpa_sinks",
        "write raised RowsRefused for the row 999: it must name rows of the block",
    ),
    "sink refuses a row counted from the end": (
        REFUSING + method("Sink", "write", "raise RowsRefused(given[0].table.name, {-1: 'bad'})"),
        INGEST,
        "lpa_sinks",
        "write raised RowsRefused for the row -1",
    ),
    "sink refuses rows of another table": (
        REFUSING + method("Sink", "write", "raise RowsRefused('other', {0: 'bad'})"),
        INGEST,
        "lpa_sinks",
        "write raised RowsRefused for the table 'other'",
    ),
    "sink refuses nothing": (
        REFUSING + method("Sink", "write", "raise RowsRefused(given[0].table.name, {})"),
        INGEST,
        "lpa_sinks",
        "write raised RowsRefused without rows",
    ),
    "sink refuses without a reason": (
        REFUSING + method("Sink", "write", "raise RowsRefused(given[0].table.name, {0: None})"),
        INGEST,
        "lpa_sinks",
        "write raised RowsRefused with a reason that is not text",
    ),
    "store raises": (method("Store", "claim", "1 / 0"), CLAIMING, "lpa_dedup_stores", "claim raised ZeroDivisionError"),
    "archive": (method("Archive", "write", "1 / 0"), ARCHIVING, "lpa_archives", "write raised ZeroDivisionError"),
    "command": (
        "@own.command\ndef fail(): return {}['missing']",
        ("own", "fail"),
        "lpa_cli_commands",
        "fail raised KeyError: 'missing'",
    ),
}


@pytest.mark.parametrize(("change", "arguments", "hook", "said"), CASES.values(), ids=CASES.keys())
def test_failure_30_one_line_names_the_plugin_the_hook_and_the_function(
    change: str,
    arguments: tuple[str, ...],
    hook: str,
    said: str,
    install: Install,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "events.ndjson").write_bytes(EVENT)
    install("lpa-own", PLUGIN.replace("CHANGE", change), plugin="own")
    install("lpa-innocent", PLUGIN.replace("CHANGE", "").replace('"own', '"innocent'), plugin="innocent")
    status = run([str(tmp_path / "events.ndjson") if each == "FILE" else each for each in arguments])
    printed = capsys.readouterr().err
    assert status in (1, 2)
    (line,) = [each for each in printed.splitlines() if each.startswith("lpa: ")]
    assert line.startswith(f"lpa: plugin own of lpa-own: {hook}: ")
    assert said in line
    assert "innocent" not in printed
    assert "Traceback" not in printed


def test_failure_30_a_plugin_that_is_well_runs_as_before(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events.ndjson").write_bytes(EVENT)
    install("lpa-own", PLUGIN.replace("CHANGE", "@own.command\ndef leave(): raise SystemExit(3)"), plugin="own")
    assert run(["ingest", "events.ndjson", "--sink", "own://", "--dedup", "own://", "--archive", "own://"]) == 0
    assert run(["own"]) == 0
    with pytest.raises(SystemExit, match="3"):
        run(["own", "leave"])


@pytest.mark.parametrize(("answer", "ends_with"), [(256, 1), (300, 1), (-1, 1), (7, 7), (None, 0)])
def test_failure_30_no_status_of_a_plugins_command_is_read_as_another(
    answer: int | None,
    ends_with: int,
    install: Install,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("standard_streams.secure", "standard_streams.flush", "interrupts.install"):
        monkeypatch.setattr(f"lpa_core.{name}", lambda: None)
    left: list[int] = []
    monkeypatch.setattr("lpa_core.interrupts.leave", left.append)
    install("lpa-own", PLUGIN.replace("CHANGE", f"@own.command\ndef answer(): return {answer}"), plugin="own")
    main(["own", "answer"])
    assert left == [ends_with]
    told = f"lpa: the command answered {answer}: an exit status is 0 to 255\n"
    assert capsys.readouterr().err == (told if ends_with == 1 else "")


def test_failure_30_a_fault_of_ours_is_put_on_no_plugin(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    install("lpa-own", PLUGIN.replace("CHANGE", ""), plugin="own")
    monkeypatch.setattr("lpa_core.commands.plugins.print_list", lambda *given: 1 / 0)
    assert run(["plugins"]) == 1
    (line,) = [each for each in capsys.readouterr().err.splitlines() if each.startswith("lpa: ")]
    assert line.startswith("lpa: unexpected ZeroDivisionError: division by zero; this is a fault in lpa: ")
