"""Savepoints in folders and object stores: whole, or refused by the name of what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from tenacity import wait_none

from lpa_core.savepoints import Savepoint, SavepointError
from lpa_ops.savepoint.store import FileSavepointStore, store_of

NAME = "dedup/streaming_events-0"


def store(root: str) -> FileSavepointStore:
    return FileSavepointStore(root, wait=wait_none(), attempts=2)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_savepoint_comes_back_as_it_was(root: str, savepoint: Savepoint, claims: Path, tmp_path: Path) -> None:
    location = store(root).create(savepoint, {NAME: claims})
    assert store_of(location).open(location, tmp_path / "back") == savepoint
    assert contents(tmp_path / "back" / NAME) == contents(claims)
    assert len(contents(claims)) == 4
    (listed,) = store(root).list()
    assert (listed.location, listed.savepoint, listed.problem) == (location, savepoint, "")
    assert listed.bytes == sum(map(len, contents(claims).values()))


def test_savepoints_are_listed_oldest_first(root: str, savepoint: Savepoint) -> None:
    assert list(store(root).list()) == []
    for id_, created in (("a", 3), ("b", 1), ("c", 2)):
        store(root).create(attrs.evolve(savepoint, id=id_, created_ms=created, dedup={}), {})
    assert [each.savepoint.id for each in store(root).list() if each.savepoint] == ["b", "c", "a"]


def test_one_that_was_broken_off_is_not_listed(root: str, savepoint: Savepoint, claims: Path, tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    class BreaksOff(dict[str, Path]):
        def items(self):  # type: ignore[no-untyped-def]  # as dict's
            yield from super().items()
            raise Killed

    kept = store(root)
    with pytest.raises(Killed):
        kept.create(savepoint, BreaksOff({NAME: claims}))
    assert list(kept.list()) == []
    with pytest.raises(SavepointError, match=f"{savepoint.id} is not a whole savepoint"):
        kept.open(f"{root}/{savepoint.id}", tmp_path / "back")


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (truncate, "has 1,279,999 bytes instead of 1,280,000: the savepoint is damaged"),
        (flip, "does not match its checksum: the savepoint is damaged"),
        (Path.unlink, "is missing: the savepoint is damaged"),
    ],
)
def test_a_damaged_file_is_named(
    damage: Callable[[Path], None], said: str, savepoint: Savepoint, claims: Path, tmp_path: Path
) -> None:
    root = str(tmp_path / "kept")
    location = store(root).create(savepoint, {NAME: claims})
    damage(Path(location, NAME, "below", "000012.sst"))
    with pytest.raises(SavepointError) as refused:
        store(root).open(location, tmp_path / "back")
    assert str(refused.value).startswith(f"{location}/{NAME}/below/000012.sst {said}")


def test_a_manifest_that_was_changed_is_refused_and_listed_with_the_problem(
    savepoint: Savepoint, claims: Path, tmp_path: Path
) -> None:
    location = store(str(tmp_path / "kept")).create(savepoint, {NAME: claims})
    manifest = Path(location, "manifest.json")
    written = manifest.read_text()
    spoiled = {
        written.replace('"offset": 42', '"offset": 43'): "its checksum does not match",
        written[:-20]: "it cannot be read",
        written.replace('"format": 1', '"format": 2'): "it has the format 2, and this version of lpa reads 1",
        "[]": "it cannot be read",
    }
    for text, said in spoiled.items():
        assert text != written
        manifest.write_text(text)
        with pytest.raises(SavepointError) as refused:
            store_of(location).open(location, tmp_path / "back")
        assert str(refused.value).startswith(f"{location}/manifest.json: {said}")
        assert "\n" not in str(refused.value)
        (listed,) = store(str(tmp_path / "kept")).list()
        assert (listed.savepoint, listed.problem) == (None, str(refused.value))
    assert not (tmp_path / "back").exists()


def test_no_file_is_written_outside_the_target(savepoint: Savepoint, claims: Path, tmp_path: Path) -> None:
    """A manifest as somebody would forge it: the checksum is right."""
    location = store(str(tmp_path / "kept")).create(savepoint, {"../../outside": claims})
    with pytest.raises(SavepointError, match="names files outside the savepoint"):
        store_of(location).open(location, tmp_path / "a" / "b" / "back")


def test_no_secret_and_no_key_is_in_a_savepoint(savepoint: Savepoint, tmp_path: Path) -> None:
    location = store(str(tmp_path)).create(attrs.evolve(savepoint, dedup={}), {})
    assert set(json.loads(Path(location, "manifest.json").read_text())) == {
        *("format", "id", "created_ms", "group", "partitions", "note", "settings_fingerprint", "versions", "files"),
        "checksum",
    }


def test_a_bucket_that_does_not_exist_is_named(bucket: str, savepoint: Savepoint) -> None:
    with pytest.raises(SavepointError, match="savepoints s3://no-such-bucket/x: the bucket does not exist"):
        store("s3://no-such-bucket/x").create(savepoint, {})


def test_a_folder_that_cannot_be_written_is_named(savepoint: Savepoint, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SavepointError, match=f"{tmp_path / 'file'}"):
        store(str(tmp_path / "file")).create(savepoint, {})
