"""Copies an archive to another place and proves every copy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, final

import attrs
import structlog

from lpa_core.sinks.archive import ArchiveError
from lpa_sinks.archive.layout import ArchiveFile
from lpa_sinks.archive.proven_copies import ProvenCopies, ProvenCopy
from lpa_sinks.archive.reader import DamagedFileError, hour_folders, require_whole
from lpa_sinks.archive.storage import Storage

_log = structlog.get_logger("lpa.archive")


@final
@attrs.define
class Mirrored:
    """What one run of a mirror did.

    Attributes:
        copied: files that the mirror did not have, or had damaged.
        bytes: size of what was copied.
        compared: copies that were there, were read, and are equal to their originals.
        unchanged: copies that were proven before and have the size of then.
        replaced: paths of copies that were damaged; they are among the copied.
        growing: paths of originals that changed while they were read; the next run copies them.
        problems: one line each: what could not be mirrored, and what to do.
    """

    copied: int = 0
    bytes: int = 0
    compared: int = 0
    unchanged: int = 0
    replaced: list[str] = attrs.field(factory=list[str])
    growing: list[str] = attrs.field(factory=list[str])
    problems: list[str] = attrs.field(factory=list[str])


class _Content(NamedTuple):
    size: int
    sha256: str


class _ChangedMeanwhile(Exception):
    """The original is not what it was when it was checked."""


@final
class Mirror:
    """Keeps at the target a copy of each file of the source; removes nothing there.

    A copy is proven if it was read back and has size and SHA-256 of its original, and the original can be read to its
    end. It is proven again after ``again_after_ms``. Until then its size is compared in each run.

    A copy appears whole or not at all, and is noted after it was proven. So a run may be killed at any moment, and the
    next one copies what is missing.
    """

    def __init__(
        self,
        source: Storage,
        target: Storage,
        proven: ProvenCopies,
        *,
        again_after_ms: int,
        clock: Callable[[], int],
    ) -> None:
        """``clock`` returns epoch ms."""
        self._source, self._target, self._proven = source, target, proven
        self._again_after_ms, self._clock = again_after_ms, clock

    def run(self) -> Mirrored:
        """Copy what is missing or damaged. Raises ArchiveError if one of the two places cannot be used."""
        done = Mirrored()
        self._target.check()
        for folder in hour_folders(self._source):
            there = self._target.sizes(folder)
            before = done.copied
            for path, size in sorted(self._source.sizes(folder).items()):
                file = ArchiveFile.parse(path)
                if file is not None:
                    self._mirror(file, size, there.get(path), done)
            if done.copied > before:
                _log.info("files mirrored", folder=folder, files=done.copied - before)
        return done

    def _mirror(self, file: ArchiveFile, size: int, size_there: int | None, done: Mirrored) -> None:
        if self._is_proven(file.path, size, size_there):
            done.unchanged += 1
            return
        try:
            original = _whole(self._source, file)
        except DamagedFileError as damage:
            self._note_damage(file, size, damage, done)
            return
        if size_there is not None:
            copy = _content(self._target.read(file.path))
            if copy == original:
                done.compared += 1
                self._note(file.path, original)
                return
            if self._has_whole_copy(file):
                done.problems.append(
                    f"{self._target.name}: {file.path} is whole and not the file of {self._source.name}: each archive"
                    " needs a place of its own; name another location"
                )
                return
            done.replaced.append(file.path)
        self._copy(file, original, done)

    def _copy(self, file: ArchiveFile, original: _Content, done: Mirrored) -> None:
        try:
            self._target.put(file.path, lambda: _checked(self._source.read(file.path), original))
        except _ChangedMeanwhile:
            done.growing.append(file.path)
            return
        if _content(self._target.read(file.path)) != original:
            raise ArchiveError(
                f"{self._target.name}: {file.path} was stored and does not come back as it was sent: check the disk or"
                " the object store, then run the command again"
            )
        done.copied += 1
        done.bytes += original.size
        self._note(file.path, original)

    def _is_proven(self, path: str, size: int, size_there: int | None) -> bool:
        known = self._proven.get(path)
        if known is None or not known.size == size == size_there:
            return False
        return 0 <= self._clock() - known.proven_ms < self._again_after_ms

    def _note(self, path: str, content: _Content) -> None:
        self._proven.add(ProvenCopy(path, content.size, content.sha256, self._clock()))

    def _note_damage(self, file: ArchiveFile, size: int, damage: DamagedFileError, done: Mirrored) -> None:
        """A copy stays as it is: it may be the only one that is whole."""
        if self._source.sizes(file.path.rpartition("/")[0]).get(file.path) != size:
            done.growing.append(file.path)
        elif self._has_whole_copy(file):
            done.problems.append(f"{damage}; {self._target.name} has a whole copy")
        else:
            done.problems.append(str(damage))

    def _has_whole_copy(self, file: ArchiveFile) -> bool:
        if file.path not in self._target.sizes(file.path.rpartition("/")[0]):
            return False
        try:
            _whole(self._target, file)
        except DamagedFileError:
            return False
        return True


def _whole(storage: Storage, file: ArchiveFile) -> _Content:
    """Raises DamagedFileError if the file is not whole."""
    hashed = _Hashed(storage.read(file.path))
    require_whole(storage.name, file, hashed)
    return hashed.content


def _content(chunks: Iterable[bytes]) -> _Content:
    hashed = _Hashed(chunks)
    for _ in hashed:
        pass
    return hashed.content


def _checked(chunks: Iterable[bytes], wanted: _Content) -> Iterator[bytes]:
    """The chunks; raises _ChangedMeanwhile at their end, so that nothing appears, if they are not what is wanted."""
    hashed = _Hashed(chunks)
    yield from hashed
    if hashed.content != wanted:
        raise _ChangedMeanwhile


@final
class _Hashed:
    """Chunks, and size and checksum of those that have gone by."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._size, self._digest = 0, hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._size += len(chunk)
            self._digest.update(chunk)
            yield chunk

    @property
    def content(self) -> _Content:
        return _Content(self._size, self._digest.hexdigest())
