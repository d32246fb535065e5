"""Where the archive's files are kept: a folder, or an object store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from tenacity.wait import wait_base

from lpa_core.sinks.archive import ArchiveError
from lpa_core.uris import AddressRefused, local_path, object_store_address, scheme
from lpa_sinks.archive.folder import Folder
from lpa_sinks.archive.object_store import ObjectStore


class Storage(Protocol):
    """Files by path, with ``/`` between the parts. Every method may raise ArchiveError."""

    @property
    def name(self) -> str:
        """For messages: holds no secrets."""
        ...

    def check(self) -> None:
        """Raise if the storage would refuse files. Write nothing."""
        ...

    def put(self, path: str, content: Callable[[], Iterable[bytes]]) -> None:
        """Keep a file, replacing an older one. It appears whole or not at all, and is durable after return.

        ``content`` gives the bytes from the beginning each time that it is called.
        """
        ...

    def folders(self, path: str) -> list[str]:
        """Paths of the folders in a folder (``""`` for the outermost), sorted; none if there is no such folder."""
        ...

    def files(self, path: str) -> list[str]:
        """Paths of the files in a folder, sorted."""
        ...

    def sizes(self, path: str) -> Mapping[str, int]:
        """Paths of the files in a folder, with their sizes in bytes."""
        ...

    def read(self, path: str) -> Iterator[bytes]:
        """The bytes of a file, in chunks."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file, if it is there; a folder goes with its last file."""
        ...


def open_storage(location: str, *, wait: wait_base, attempts: int, what: str = "archive") -> Storage:
    """The storage at a plain path, a ``file://`` URL or the URL of an object store.

    ``what`` is kept there, for messages. Raises ArchiveError if there can be none.
    """
    try:
        if scheme(location) == "file":
            return Folder(local_path(location), what)
        return ObjectStore(object_store_address(location), wait=wait, attempts=attempts, what=what)
    except AddressRefused as refused:
        raise ArchiveError(f"{what} {refused}") from None
