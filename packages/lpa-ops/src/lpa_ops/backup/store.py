"""Backups in a folder or an object store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import final

from tenacity.wait import wait_base

from lpa_core.settings import Settings
from lpa_core.uris import masked, scheme
from lpa_ops.backup.backup import DATABASE_FOLDER, Backup, BackupError, StoredBackup
from lpa_ops.backup.manifest import Manifest, decode, encode
from lpa_ops.bundle.manifest import DamagedManifest, SavedFile
from lpa_ops.bundle.store import ATTEMPTS, MANIFEST, WAIT, BundleStore, split


@final
class BackupStore:
    """Every method may raise BackupError.

    Args:
        root: a folder, or an ``s3://`` URL, that holds backups.
    """

    def __init__(self, root: str, *, wait: wait_base = WAIT, attempts: int = ATTEMPTS) -> None:
        if scheme(root) not in ("file", "s3"):
            raise BackupError(f"{masked(root)}: ClickHouse writes no backups there: name a folder or an s3:// URL")
        self._bundles = BundleStore(root, "backup", BackupError, wait=wait, attempts=attempts)
        self.root = self._bundles.root

    def location(self, id_: str) -> str:
        return self._bundles.location(id_)

    def require_root(self) -> None:
        """Make sure that the folder is there; an object store has none."""
        self._bundles.require_root()

    def check(self) -> None:
        """Make sure, as far as can be told, that files can be put."""
        self._bundles.check()

    def keep(self, backup: Backup, folders: Mapping[str, Path]) -> str:
        """Finish a backup whose database is in its place already, and answer where it is.

        ``folders`` are further files of it. It is listed from now on.
        """
        files = self._bundles.put_folders(backup.id, folders)
        files |= self._bundles.describe(backup.id, DATABASE_FOLDER)
        if not any(path.startswith(f"{DATABASE_FOLDER}/") for path in files):
            raise BackupError(
                f"{self.location(backup.id)}: ClickHouse has written the database, but its files are not to be seen "
                "here: name an s3:// location, or a folder that the server and this machine share"
            )
        self._bundles.put_manifest(backup.id, encode(Manifest(backup, files)))
        return self.location(backup.id)

    def list(self) -> Sequence[StoredBackup]:
        """All backups, oldest first; those that cannot be read come before the others."""
        found = [self._listed(id_) for id_ in self._bundles.whole()]
        return sorted(found, key=lambda each: each.backup.created_ms if each.backup else 0)

    def unfinished(self) -> Sequence[str]:
        """Ids of backups that were broken off, or are being made."""
        whole = set(self._bundles.whole())
        return [id_ for id_ in self._bundles.all() if id_ not in whole]

    def manifest(self, id_: str) -> Manifest:
        """Raises BackupError where there is none, or it is damaged."""
        try:
            return decode(self._bundles.manifest(id_))
        except DamagedManifest as damage:
            raise BackupError(f"{self.location(id_)}/{MANIFEST}: {damage}: use another backup") from None

    def require_files(self, id_: str) -> None:
        """Raise BackupError where a file of the backup is missing; none is read, which `lpa backup verify` does."""
        self._bundles.require_files(id_, self.manifest(id_).files)

    def check_files(self, id_: str) -> Backup:
        """Read every file of a backup, and of the one it adds to; raise naming the first that is damaged."""
        manifest = self.manifest(id_)
        self._bundles.check_files(id_, manifest.files)
        base = manifest.backup.base
        if base:
            if not self._bundles.is_whole(base):
                raise BackupError(f"{self.location(id_)} {self._lacks(base)}, or use another backup")
            self.check_files(base)
        return manifest.backup

    def fetch(self, id_: str, folder: str, target: Path) -> None:
        """Copy the files of a folder of the backup into ``target``, which must not exist yet; there may be none."""
        files: dict[str, SavedFile] = {
            path: saved for path, saved in self.manifest(id_).files.items() if path.startswith(f"{folder}/")
        }
        self._bundles.fetch(id_, files, target)

    def remove(self, id_: str) -> None:
        self._bundles.remove(id_)

    def _listed(self, id_: str) -> StoredBackup:
        try:
            manifest = self.manifest(id_)
        except BackupError as error:
            return StoredBackup(self.location(id_), None, problem=str(error))
        base = manifest.backup.base
        problem = self._lacks(base) if base and not self._bundles.is_whole(base) else ""
        size = sum(file.size for file in manifest.files.values())
        return StoredBackup(self.location(id_), manifest.backup, size, problem)

    def _lacks(self, base: str) -> str:
        return f"adds to {self.location(base)}, which is missing or was broken off: put that one back in its place"


def store_of(location: str) -> tuple[BackupStore, str]:
    """The store that holds the backup at this location, and the backup's id. Raises BackupError."""
    root, id_ = split(location)
    return BackupStore(root), id_


def default_root(settings: Settings) -> str:
    """The folder or URL where backups are kept: LPA_BACKUP_DIR."""
    return settings.lpa.backup_dir or str(settings.lpa.data_dir / "backups")
