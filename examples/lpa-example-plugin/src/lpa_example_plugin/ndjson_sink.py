"""A sink that writes files of JSON lines: a folder per table, a file per block."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import msgspec

from lpa_core.plugin import Block, RowsRefused, SinkMisconfigured, SinkUnavailable, Table, require_distinct


@final
class NdjsonSink:
    """Rows as JSON objects. A file is named after its block's token, so the same block again changes nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, tables: Sequence[Table]) -> None:
        require_distinct(tables)
        try:
            for table in tables:
                (self._folder / table.name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkMisconfigured(f"{self._folder} cannot be used: {error.strerror}; name another folder") from None

    def write(self, block: Block) -> None:
        file = self._file(block)
        if file.exists():
            return
        lines, refused = [], {}
        for index, values in enumerate(zip(*block.columns, strict=True)):
            try:
                lines.append(_line(block.table, values))
            except UnicodeError:
                refused[index] = "holds text that is not Unicode"
        if refused:
            raise RowsRefused(block.table.name, refused)
        _replace(file, lines)

    def withdraw(self, table: Table, topic: str, partition: int, offsets: Sequence[int]) -> None:
        gone = {(topic, partition, offset) for offset in offsets}
        for file in (self._folder / table.name).glob("*.ndjson"):
            lines = file.read_bytes().splitlines()
            kept = [line for line in lines if _position(line) not in gone]
            if len(kept) < len(lines):
                _replace(file, kept)

    def close(self) -> None:
        pass

    def _file(self, block: Block) -> Path:
        digest = hashlib.sha256(block.token.encode()).hexdigest()[:32]
        return self._folder / block.table.name / f"{digest}.ndjson"


def _line(table: Table, values: Sequence[Any]) -> bytes:
    texts = [value.decode() if isinstance(value, bytes) else value for value in values]
    return msgspec.json.encode(dict(zip(table.column_names, texts, strict=True)))


def _position(line: bytes) -> tuple[str, int, int]:
    row = msgspec.json.decode(line)
    return row["source_topic"], row["source_partition"], row["source_offset"]


def _replace(file: Path, lines: Sequence[bytes]) -> None:
    """Write the file whole or not at all, and for good: a kill or a power cut leaves the old file or the new one."""
    temporary = file.with_suffix(".new")
    try:
        with temporary.open("wb") as opened:
            opened.writelines(line + b"\n" for line in lines)
            opened.flush()
            os.fsync(opened.fileno())
        temporary.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise SinkUnavailable(f"{file} cannot be written: {error.strerror}; make room, then run again") from None
