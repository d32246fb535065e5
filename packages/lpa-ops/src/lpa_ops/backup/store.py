"""Backups in a folder or an object store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, final

import attrs
from tenacity.wait import wait_base

from lpa_core.settings.settings import Settings
from lpa_core.uris import masked, scheme
from lpa_ops.backup.backup import DATABASE_FOLDER, Backup, BackupError, StoredBackup
from lpa_ops.backup.manifest import BackupManifest, decode, encode
from lpa_ops.bundle.manifest import DamagedManifestError, SavedFile
from lpa_ops.bundle.store import ATTEMPTS, MANIFEST, WAIT, BundleStore, split

_DATABASE: Final = f"{DATABASE_FOLDER}/"


@final
@attrs.frozen
class Located:
    """A backup, and where its files are.

    Attributes:
        base: where the backup is that it adds to; empty for a full one.
        files: of the database, with those of the base.
    """

    backup: Backup
    location: str
    base: str
    files: Mapping[str, SavedFile]

    def bytes_of(self, tables: Collection[str]) -> int:
        """How much the tables take on disk, at most."""
        folders = [f"/{table}/" for table in tables]
        return sum(file.size for path, file in self.files.items() if any(each in path for each in folders))


@final
class BackupStore:
    """Every method may raise BackupError.

    A backup is named by its folder, whatever its manifest calls it: people rename folders. What adds to another one
    says its id, by which that one is found under any name.

    Args:
        root: a folder, or an ``s3://`` URL, that holds backups.
    """

    def __init__(self, root: str, *, wait: wait_base = WAIT, attempts: int = ATTEMPTS) -> None:
        if scheme(root) not in ("file", "s3"):
            raise BackupError(f"{masked(root)}: ClickHouse writes no backups there: name a folder or an s3:// URL")
        self._bundles = BundleStore(root, "backup", BackupError, wait=wait, attempts=attempts)
        self.root = self._bundles.root

    def location(self, name: str) -> str:
        return self._bundles.location(name)

    def location_of(self, id_: str) -> str:
        """Where the backup of that id is."""
        name = self._named(id_)
        if name is None:
            raise BackupError(f"{self.root} has no backup {id_}")
        return self.location(name)

    def require_root(self) -> None:
        """Make sure that the folder is there; an object store has none."""
        self._bundles.require_root()

    def check(self) -> None:
        """Raise if the store would refuse files."""
        self._bundles.check()

    def keep(self, backup: Backup, folders: Mapping[str, Path]) -> str:
        """Finish a backup whose database is in its place already, and return where it is.

        ``folders`` are further files of it. It is listed from now on.
        """
        files = self._bundles.put_folders(backup.id, folders)
        files |= self._bundles.describe(backup.id, DATABASE_FOLDER)
        if not any(path.startswith(f"{DATABASE_FOLDER}/") for path in files):
            raise BackupError(
                f"{self.location(backup.id)}: ClickHouse has written the database, but its files are not to be seen "
                "here: name an s3:// location, or a folder that the server and this machine share"
            )
        self._bundles.put_manifest(backup.id, encode(BackupManifest(backup, files)))
        return self.location(backup.id)

    def list(self) -> Sequence[StoredBackup]:
        """All backups, oldest first; those that cannot be read come before the others."""
        found = [self._listed(name) for name in self._bundles.whole()]
        return sorted(found, key=lambda each: each.backup.created_ms if each.backup else 0)

    def unfinished(self) -> Sequence[str]:
        """Names of backups that were interrupted, or are being made."""
        whole = set(self._bundles.whole())
        return [name for name in self._bundles.all() if name not in whole]

    def manifest(self, name: str) -> BackupManifest:
        """Raises BackupError if there is none, or it is damaged."""
        try:
            return decode(self._bundles.manifest(name))
        except DamagedManifestError as damage:
            raise BackupError(f"{self.location(name)}/{MANIFEST}: {damage}: use another backup") from None

    def require_files(self, id_: str) -> None:
        """Raise BackupError if a file of the backup of that id is missing; `lpa backup verify` reads them."""
        _, name = split(self.location_of(id_))
        self._bundles.require_files(name, self.manifest(name).files)

    def check_files(self, name: str) -> Located:
        """Read every file of a backup, and of the one it adds to; raise naming the first that is damaged."""
        manifest = self.manifest(name)
        self._bundles.check_files(name, manifest.files)
        base, files = "", _of_database(manifest)
        if manifest.backup.base:
            base_name = self._named(manifest.backup.base)
            if base_name is None:
                raise BackupError(f"{self.location(name)} {self._lacks(manifest.backup.base)}, or use another backup")
            located = self.check_files(base_name)
            base, files = located.location, {**located.files, **files}
        return Located(manifest.backup, self.location(name), base, files)

    def fetch(self, name: str, folder: str, target: Path) -> None:
        """Copy the files of a folder of the backup into ``target``, which must not exist yet; there may be none."""
        files: dict[str, SavedFile] = {
            path: saved for path, saved in self.manifest(name).files.items() if path.startswith(f"{folder}/")
        }
        self._bundles.fetch(name, files, target)

    def remove(self, name: str) -> None:
        self._bundles.remove(name)

    def _listed(self, name: str) -> StoredBackup:
        try:
            manifest = self.manifest(name)
        except BackupError as error:
            return StoredBackup(self.location(name), name, None, problem=str(error))
        base = manifest.backup.base
        problem = self._lacks(base) if base and self._named(base) is None else ""
        size = sum(file.size for file in manifest.files.values())
        return StoredBackup(self.location(name), name, manifest.backup, size, problem)

    def _named(self, id_: str) -> str | None:
        """The name of the whole backup of that id; None if there is none."""
        if self._is(id_, id_):
            return id_
        return next((name for name in self._bundles.whole() if self._is(name, id_)), None)

    def _is(self, name: str, id_: str) -> bool:
        with suppress(BackupError):
            return self._bundles.is_whole(name) and self.manifest(name).backup.id == id_
        return False

    def _lacks(self, base: str) -> str:
        return f"adds to {self.location(base)}, which is missing or incomplete: put that backup back next to it"


def _of_database(manifest: BackupManifest) -> dict[str, SavedFile]:
    return {path: file for path, file in manifest.files.items() if path.startswith(_DATABASE)}


def store_of(location: str) -> tuple[BackupStore, str]:
    """The store that holds the backup at this location, and the backup's name there. Raises BackupError."""
    root, name = split(location)
    return BackupStore(root), name


def default_root(settings: Settings) -> str:
    """The folder or URL where backups are kept: LPA_BACKUP_DIR."""
    return settings.lpa.backup_dir or str(settings.lpa.data.backups)
