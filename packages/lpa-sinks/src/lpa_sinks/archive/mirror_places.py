"""Where an archive and its mirror are. The two may be object stores with different logins."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from tenacity import wait_exponential_jitter
from tenacity.wait import wait_base

from lpa_core.errors import UsageError
from lpa_core.uris import local_path, scheme
from lpa_sinks.archive.object_store import PROVIDERS
from lpa_sinks.archive.storage import Storage, open_storage

_MIRROR: Final = "MIRROR_"
WAIT: Final = wait_exponential_jitter(initial=1, max=60)
ATTEMPTS: Final = 8


def open_places(
    archive: str, mirror: str, *, wait: wait_base = WAIT, attempts: int = ATTEMPTS
) -> tuple[Storage, Storage]:
    """The storages of an archive and of its mirror.

    If there are variables such as ``MIRROR_AWS_ACCESS_KEY_ID``, they stand for ``AWS_ACCESS_KEY_ID`` and so on at the
    mirror, and no other login is used there.

    Raises ArchiveError, and UsageError if one place is in the other.
    """
    own_login = _of_mirror(os.environ)
    if scheme(mirror) == "file" or not own_login:
        _require_apart(_place(archive), _place(mirror))
    source = open_storage(_place(archive), wait=wait, attempts=attempts)
    with _login(own_login):
        return source, open_storage(_place(mirror), wait=wait, attempts=attempts, what="mirror")


def _place(location: str) -> str:
    """A folder as an absolute path, so that every working folder gives it the same name."""
    return str(local_path(location).resolve()) if scheme(location) == "file" else location.rstrip("/")


def _require_apart(archive: str, mirror: str) -> None:
    for inner, outer in ((archive, mirror), (mirror, archive)):
        if inner == outer or inner.startswith(f"{outer}/"):
            raise UsageError(f"{mirror}: archive and mirror need places apart, and one is in the other: name another")


def _of_mirror(environment: Mapping[str, str]) -> dict[str, str]:
    found = {name.removeprefix(_MIRROR): value for name, value in environment.items() if name.startswith(_MIRROR)}
    return {name: value for name, value in found.items() if value and name.startswith(PROVIDERS)}


@contextmanager
def _login(variables: Mapping[str, str]) -> Iterator[None]:
    """Put these in place of all variables of a login: an object store's client reads them when it is made."""
    if not variables:
        yield
        return
    kept = {name: value for name, value in os.environ.items() if name.startswith(PROVIDERS)}
    for name in kept:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]
        os.environ.update(kept)
