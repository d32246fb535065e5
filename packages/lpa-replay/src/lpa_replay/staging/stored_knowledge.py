"""Looks up what the database knows of records: which events it holds, and what earlier replays did with a record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, final

from lpa_core.orgs import EventKey
from lpa_core.records import Position
from lpa_core.tables.known_gaps import OffsetSpan
from lpa_core.tables.table import Column, Kind
from lpa_replay.database import ReplayDatabase
from lpa_sinks.clickhouse.inline_rows import SETTINGS, carried_columns

_KEYS: Final = (Column("org", Kind.TEXT), Column("key", Kind.TEXT))
_POSITIONS: Final = (Column("topic", Kind.TEXT), Column("partition", Kind.UINT32), Column("offset", Kind.UINT64))


class Earlier(NamedTuple):
    """What earlier replays did with a record: how often they sent it, under which keys, and whether one gave it up."""

    attempts: int = 0
    keys: Sequence[str] = ()
    exhausted: bool = False


class Knowledge(Protocol):
    """Asked for many records at once. Raises SinkUnavailable, SinkMisconfigured."""

    def stored(self, keys: Iterable[EventKey]) -> set[EventKey]:
        """Those of the keys whose event is stored, no matter how long ago, and not by this run."""
        ...

    def earlier(self, origins: Iterable[Position]) -> Mapping[Position, Earlier]:
        """For those of the records that were replayed before, by another run than this."""
        ...

    def erased(self, origins: Iterable[Position]) -> set[Position]:
        """Those of the records that were erased, and must not come back."""
        ...


@final
class StoredKnowledge:
    """Asks the database, whatever the dedup store may have forgotten since."""

    def __init__(self, database: ReplayDatabase, replay_id: str) -> None:
        self._database, self._id = database, replay_id
        ((replays,),) = database.rows(
            "count replays", f"SELECT count() FROM {database.table('replay_outcomes')} LIMIT 1"
        )
        self._any_replay = bool(replays)
        self._erased: dict[tuple[str, int], list[OffsetSpan]] = {}
        for topic, partition, first, behind in database.rows("look erasures up", database.sql("erased.sql")):
            self._erased.setdefault((topic, partition), []).append(OffsetSpan(first, behind))

    def stored(self, keys: Iterable[EventKey]) -> set[EventKey]:
        wanted = list(dict.fromkeys(key for key in keys if key.dedup_key))
        if not wanted:
            return set()

        columns: list[list[Any]] = [[key.org for key in wanted], [key.dedup_key for key in wanted]]

        def ask() -> set[EventKey]:
            found = self._asked("stored_keys.sql", keys=carried_columns(_KEYS, columns))
            return {EventKey(org, dedup_key) for org, dedup_key in found}

        return self._database.run("look stored events up", ask)

    def earlier(self, origins: Iterable[Position]) -> Mapping[Position, Earlier]:
        wanted = set(origins) if self._any_replay else set[Position]()
        if not wanted:
            return {}
        columns: list[list[Any]] = [
            [p.topic for p in wanted],
            [p.partition for p in wanted],
            [p.offset for p in wanted],
        ]

        def ask() -> Mapping[Position, Earlier]:
            rows = self._asked("earlier_replays.sql", positions=carried_columns(_POSITIONS, columns))
            return {
                Position(topic, partition, offset): Earlier(attempts, keys, bool(exhausted))
                for topic, partition, offset, attempts, keys, exhausted in rows
            }

        return self._database.run("look earlier replays up", ask)

    def erased(self, origins: Iterable[Position]) -> set[Position]:
        if not self._erased:
            return set()
        return {
            origin
            for origin in origins
            for span in self._erased.get((origin.topic, origin.partition), ())
            if span.first <= origin.offset < span.behind
        }

    def _asked(self, file: str, **rows: str) -> Sequence[Sequence[Any]]:
        query = self._database.sql(file, **rows)
        return self._database.client.query(query, parameters={"replay_id": self._id}, settings=SETTINGS).result_rows
