"""What ``lpa`` says when it cannot do as it is told: one line that names the thing and the remedy; no traceback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from lpa_core.cli import run
from lpa_core.settings.loading import described

IN_MEMORY = ("--sink", "void://", "--dedup", "memory://")
EVENT = (
    b'{"id": "%d", "type": "stream_trace", "timestamp": 1767873600000,'
    b' "data": {"type": "t", "stream_id": "s", "request_id": "r"}}\n'
)

VOID_SINK = """
from lpa_core.plugins.hookspecs import hookimpl
from lpa_core.testing.doubles import MemorySink

@hookimpl
def lpa_sinks():
    return {"void": lambda uri, settings: MemorySink(), "faulty": lambda uri, settings: 1 / 0}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, default settings, and beside the core one plugin: a sink that keeps rows in memory."""
    site = tmp_path / "site"
    information = site / "void_sink-1.dist-info"
    information.mkdir(parents=True)
    (site / "void_sink.py").write_text(VOID_SINK)
    (information / "METADATA").write_text("Metadata-Version: 2.4\nName: void-sink\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[lpa]\nvoid = void_sink\n")
    monkeypatch.syspath_prepend(site)
    monkeypatch.delitem(sys.modules, "void_sink", raising=False)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for setting in described():
        monkeypatch.delenv(setting.variable, raising=False)
    monkeypatch.setenv("LPA_PLUGINS_DISABLED", "sinks,replay,flink,ops")
    return work


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit status and the line on standard error, where there is nothing else."""
    status = run(list(arguments))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1, printed.err
    return status, printed.err.removesuffix("\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["nonsense"],
            'lpa: there is no command "lpa nonsense"; lpa has config, doctor, generate, ingest, plugins, tap, topics, '
            "types; see lpa --help",
        ),
        (["topics", "ingest"], 'lpa: there is no command "lpa topics ingest"; lpa topics has apply, show; '),
        (
            ["topics", "--sink", "x"],
            'lpa: "lpa topics" takes no --sink without a command; lpa topics has apply, show; see lpa topics --help',
        ),
        (["topcis", "show"], 'there is no command "lpa topcis": the nearest is "lpa topics"; lpa has config, doctor'),
        (
            ["topics", "aply"],
            'lpa: there is no command "lpa topics aply": the nearest is "lpa topics apply"; lpa topics has apply, '
            "show; see lpa topics --help",
        ),
        (["apply"], 'lpa: there is no command "lpa apply": the nearest is "lpa topics apply"; lpa has config, '),
        (["ingest", "--frob"], 'Invalid value "--frob" for SOURCE. there is no option --frob; see lpa ingest --help'),
        (["ingest", "a.ndjson", "--frob"], "lpa: Unknown option: --frob; see lpa ingest --help"),
        (
            ["ingest", "a.ndjson", "b.ndjson", "c.ndjson"],
            'lpa: "lpa ingest" takes only SOURCE: leave out "b.ndjson", "c.ndjson"; see lpa ingest --help',
        ),
        (["topics", "show", "all"], 'lpa: "lpa topics show" takes no argument, only options: leave out "all"; see lpa'),
        (["ingest", "--sink"], "parameter --sink requires an argument; see lpa ingest --help"),
        (["plugins", "new"], 'lpa: "lpa plugins new" needs NAME: of the plugin: lower-case letters, digits and single'),
        (["generate"], "give --events, or --rate for events as of now; see lpa generate --help"),
        (["generate", "--events", "many"], 'Invalid value for --events: unable to convert "many" into int'),
        (["generate", "--events", "-1"], "see lpa generate --help"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, line = refusal(capsys, *arguments)
    assert status == 2
    assert line.startswith("lpa: ")
    assert said in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["http://host/a"], "lpa: no source for http:// is installed (there are: -, file)"),
        (["a.ndjson", "--sink", "ftp://x"], "lpa: no sink for ftp:// is installed (there are: faulty, void)"),
        (["a.ndjson", "--sink", "rows"], "lpa: no sink for file:// is installed (there are: faulty, void)"),
        (["a.ndjson", "--sink", "void://", "--dedup", "etcd://x"], "lpa: no dedup store for etcd:// is installed"),
        (["a.ndjson", *IN_MEMORY, "--archive", "ftp://x"], "lpa: no archive for ftp:// is installed"),
    ],
)
def test_an_unknown_scheme(arguments: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.ndjson").write_bytes(EVENT % 1)
    status, line = refusal(capsys, "ingest", *arguments)
    assert status == 2
    assert line.startswith(said)
    assert line.endswith("; check the URI, or install its plugin")


def test_a_missing_file(capsys: pytest.CaptureFixture[str]) -> None:
    status, line = refusal(capsys, "ingest", "none.ndjson", *IN_MEMORY)
    assert (status, line) == (1, "lpa: none.ndjson does not exist: check the path")


@pytest.mark.parametrize("name", [".", "..", "there", "file://there"])
def test_a_folder_in_the_place_of_a_file(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "there").mkdir()
    status, line = refusal(capsys, "ingest", name, *IN_MEMORY)
    shown = name.removeprefix("file://")
    assert (status, line) == (1, f"lpa: {shown} is a folder: name a file of newline-delimited JSON")


def test_a_name_that_no_file_can_have(capsys: pytest.CaptureFixture[str]) -> None:
    status, line = refusal(capsys, "ingest", "a" * 300, *IN_MEMORY)
    assert (status, line) == (1, f"lpa: {'a' * 300} cannot be read: File name too long")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.ndjson.gz", "a.ndjson.zst"])
def test_a_truncated_archive_gives_its_whole_lines_and_then_says_where_it_breaks_off(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["generate", "--events", "30000", "--output", name]) == 0
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    capsys.readouterr()
    status, line = refusal(capsys, "ingest", name, *IN_MEMORY)
    assert status == 1
    assert line.startswith(f"lpa: {name} breaks off after byte ")
    assert line.endswith("all whole lines before that were read; get the file whole and run again")


def test_a_file_that_is_no_longer_what_it_was(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "a.ndjson"
    file.write_bytes(EVENT % 1)
    assert run(["ingest", "a.ndjson", *IN_MEMORY]) == 0
    file.write_bytes(EVENT % 2)
    capsys.readouterr()
    status, line = refusal(capsys, "ingest", "a.ndjson", *IN_MEMORY)
    assert status == 1
    assert line.startswith("lpa: a.ndjson no longer holds what was read from it before")
    assert line.endswith("Give a new file a new name")


@pytest.mark.parametrize("place", ["/proc/nowhere", "a.ndjson/below"])
def test_an_unwritable_data_folder(
    place: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.ndjson").write_bytes(EVENT % 1)
    monkeypatch.setenv("LPA_DATA_DIR", place)
    status, line = refusal(capsys, "ingest", "a.ndjson", *IN_MEMORY)
    assert status == 1
    assert line.startswith(f"lpa: the checkpoint folder {folder / place}/checkpoints cannot be used: ")
    assert line.endswith("; make it writable or set LPA_DATA_DIR")


def test_a_damaged_checkpoint(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.ndjson").write_bytes(EVENT % 1)
    assert run(["ingest", "a.ndjson", *IN_MEMORY]) == 0
    (checkpoint,) = (folder / "lpa-data" / "checkpoints").glob("*.json")
    checkpoint.write_bytes(b"{")
    capsys.readouterr()
    status, line = refusal(capsys, "ingest", "a.ndjson", *IN_MEMORY)
    assert status == 1
    assert line.startswith(
        f"lpa: the checkpoint {checkpoint} is damaged: bring back a backup (`lpa backup restore`), or "
    )


def test_a_fault_of_a_plugin_is_a_line_too_and_its_trace_is_there_when_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.ndjson").write_bytes(EVENT % 1)
    status, line = refusal(capsys, "ingest", "a.ndjson", "--sink", "faulty://")
    assert status == 1
    assert line.startswith("lpa: plugin ")
    monkeypatch.setenv("LPA_LOG_LEVEL", "debug")
    assert run(["ingest", "a.ndjson", "--sink", "faulty://"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_wrong_setting_stops_every_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUALITY_DEDUP_TTL_MINUTES", "a day")
    for command in (["plugins"], ["ingest", "a.ndjson"], ["--help"]):
        status, line = refusal(capsys, *command)
        assert status == 2
        assert line == "lpa: QUALITY_DEDUP_TTL_MINUTES='a day': expected a whole number of at least 1, at most 5256000"


def test_a_broken_settings_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "lpa.toml").write_text("[lpa\n")
    status, line = refusal(capsys, "plugins")
    assert status == 2
    assert line.startswith("lpa: lpa.toml cannot be read as TOML: ")


def test_nothing_is_left_behind_where_the_source_or_the_settings_are_wrong(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["ingest", "none.ndjson"]) == 1
    monkeypatch.setenv("LPA_LOG_LEVEL", "loud")
    assert run(["ingest", "none.ndjson"]) == 2
    assert capsys.readouterr().err.count("\n") == 2
    assert list(folder.iterdir()) == []


def test_json_is_all_there_is_on_standard_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.ndjson").write_bytes(EVENT % 1 + EVENT % 1 + b"nonsense\n")
    assert run(["ingest", "a.ndjson", "--json", *IN_MEMORY]) == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    counts = {name: report[name] for name in ("read", "accepted", "dead_lettered", "quarantined")}
    assert counts == {"read": 3, "accepted": 1, "dead_lettered": 1, "quarantined": 1}
    assert printed.err == ""


def test_a_name_with_brackets_is_shown_as_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "events[red].ndjson").write_bytes(EVENT % 1)
    assert run(["ingest", "events[red].ndjson", *IN_MEMORY]) == 0
    assert capsys.readouterr().out.startswith("events[red].ndjson")


def test_standard_input_is_read_where_the_source_is_a_hyphen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = EVENT % 1 + EVENT % 2
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    assert run(["ingest", "-", "--json", *IN_MEMORY]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["read"], report["accepted"]) == (2, 2)


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    lpa = [sys.executable, "-c", "from lpa_core.cli import main; main()"]
    with subprocess.Popen(
        [*lpa, "generate", "--events", "20000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "LPA_LOG_LEVEL": "error"},
    ) as generating:
        assert generating.stdout is not None
        assert generating.stderr is not None
        generating.stdout.readline()
        generating.stdout.close()
        said = generating.stderr.read()
    assert said == b""
    assert generating.returncode == 1
