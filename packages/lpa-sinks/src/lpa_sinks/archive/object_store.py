"""Archive files in an object store."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from typing import Any, Final, TypeVar, final

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

from lpa_core.delivery.archive import ArchiveError

_T = TypeVar("_T")

_PART: Final = 8 << 20
"""Bytes of one part of an upload in parts."""
_PARTS_AT_ONCE: Final = 4

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

_log = structlog.get_logger("lpa.archive")


@final
class ObjectStore:
    """Implements lpa_sinks.archive.storage.Storage.

    What may pass by itself (no connection, an error of the server, too many requests) is tried again; what
    needs somebody to do something is not. Parts of an upload that a killed process left behind are
    for a lifecycle rule of the bucket to remove.
    """

    def __init__(self, location: str, *, wait: wait_base, attempts: int, what: str = "archive") -> None:
        self.name, self._what = location, what
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
        self._try(lambda: obstore.list_with_delimiter(self._store))

    def put(self, path: str, content: Callable[[], Iterable[bytes]]) -> None:
        self._try(lambda: self._put(path, content()))

    def folders(self, path: str) -> list[str]:
        found = self._try(lambda: obstore.list_with_delimiter(self._store, prefix=path or None))
        return sorted(found["common_prefixes"])

    def files(self, path: str) -> list[str]:
        found = self._try(lambda: obstore.list_with_delimiter(self._store, prefix=path or None))
        return sorted(entry["path"] for entry in found["objects"])

    def read(self, path: str) -> Iterator[bytes]:
        response = self._try(lambda: obstore.get(self._store, path))
        with self._errors():
            for chunk in response.stream():
                yield bytes(chunk)

    def remove(self, path: str) -> None:
        self._try(lambda: obstore.delete(self._store, path))

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
            obstore.put(self._store, path, chain(start, chunks), chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE)

    def _try(self, action: Callable[[], _T]) -> _T:
        with self._errors():
            return self._retrying(action)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            raise ArchiveError(f"{self._what} {self.name}: {_explained(error)}") from None

    def _log_retry(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if error is not None:
            _log.warning(
                "the object store is tried again", location=self.name, attempt=state.attempt_number, why=_gist(error)
            )


def _may_pass(error: BaseException) -> bool:
    if not isinstance(error, BaseError) or isinstance(error, _PERMANENT):
        return False
    text = str(error)
    return not _CLIENT_ERROR.search(text) and not any(sign in text for sign, _ in _REMEDIES)


def _explained(error: Exception) -> str:
    text = str(error)
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
