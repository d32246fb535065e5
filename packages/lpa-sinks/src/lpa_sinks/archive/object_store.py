"""Archive files in an object store."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from typing import Any, Final, TypeVar, final
from urllib.parse import urlsplit

import obstore
import structlog
from obstore.exceptions import (
    BaseError,
    InvalidPathError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnknownConfigurationKeyError,
)
from obstore.store import from_url
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_base

from lpa_core.invisible import trimmed
from lpa_core.proxies import proxy_for, reach_loopback_directly
from lpa_core.sinks.archive import ArchiveError

_T = TypeVar("_T")

PROVIDERS: Final = ("AWS_", "AZURE_", "GOOGLE_")
"""Begin the names of variables that object stores take their logins from."""
_PART: Final = 8 << 20
"""Bytes of one part of an upload in parts."""
_PARTS_AT_ONCE: Final = 4

_NEVER_STORED: Final = ".lpa-never-stored"
"""An object store says of it that it is not there; a page that answers everything does not."""
_LISTED_AT_ONCE: Final = 1_000
"""Entries that one answer of an object store lists at most."""
_NO_STORE: Final = "no answer of an object store"

_REMEDIES: Final = (
    ("NoSuchBucket", "the bucket does not exist: create it or name another"),
    ("169.254.169.254", "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ("BadScheme", "its endpoint is not https: set AWS_ALLOW_HTTP=true to allow that"),
    ("AccessDenied", "access is denied: allow these credentials to list, get and put"),
    ("InvalidAccessKeyId", "the access key is unknown: check AWS_ACCESS_KEY_ID"),
    ("SignatureDoesNotMatch", "the secret key is wrong: check AWS_SECRET_ACCESS_KEY"),
    ("NoSuchKey", "the file is gone: look again for what is there"),
)
"""What an error's text holds -> what to do. None of these passes by itself."""
_PERMANENT: Final = (
    InvalidPathError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnknownConfigurationKeyError,
)
_CLIENT_ERROR: Final = re.compile(r"status code: 4(?!08|29)\d\d")

_FOREIGN: Final = (
    _NO_STORE,
    "Got invalid list response",
    "Got invalid multipart response",
    "Got invalid DeleteObjects response",
    "Unable to extract metadata from headers",
    "Header missing from response",
    "error following redirect",
)
"""What the text of an error holds where something else than the object store answered."""

_log = structlog.get_logger("lpa.archive")


class _NoStore(Exception):
    """What answered cannot be the object store."""

    def __init__(self, sign: str) -> None:
        super().__init__(f"{_NO_STORE}: {sign}")


@final
class ObjectStore:
    """Implements lpa_sinks.archive.storage.Storage.

    What may pass by itself (no connection, an error of the server, too many requests) is tried again; what
    needs somebody to do something is not. Parts of an upload that a killed process left behind are
    for a lifecycle rule of the bucket to remove.

    A page of a proxy or of a login counts as no answer, whatever its status: an empty listing is believed once the
    store says of another file that it is not there, a long one once it also lists nothing behind its end, a file that
    was put once it is there with its size.
    """

    def __init__(self, location: str, *, wait: wait_base, attempts: int, what: str = "archive") -> None:
        self.name, self._what = location, what
        reach_loopback_directly()
        _trim_logins()
        with self._errors():
            # One try each: pauses and number of attempts are ours.
            self._store: Any = from_url(
                location, retry_config={"max_retries": 0, "retry_timeout": timedelta(minutes=5)}
            )
        self._retrying = Retrying(
            wait=wait,
            stop=stop_after_attempt(attempts),
            retry=retry_if_exception(_may_pass),
            before_sleep=self._log_retry,
            reraise=True,
        )

    def check(self) -> None:
        self._try(lambda: self._list(""))

    def put(self, path: str, content: Callable[[], Iterable[bytes]]) -> None:
        self._try(lambda: self._put(path, content()))

    def folders(self, path: str) -> list[str]:
        found = self._try(lambda: self._list(path))
        return sorted(found["common_prefixes"])

    def files(self, path: str) -> list[str]:
        found = self._try(lambda: self._list(path))
        return sorted(entry["path"] for entry in found["objects"])

    def sizes(self, path: str) -> dict[str, int]:
        found = self._try(lambda: self._list(path))
        return {entry["path"]: entry["size"] for entry in found["objects"]}

    def read(self, path: str) -> Iterator[bytes]:
        response = self._try(lambda: self._get(path))
        with self._errors():
            for chunk in response.stream():
                yield bytes(chunk)

    def remove(self, path: str) -> None:
        self._try(lambda: obstore.delete(self._store, path))

    def _list(self, path: str) -> Any:
        found = obstore.list_with_delimiter(self._store, prefix=path or None)
        last = max([*(each["path"] for each in found["objects"]), *map(_end_of, found["common_prefixes"])], default="")
        if 0 < len(found["objects"]) + len(found["common_prefixes"]) < _LISTED_AT_ONCE:
            return found
        if last and any(obstore.list(self._store, prefix=path or None, offset=last)):
            raise _NoStore(f"its listing ends after {last[:200]}, and there is more")
        try:
            obstore.head(self._store, _NEVER_STORED)
        except FileNotFoundError:
            return found
        raise _NoStore("it has any file that it is asked for")

    def _get(self, path: str) -> Any:
        response = obstore.get(self._store, path)
        tag = response.meta["e_tag"]
        kind = str(response.attributes.get("Content-Type", ""))
        if tag is None or tag.startswith("W/") or kind.startswith("text/html"):
            raise _NoStore(f"a page ({kind or 'of no content type'}) instead of {path}")
        return response

    def _put(self, path: str, content: Iterable[bytes]) -> None:
        chunks = iter(content)
        start: list[bytes] = []
        size = 0
        for chunk in chunks:
            start.append(chunk)
            size += len(chunk)
            if size > _PART:
                break
        if size <= _PART:
            obstore.put(self._store, path, b"".join(start), use_multipart=False)
        else:
            rest = _Counted(chunks)
            obstore.put(self._store, path, chain(start, rest), chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE)
            size += rest.size
        try:
            there = obstore.head(self._store, path)["size"]
        except FileNotFoundError:
            raise _NoStore(f"{path} was taken, and is not there") from None
        if there != size:
            raise _NoStore(f"{path} was taken, and has {there:,} bytes instead of {size:,}")

    def _try(self, action: Callable[[], _T]) -> _T:
        with self._errors():
            return self._retrying(action)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError, ValueError, _NoStore) as error:
            raise ArchiveError(f"{self._what} {self.name}: {_explained(error)}{self._by_way_of()}") from None

    def _by_way_of(self) -> str:
        """Names the proxy that stands between here and the store, if one does."""
        given = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT") or ""
        parts = urlsplit(given if self.name.startswith("s3:") and given else "https://an.object.store")
        proxy = proxy_for(parts.scheme, parts.hostname or "", parts.port or 0)
        return f"; the way there is through the proxy that {proxy} names" if proxy else ""

    def _log_retry(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if error is not None:
            _log.warning(
                "the object store is tried again", location=self.name, attempt=state.attempt_number, why=_gist(error)
            )


def _trim_logins() -> None:
    """Leave line breaks out of what the store's client takes from the environment: no login and no region has one."""
    for name, value in os.environ.items():
        if name.startswith(PROVIDERS) and trimmed(value) != value:
            os.environ[name] = trimmed(value)


def _end_of(folder: str) -> str:
    """Sorts behind all that is in the folder."""
    return f"{folder}/\U0010ffff"


@final
class _Counted:
    """Chunks, and how many bytes of them have gone by."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size += len(chunk)
            yield chunk


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, _NoStore):
        return True
    if not isinstance(error, BaseError) or isinstance(error, _PERMANENT):
        return False
    text = str(error)
    return not _CLIENT_ERROR.search(text) and not any(sign in text for sign, _ in _REMEDIES)


def _explained(error: Exception) -> str:
    text = str(error)
    if any(sign in text for sign in _FOREIGN):
        return (
            f"{_gist(error)}: something else answered in place of the object store: check AWS_ENDPOINT_URL, "
            "and what stands between (a proxy, a login page)"
        )
    for sign, remedy in _REMEDIES:
        if sign in text:
            return remedy
    remedy = "see that it can be reached" if _may_pass(error) else "check the location and the credentials"
    return f"{_gist(error)}: {remedy}"


def _gist(error: BaseException) -> str:
    """What went wrong, from the first line of the error; the rest may hold what nobody should read."""
    text = str(error)
    status = re.search(r"status code: (\d{3}[\w ]*)", text)
    if status:
        code = re.search(r"<Code>(\w+)</Code>", text)
        return f"it answered {status[1]}" + (f" ({code[1]})" if code else "")
    return text.partition("\n")[0].rpartition(" - ")[2]
