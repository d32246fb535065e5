"""Bundles of files in a folder or an object store."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, final

from tenacity.wait import wait_base, wait_random_exponential

from lpa_core.durable import write_file
from lpa_core.sinks.archive import ArchiveError
from lpa_core.uris import local_path, scheme
from lpa_ops.bundle.manifest import SavedFile
from lpa_sinks.archive.storage import Storage, open_storage

MANIFEST: Final = "manifest.json"
"""Written last: a bundle without one was interrupted."""
ATTEMPTS: Final = 5
WAIT: Final = wait_random_exponential(multiplier=0.5, max=10)
_CHUNK: Final = 1 << 20


@final
class BundleStore:
    """Keeps bundles, each in a folder of its own below the root.

    Args:
        root: a folder, or the URL of an object store.
        what: what a bundle is called, such as "savepoint".
        error: raised where anything is wrong, with a line for people.
    """

    def __init__(
        self, root: str, what: str, error: type[Exception], *, wait: wait_base = WAIT, attempts: int = ATTEMPTS
    ) -> None:
        self.root, self._what, self._error = absolute(root), what, error
        with self._errors(self.root):
            self._storage: Storage = open_storage(self.root, wait=wait, attempts=attempts, what=f"{what}s")

    def location(self, bundle: str) -> str:
        return f"{self.root.rstrip('/')}/{bundle}"

    def whole(self) -> list[str]:
        """Names of the bundles that have a manifest."""
        return [bundle for bundle in self.all() if self.is_whole(bundle)]

    def is_whole(self, bundle: str) -> bool:
        return f"{bundle}/{MANIFEST}" in self._files(bundle)

    def require_root(self) -> None:
        """Make sure that the folder is there; an object store has none."""
        if "://" not in self.root and not Path(self.root).is_dir():
            raise self._error(f"{self.root}: there is no such folder: name the one that holds the {self._what}s")

    def all(self) -> list[str]:
        """Names of all bundles, those among them that were interrupted."""
        with self._errors(self.root):
            if "://" not in self.root and not Path(self.root).exists():
                return []
            return self._storage.folders("")

    def check(self) -> None:
        """Raise if the store would refuse files."""
        with self._errors(self.root):
            self._storage.check()

    def put_folders(self, bundle: str, folders: Mapping[str, Path]) -> dict[str, SavedFile]:
        """Keep all files of these folders under the names given, and return what was kept."""
        files: dict[str, SavedFile] = {}
        with self._errors(self.location(bundle)):
            self._storage.check()
            for name, folder in folders.items():
                for path in sorted(each for each in folder.rglob("*") if each.is_file()):
                    saved = f"{name}/{path.relative_to(folder).as_posix()}"
                    files[saved] = _described(_chunks(path))
                    self._storage.put(f"{bundle}/{saved}", lambda path=path: _chunks(path))  # type: ignore[misc]
        return files

    def put_manifest(self, bundle: str, text: bytes) -> None:
        with self._errors(self.location(bundle)):
            self._storage.put(f"{bundle}/{MANIFEST}", lambda: [text])

    def describe(self, bundle: str, folder: str) -> dict[str, SavedFile]:
        """Size and checksum of all files of the bundle that somebody else put below a folder of it."""
        with self._errors(self.location(bundle)):
            return {
                path.removeprefix(f"{bundle}/"): _described(self._storage.read(path))
                for path in self._below(f"{bundle}/{folder}")
            }

    def manifest(self, bundle: str) -> bytes:
        if not self.is_whole(bundle):
            raise self._error(
                f"{self.location(bundle)} is not a whole {self._what}: it has no {MANIFEST}; "
                f"see `lpa {self._what} list`"
            )
        with self._errors(f"{self.location(bundle)}/{MANIFEST}"):
            return b"".join(self._storage.read(f"{bundle}/{MANIFEST}"))

    def require_files(self, bundle: str, files: Collection[str]) -> None:
        """Make sure that every file is there, without reading any; raise naming the first that is not."""
        for _ in self._present(bundle, files):
            pass

    def check_files(self, bundle: str, files: Mapping[str, SavedFile]) -> None:
        """Read every file and compare it with its size and checksum; raise naming the first that is wrong."""
        for path in self._present(bundle, files):
            digest, size = hashlib.sha256(), 0
            with self._errors(f"{self.location(bundle)}/{path}"):
                for chunk in self._storage.read(f"{bundle}/{path}"):
                    digest.update(chunk)
                    size += len(chunk)
            self._compare(bundle, path, files[path], SavedFile(size, digest.hexdigest()))

    def fetch(self, bundle: str, files: Mapping[str, SavedFile], target: Path) -> None:
        """Copy the files into ``target``, which must not exist yet, checking each; raise naming what is wrong."""
        try:
            target.mkdir(parents=True)
            for path in self._present(bundle, files):
                self._fetch(bundle, path, files[path], target / path)
        except OSError as error:
            raise self._error(
                f"{error.filename or target} cannot be written: {error.strerror}; make it a writable folder with room"
            ) from None

    def remove(self, bundle: str) -> None:
        """Remove a bundle, its manifest first: interrupted, it is not a whole bundle any more."""
        with self._errors(self.location(bundle)):
            for path in (f"{bundle}/{MANIFEST}", *self._below(bundle)):
                self._storage.remove(path)

    def _present(self, bundle: str, files: Collection[str]) -> Iterator[str]:
        folders = {_folder(f"{bundle}/{path}") for path in files}
        present = {found for folder in folders for found in self._files(folder)}
        for path in files:
            if f"{bundle}/{path}" not in present:
                raise self._error(
                    f"{self.location(bundle)}/{path} is missing: the {self._what} is damaged, use another"
                )
            yield path

    def _fetch(self, bundle: str, path: str, saved: SavedFile, target: Path) -> None:
        place = f"{self.location(bundle)}/{path}"
        digest = hashlib.sha256()

        def chunks() -> Iterator[bytes]:
            with self._errors(place):
                for chunk in self._storage.read(f"{bundle}/{path}"):
                    digest.update(chunk)
                    yield chunk

        target.parent.mkdir(parents=True, exist_ok=True)
        size = write_file(target, chunks())
        self._compare(bundle, path, saved, SavedFile(size, digest.hexdigest()))

    def _compare(self, bundle: str, path: str, saved: SavedFile, found: SavedFile) -> None:
        place = f"{self.location(bundle)}/{path}"
        if found.size != saved.size:
            raise self._error(
                f"{place} has {found.size:,} bytes instead of {saved.size:,}: the {self._what} is damaged, use another"
            )
        if found.sha256 != saved.sha256:
            raise self._error(f"{place} does not match its checksum: the {self._what} is damaged, use another")

    def _files(self, folder: str) -> Sequence[str]:
        with self._errors(self.root):
            return self._storage.files(folder)

    def _below(self, folder: str) -> Iterator[str]:
        yield from self._storage.files(folder)
        for inner in self._storage.folders(folder):
            yield from self._below(inner)

    @contextmanager
    def _errors(self, place: str) -> Iterator[None]:
        try:
            yield
        except ArchiveError as error:
            raise self._error(str(error)) from None
        except OSError as error:
            raise self._error(f"{error.filename or place}: {error.strerror}") from None


def absolute(location: str) -> str:
    """A plain path or ``file://`` URL as an absolute path; other URLs as they are."""
    return str(local_path(location).absolute()) if scheme(location) == "file" else location


def split(location: str) -> tuple[str, str]:
    """The root of the store that holds the bundle at this location, and the bundle's name.

    A link leads to the folder that it means: what a bundle adds to is beside that one.
    """
    place = str(local_path(location).resolve()) if scheme(location) == "file" else location
    root, _, bundle = place.rstrip("/").rpartition("/")
    return root, bundle


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _described(chunks: Iterable[bytes]) -> SavedFile:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return SavedFile(size, digest.hexdigest())


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
