"""Savepoints in a folder or an object store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import final

from tenacity.wait import wait_base

from lpa_core.savepoints import Savepoint, SavepointError, StoredSavepoint
from lpa_ops.bundle.manifest import DamagedManifestError
from lpa_ops.bundle.store import ATTEMPTS, MANIFEST, WAIT, BundleStore, split
from lpa_ops.savepoint.manifest import SavepointManifest, decode, encode


@final
class FileSavepointStore:
    """Implements lpa_core.savepoints.SavepointStore, with a folder for each savepoint.

    Args:
        root: a folder, or the URL of an object store, that holds savepoints.
    """

    def __init__(self, root: str, *, wait: wait_base = WAIT, attempts: int = ATTEMPTS) -> None:
        self._bundles = BundleStore(root, "savepoint", SavepointError, wait=wait, attempts=attempts)

    def create(self, savepoint: Savepoint, folders: Mapping[str, Path]) -> str:
        files = self._bundles.put_folders(savepoint.id, folders)
        self._bundles.put_manifest(savepoint.id, encode(SavepointManifest(savepoint, files)))
        return self._bundles.location(savepoint.id)

    def list(self) -> Sequence[StoredSavepoint]:
        found = [self._listed(bundle) for bundle in self._bundles.whole()]
        return sorted(found, key=lambda each: each.savepoint.created_ms if each.savepoint else 0)

    def open(self, location: str, target: Path) -> Savepoint:
        """``location`` is one below the root."""
        bundle = location.rstrip("/").rpartition("/")[2]
        manifest = self._manifest(bundle)
        self._bundles.fetch(bundle, manifest.files, target)
        for name in manifest.savepoint.dedup.values():
            if not (target / name).is_dir():
                raise SavepointError(
                    f"{self._bundles.location(bundle)} is damaged: it holds no claims in {name}; use another savepoint"
                )
        return manifest.savepoint

    def _manifest(self, bundle: str) -> SavepointManifest:
        try:
            return decode(self._bundles.manifest(bundle))
        except DamagedManifestError as damage:
            raise SavepointError(
                f"{self._bundles.location(bundle)}/{MANIFEST}: {damage}: use another savepoint"
            ) from None

    def _listed(self, bundle: str) -> StoredSavepoint:
        location = self._bundles.location(bundle)
        try:
            manifest = self._manifest(bundle)
        except SavepointError as error:
            return StoredSavepoint(location, None, problem=str(error))
        return StoredSavepoint(location, manifest.savepoint, sum(saved.size for saved in manifest.files.values()))


def store_of(location: str) -> FileSavepointStore:
    """The store that holds the savepoint at this location. Raises SavepointError."""
    return FileSavepointStore(split(location)[0])
