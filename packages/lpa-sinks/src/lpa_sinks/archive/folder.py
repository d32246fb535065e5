"""Archive files in a local folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, final

from lpa_core.durable import sync_folder, write_file
from lpa_core.sinks.archive import ArchiveError

_CHUNK: Final = 1 << 20


@final
class Folder:
    """Written without obstore, whose local store renames a finished file but does not make it durable.

    Implements lpa_sinks.archive.storage.Storage. ``what`` is kept there, for messages.
    """

    def __init__(self, root: Path, what: str = "archive") -> None:
        self._root, self._what = root, what
        self.name = str(root)

    def check(self) -> None:
        with self._errors("make it a writable folder"):
            self._root.mkdir(parents=True, exist_ok=True)
            if not os.access(self._root, os.W_OK | os.X_OK):
                raise PermissionError(None, "Permission denied")

    def put(self, path: str, content: Callable[[], Iterable[bytes]]) -> None:
        target = self._root / path
        with self._errors("make it a writable folder with free space"):
            missing = [parent for parent in target.parents if not parent.exists()]
            target.parent.mkdir(parents=True, exist_ok=True)
            for folder in missing:
                sync_folder(folder.parent)
            write_file(target, content())

    def folders(self, path: str) -> list[str]:
        return sorted(name for name, _ in self._entries(path, folders=True))

    def files(self, path: str) -> list[str]:
        return sorted(name for name, _ in self._entries(path, folders=False))

    def sizes(self, path: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, entry in self._entries(path, folders=False):
            # A file that is being written has another name a moment later.
            with suppress(FileNotFoundError), self._errors("check that it can be read"):
                found[name] = entry.stat().st_size
        return found

    def read(self, path: str) -> Iterator[bytes]:
        with self._errors("check that it can be read"), (self._root / path).open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def remove(self, path: str) -> None:
        target = self._root / path
        with self._errors("make it a writable folder"):
            target.unlink(missing_ok=True)
            for folder in target.relative_to(self._root).parents:
                if folder == Path() or not (self._root / folder).is_dir() or any((self._root / folder).iterdir()):
                    return
                (self._root / folder).rmdir()

    def _entries(self, path: str, *, folders: bool) -> list[tuple[str, Path]]:
        folder = self._root / path
        with self._errors(f"name the folder of the {self._what}"):
            if path and not folder.exists():
                return []
            return [
                (f"{path}/{entry.name}" if path else entry.name, entry)
                for entry in folder.iterdir()
                if entry.is_dir() == folders
            ]

    @contextmanager
    def _errors(self, remedy: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            place = error.filename or self._root
            raise ArchiveError(f"{self._what} {place}: {error.strerror}: {remedy}") from error
