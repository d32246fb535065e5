"""Savepoints in a folder or an object store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, final

from tenacity.wait import wait_base, wait_random_exponential

from lpa_core.delivery.archive import ArchiveError
from lpa_core.savepoints import Savepoint, SavepointError, StoredSavepoint
from lpa_core.uris import local_path, scheme
from lpa_ops.savepoint.manifest import DamagedManifest, Manifest, SavedFile, decode, encode
from lpa_sinks.archive.durable import write_file
from lpa_sinks.archive.storage import Storage, open_storage

MANIFEST: Final = "manifest.json"
"""Written last: a savepoint without one was broken off."""
ATTEMPTS: Final = 5
_WAIT: Final = wait_random_exponential(multiplier=0.5, max=10)
_CHUNK: Final = 1 << 20


@final
class FileSavepointStore:
    """Implements lpa_core.savepoints.SavepointStore, with a folder for each savepoint.

    Args:
        root: a folder, or the URL of an object store, that holds savepoints.
    """

    def __init__(self, root: str, *, wait: wait_base = _WAIT, attempts: int = ATTEMPTS) -> None:
        self._root = _absolute(root)
        with _errors(self._root):
            self._storage: Storage = open_storage(self._root, wait=wait, attempts=attempts)

    def create(self, savepoint: Savepoint, folders: Mapping[str, Path]) -> str:
        location = self._location(savepoint.id)
        files: dict[str, SavedFile] = {}
        with _errors(location):
            self._storage.check()
            for name, folder in folders.items():
                for path in sorted(each for each in folder.rglob("*") if each.is_file()):
                    saved = f"{name}/{path.relative_to(folder).as_posix()}"
                    files[saved] = _described(path)
                    self._storage.put(f"{savepoint.id}/{saved}", lambda path=path: _chunks(path))  # type: ignore[misc]
            manifest = encode(Manifest(savepoint, files))
            self._storage.put(f"{savepoint.id}/{MANIFEST}", lambda: [manifest])
        return location

    def list(self) -> Sequence[StoredSavepoint]:
        with _errors(self._root):
            if "://" not in self._root and not Path(self._root).exists():
                return ()
            folders = self._storage.folders("")
            whole = [folder for folder in folders if f"{folder}/{MANIFEST}" in self._storage.files(folder)]
        found = [self._listed(folder) for folder in whole]
        return sorted(found, key=lambda each: each.savepoint.created_ms if each.savepoint else 0)

    def open(self, location: str, target: Path) -> Savepoint:
        """``location`` is one below the root."""
        folder = location.rstrip("/").rpartition("/")[2]
        manifest = self._manifest(folder)
        location, paths = self._location(folder), [f"{folder}/{path}" for path in manifest.files]
        try:
            target.mkdir(parents=True)
            present = {found for each in {_folder(path) for path in paths} for found in self._files(each)}
            for path, saved in manifest.files.items():
                if f"{folder}/{path}" not in present:
                    raise SavepointError(f"{location}/{path} is missing: the savepoint is damaged, use another")
                self._fetch(folder, path, saved, target / path)
        except OSError as error:
            raise SavepointError(
                f"{error.filename or target} cannot be written: {error.strerror}; make it a writable folder with room"
            ) from None
        for name in manifest.savepoint.dedup.values():
            if not (target / name).is_dir():
                raise SavepointError(f"{location} is damaged: it holds no claims in {name}; use another savepoint")
        return manifest.savepoint

    def _fetch(self, folder: str, path: str, saved: SavedFile, target: Path) -> None:
        place = f"{self._location(folder)}/{path}"
        digest = hashlib.sha256()

        def chunks() -> Iterator[bytes]:
            with _errors(place):
                for chunk in self._storage.read(f"{folder}/{path}"):
                    digest.update(chunk)
                    yield chunk

        target.parent.mkdir(parents=True, exist_ok=True)
        size = write_file(target, chunks())
        if size != saved.size:
            raise SavepointError(
                f"{place} has {size:,} bytes instead of {saved.size:,}: the savepoint is damaged, use another"
            )
        if digest.hexdigest() != saved.sha256:
            raise SavepointError(f"{place} does not match its checksum: the savepoint is damaged, use another")

    def _files(self, folder: str) -> Sequence[str]:
        with _errors(self._root):
            return self._storage.files(folder)

    def _manifest(self, folder: str) -> Manifest:
        place = f"{self._location(folder)}/{MANIFEST}"
        if f"{folder}/{MANIFEST}" not in self._files(folder):
            raise SavepointError(
                f"{self._location(folder)} is no whole savepoint: it has no {MANIFEST}; see `lpa savepoint list`"
            )
        with _errors(place):
            text = b"".join(self._storage.read(f"{folder}/{MANIFEST}"))
        try:
            return decode(text)
        except DamagedManifest as damage:
            raise SavepointError(f"{place}: {damage}: use another savepoint") from None

    def _listed(self, folder: str) -> StoredSavepoint:
        location = self._location(folder)
        try:
            manifest = self._manifest(folder)
        except SavepointError as error:
            return StoredSavepoint(location, None, problem=str(error))
        return StoredSavepoint(location, manifest.savepoint, sum(saved.size for saved in manifest.files.values()))

    def _location(self, folder: str) -> str:
        return f"{self._root.rstrip('/')}/{folder}"


def store_of(location: str) -> FileSavepointStore:
    """The store that holds the savepoint at this location. Raises SavepointError."""
    return FileSavepointStore(_folder(_absolute(location).rstrip("/")))


def _absolute(location: str) -> str:
    return str(local_path(location).absolute()) if scheme(location) == "file" else location


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _described(path: Path) -> SavedFile:
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(path):
        digest.update(chunk)
        size += len(chunk)
    return SavedFile(size, digest.hexdigest())


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


@contextmanager
def _errors(place: str) -> Iterator[None]:
    try:
        yield
    except ArchiveError as error:
        raise SavepointError(f"savepoints: {str(error).removeprefix('archive ')}") from None
    except OSError as error:
        raise SavepointError(f"{error.filename or place}: {error.strerror}") from None
