"""`lpa archive mirror`: every file is at the target, proven, and nothing there is removed."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from tenacity import wait_none

from lpa_core.cli import run
from lpa_core.records import RecordBatch
from lpa_core.sinks.archive import ArchiveError
from lpa_sinks.archive import FileArchive, read_archive
from lpa_sinks.archive.mirror import Mirror, Mirrored
from lpa_sinks.archive.proven_copies import ProvenCopies
from lpa_sinks.archive.storage import Storage, open_storage

NOW = 1_767_900_000_000


def archived(folder: Path, first: int, topic: str = "events") -> None:
    """Add a file of three records to the archive."""
    archive = FileArchive(str(folder / "archive"), folder / "spool")
    archive.recover()
    archive.write(RecordBatch(topic, 0, range(first, first + 3), [b"a" * 200, None, b"\xff"]), NOW + first)
    archive.close()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an archive of three files; it is the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LPA_ARCHIVE_DIR", str(tmp_path / "archive"))
    monkeypatch.delenv("LPA_MIRROR_DIR", raising=False)
    for first, topic in ((0, "events"), (3, "events"), (0, "other/topic")):
        archived(tmp_path, first, topic)
    return tmp_path


@pytest.fixture
def mirror(place: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Run the command, and return what it reports and its exit status."""

    def mirrored(*arguments: str) -> dict[str, Any]:
        status = run(["archive", "mirror", *arguments, "--json"])
        printed = capsys.readouterr()
        assert printed.out, printed.err
        return {**json.loads(printed.out), "status": status}

    return mirrored


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def content(location: Path | str) -> list[Any]:
    return list(read_archive(str(location), wait=wait_none(), attempts=1))


def test_a_mirror_has_every_record_and_takes_only_what_is_new(place: Path, mirror: Callable[..., Any]) -> None:
    done = mirror("copy")
    assert (done["status"], done["copied"], done["unchanged"]) == (0, 3, 0)
    assert done["bytes"] == sum(path.stat().st_size for path in files(place / "archive"))
    assert content("copy") == content("archive") != []

    written = {path: path.stat().st_mtime_ns for path in files(place / "copy")}
    archived(place, 6)
    done = mirror("copy")
    assert (done["status"], done["copied"], done["unchanged"], done["compared"]) == (0, 1, 3, 0)
    assert content("copy") == content("archive")
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_a_mirror_in_an_object_store_has_a_login_of_its_own(
    mirror: Callable[..., Any], bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.setenv(f"MIRROR_{name}", os.environ[name])
        monkeypatch.setenv(name, "http://127.0.0.1:1" if "URL" in name else "nobody")
    monkeypatch.setenv("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true")  # of the archive's store alone
    before = dict(os.environ)
    location = f"{bucket}/some/prefix"
    assert mirror(location)["copied"] == 3
    assert mirror(location, "--recheck", "0s")["compared"] == 3
    assert dict(os.environ) == before

    monkeypatch.delenv("AWS_VIRTUAL_HOSTED_STYLE_REQUEST")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.setenv(name, os.environ[f"MIRROR_{name}"])
    assert content(location) == content("archive")


def test_an_archive_in_an_object_store_is_mirrored_into_a_folder(
    place: Path, mirror: Callable[..., Any], bucket: str
) -> None:
    assert mirror(bucket)["copied"] == 3
    assert mirror("copy", "--archive", bucket)["copied"] == 3
    assert content("copy") == content("archive")


@pytest.mark.parametrize("kind", ["folder", "object store"])
def test_failure_20_a_damaged_copy_is_found_and_replaced(
    place: Path, mirror: Callable[..., Any], bucket: str, kind: str
) -> None:
    location = str(place / "copy") if kind == "folder" else bucket
    mirror(location)
    target = open_storage(location, wait=wait_none(), attempts=1)
    originals = files(place / "archive")
    cut, changed, _ = (path.relative_to(place / "archive").as_posix() for path in originals)
    whole = originals[1].read_bytes()
    target.put(cut, lambda: [originals[0].read_bytes()[:-1]])
    target.put(changed, lambda: [whole[:40], bytes([whole[40] ^ 1]), whole[41:]])

    done = mirror(location)
    assert (done["status"], done["replaced"], done["copied"]) == (0, [cut], 1), "sizes are compared in each run"
    done = mirror(location, "--recheck", "0s")
    assert (done["status"], done["replaced"], done["compared"]) == (0, [changed], 2), "so is content, if told"
    assert content(location) == content("archive")


def test_a_copy_that_was_taken_away_is_made_again_and_what_else_is_there_stays(
    place: Path, mirror: Callable[..., Any]
) -> None:
    mirror("copy")
    gone, moved, _ = files(place / "copy")
    gone.unlink()
    (place / "archive" / moved.relative_to(place / "copy")).unlink()
    (moved.parent / "notes.txt").write_text("mine")
    assert mirror("copy", "--recheck", "0s")["copied"] == 1
    assert gone.exists()
    assert moved.exists(), "the archive may expire what its mirror keeps"
    assert (moved.parent / "notes.txt").exists()


def test_failure_20_a_damaged_original_leaves_its_copy_alone(place: Path, mirror: Callable[..., Any]) -> None:
    mirror("copy")
    original = files(place / "archive")[0]
    whole = original.read_bytes()
    for damage in (whole[:-3], whole[:-3] + b"abc"):
        original.write_bytes(damage)
        done = mirror("copy", "--recheck", "0s")
        assert done["status"] == 1
        (problem,) = done["problems"]
        assert original.name in problem
        assert problem.endswith("copy has a whole copy")
        assert (place / "copy" / original.relative_to(place / "archive")).read_bytes() == whole


def test_what_is_not_whole_is_not_copied_until_it_is(place: Path, mirror: Callable[..., Any]) -> None:
    original = files(place / "archive")[0]
    whole = original.read_bytes()
    original.with_name(original.name + ".tmp").write_bytes(whole)
    original.write_bytes(whole[:-3])
    done = mirror("copy")
    assert (done["status"], done["copied"]) == (1, 2)
    assert original.name in done["problems"][0]
    assert len(files(place / "copy")) == 2

    original.write_bytes(whole)
    done = mirror("copy")
    assert (done["status"], done["copied"]) == (0, 1)


def test_failure_20_a_whole_file_of_another_archive_is_not_replaced(place: Path, mirror: Callable[..., Any]) -> None:
    mirror("copy")
    original = files(place / "archive")[0]
    original.unlink()
    archive = FileArchive(str(place / "archive"), place / "spool-2")
    archive.recover()
    archive.write(RecordBatch("events", 0, range(3), [b"x", b"y", b"z"]), NOW)
    archive.close()
    assert original.exists(), "under the same name"
    copy = place / "copy" / original.relative_to(place / "archive")
    before = copy.read_bytes()
    done = mirror("copy")
    assert done["status"] == 1
    assert "each archive needs a place of its own" in done["problems"][0]
    assert copy.read_bytes() == before


def test_failure_20_what_was_proven_may_be_lost(place: Path, mirror: Callable[..., Any]) -> None:
    mirror("copy")
    (proven,) = (place / "lpa-data" / "mirrors").glob("*.ndjson")
    proven.write_bytes(proven.read_bytes()[:-5])
    done = mirror("copy")
    assert (done["copied"], done["compared"], done["unchanged"]) == (0, 1, 2)
    proven.unlink()
    assert mirror("copy")["compared"] == 3


def test_two_do_not_copy_into_one_mirror(place: Path, mirror: Callable[..., Any], capsys: Any) -> None:
    mirror("copy")
    (proven,) = (place / "lpa-data" / "mirrors").glob("*.ndjson")
    with ProvenCopies(proven):
        assert run(["archive", "mirror", "copy"]) == 1
    assert "another process copies into this mirror" in capsys.readouterr().err
    assert mirror("copy")["unchanged"] == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["archive"], "need places apart"),
        (["archive/inner"], "need places apart"),
        ([".", "--archive", "archive"], "need places apart"),
        (["s3://bucket/raw/mirror", "--archive", "s3://bucket/raw"], "need places apart"),
        ([], "set LPA_MIRROR_DIR"),
        (["copy", "--every", "0s"], "at least 1s"),
        (["copy", "--every", "hourly"], "write one such as 90s"),
        (["copy", "--recheck", "999999999w", "--every", "999999999w"], "at most 366d"),
        (["copy", "--archive", "nowhere"], "name the folder of the archive"),
    ],
)
def test_what_cannot_be_is_refused(place: Path, arguments: list[str], said: str, capsys: Any) -> None:
    before = files(place / "archive")
    assert run(["archive", "mirror", *arguments]) in (1, 2)
    assert said in capsys.readouterr().err
    assert files(place / "archive") == before


def test_settings_name_both_places_and_a_schedule_repeats(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("LPA_MIRROR_DIR", "copy")
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        archived(place, 6)
        if len(waited) > 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", wait)
    with pytest.raises(SystemExit):
        run(["archive", "mirror", "--every", "90m"])
    assert waited == [5400, 5400]
    assert content("copy") == content("archive")
    told = capsys.readouterr().out
    assert len(re.findall("files? copied", told)) == 2
    assert (place / "lpa-data" / "mirrors" / "finished").exists()


@attrs.define
class Odd:
    """A storage in a folder, some of whose answers are given here."""

    inner: Storage
    reads: list[Callable[[bytes], bytes]] = attrs.field(factory=list)
    """What the next reads make of a file."""
    sizes_before: dict[str, int] = attrs.field(factory=dict)
    """What the next listing says of sizes."""

    @property
    def name(self) -> str:
        return self.inner.name

    def check(self) -> None:
        self.inner.check()

    def put(self, path: str, content: Callable[[], Iterable[bytes]]) -> None:
        self.inner.put(path, content)

    def folders(self, path: str) -> list[str]:
        return self.inner.folders(path)

    def files(self, path: str) -> list[str]:
        return self.inner.files(path)

    def sizes(self, path: str) -> Mapping[str, int]:
        found = {name: self.sizes_before.get(name, size) for name, size in self.inner.sizes(path).items()}
        self.sizes_before = {}
        return found

    def read(self, path: str) -> Iterator[bytes]:
        change = self.reads.pop(0) if self.reads else bytes
        yield change(b"".join(self.inner.read(path)))

    def remove(self, path: str) -> None:
        self.inner.remove(path)


def mirrored(place: Path, source: Storage, target: Storage) -> Mirrored:
    with ProvenCopies(place / "proven.ndjson") as proven:
        return Mirror(source, target, proven, again_after_ms=0, clock=lambda: time.time_ns() // 1_000_000).run()


@pytest.fixture(params=["folder", "object store"])
def target(place: Path, bucket: str, request: pytest.FixtureRequest) -> Storage:
    return open_storage(str(place / "copy") if request.param == "folder" else bucket, wait=wait_none(), attempts=2)


def test_failure_20_a_file_that_grows_is_left_to_the_next_run(place: Path, target: Storage) -> None:
    inner = open_storage(str(place / "archive"), wait=wait_none(), attempts=1)
    path = files(place / "archive")[0].relative_to(place / "archive").as_posix()
    growing = Odd(inner, [lambda whole: whole[:-3]], {path: 5})
    done = mirrored(place, growing, target)
    assert (done.growing, done.problems, done.copied) == ([path], [], 2)
    done = mirrored(place, inner, target)
    assert (done.growing, done.copied, done.compared) == ([], 1, 2)


def test_failure_20_a_file_that_changes_between_its_check_and_its_copy_does_not_appear(
    place: Path, target: Storage
) -> None:
    inner = open_storage(str(place / "archive"), wait=wait_none(), attempts=1)
    path = files(place / "archive")[0].relative_to(place / "archive").as_posix()
    done = mirrored(place, Odd(inner, [bytes, lambda whole: whole + b"more"]), target)
    assert (done.growing, done.copied) == ([path], 2)
    assert path not in target.files(path.rpartition("/")[0])
    assert mirrored(place, inner, target).copied == 1


def test_failure_20_a_target_that_keeps_something_else_is_an_error_and_nothing_is_proven(
    place: Path, target: Storage
) -> None:
    source = open_storage(str(place / "archive"), wait=wait_none(), attempts=1)
    with pytest.raises(ArchiveError, match="does not come back as it was sent"):
        mirrored(place, source, Odd(target, [lambda whole: whole[:-1]]))
    assert mirrored(place, source, target).copied == 2
