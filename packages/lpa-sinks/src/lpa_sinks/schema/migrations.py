"""Changes of the schema as files: which there are, and which a database has."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence, Set
from itertools import pairwise
from pathlib import Path
from typing import Final, final

import attrs
import msgspec
from clickhouse_connect.driver.client import Client

from lpa_core.errors import ConfigurationError
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.schema.ddl import DEFAULT_DATABASE, SQL, sql_file
from lpa_sinks.schema.sql_text import clauses, statements, strange_quotes

BUILTIN: Final = Path(__file__).with_name("migrations")
MIGRATIONS_TABLE: Final = "schema_migrations"

_BASELINE: Final = "baseline"

_FOLDER: Final = re.compile(r"(\d{4})-([a-z0-9-]+)")
_VIEW: Final = re.compile(rf"CREATE\s+OR\s+REPLACE\s+VIEW\s+{DEFAULT_DATABASE}\.(\w+)\s+(?=AS\s|\()", re.IGNORECASE)
_ADDITIVE: Final = re.compile(
    r"CREATE\s+(TABLE|VIEW|MATERIALIZED\s+VIEW|DICTIONARY)\s+IF\s+NOT\s+EXISTS\s|INSERT\s+INTO\s", re.IGNORECASE
)
_ALTER: Final = re.compile(r"ALTER\s+TABLE\s+(?P<table>\S+)\s+(?:ON\s+CLUSTER\s+\S+\s+)?", re.IGNORECASE)
_ADDITIVE_CLAUSE: Final = re.compile(
    r"(?:ADD\s+(?:(?P<added>COLUMN)|INDEX|PROJECTION)\s+IF\s+NOT\s+EXISTS"
    r"|MODIFY\s+(?:(?P<list>SETTING|TTL)|COMMENT|(?P<key>ORDER)\s+BY)"
    r"|MODIFY\s+COLUMN\s+(?P<modified>\w+)\s+\w+\s+(?P<kind>ALIAS|MATERIALIZED)"
    r"|MATERIALIZE\s+COLUMN(?=\s+(?P<again>\w+)))\s",
    re.IGNORECASE,
)
_ADDED_COMPUTED: Final = re.compile(r"ADD\s+COLUMN\s+IF\s+NOT\s+EXISTS\s+(\w+)\s+\w+\s+MATERIALIZED\s", re.IGNORECASE)
_LISTED: Final = re.compile(r"\w+\s*[=(+-]")
"""Another setting or another expression of a TTL: no clause of ALTER begins so."""
_DIFFERS: Final = re.compile(r"^-- differs: (\w+): \S.*$", re.MULTILINE)


class MigrationError(ConfigurationError):
    """A migration cannot be applied or taken back as its files are. One line: which, what is wrong, what to do."""


@final
@attrs.frozen
class View:
    """A view that a migration defines: its columns where they are given, and ``AS SELECT ...``.

    ``differs``: its rows are meant to be others than before.
    """

    name: str
    definition: str
    differs: bool


@final
@attrs.frozen
class ComputedColumn:
    """A column that a migration computes. It has to be of that kind already: others hold values.

    Attributes:
        kind: ``ALIAS``, or ``MATERIALIZED`` for one whose values are stored.
        added: the migration adds it as such, so it may be missing.
    """

    table: str
    column: str
    kind: str
    added: bool = False


@final
@attrs.frozen
class Migration:
    """A change of the schema.

    Attributes:
        additions: statements that add to what is there, each safe to run again.
        computed: what the additions compute, in another way or of stored rows.
        views: views that are cut over.
        down: statements that take the additions back.
        checksum: SHA-256 of the files, hex.
    """

    number: int
    name: str
    additions: Sequence[str]
    computed: Sequence[ComputedColumn]
    views: Sequence[View]
    down: Sequence[str]
    checksum: str

    def __str__(self) -> str:
        return f"{self.number:04d}-{self.name}"


@final
@attrs.frozen
class Applied:
    """What a database remembers of a migration.

    ``state`` is begun, applied, rolled back, or baseline: the database was made with it.
    """

    number: int
    name: str
    checksum: str
    state: str
    previous_views: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.number:04d}-{self.name}"

    @property
    def in_force(self) -> bool:
        return self.state != "rolled back"

    @property
    def is_baseline(self) -> bool:
        """Such a migration cannot be rolled back: the database never was without it."""
        return self.state == _BASELINE


def read_migrations(folder: Path = BUILTIN, database: str = DEFAULT_DATABASE) -> list[Migration]:
    """The migrations in a folder, in their order, for a database of that name.

    Raises MigrationError if one is not as it has to be.
    """
    if not folder.is_dir():
        raise MigrationError(f"{folder}: there is no such folder of migrations")
    found = [_read(each, database) for each in sorted(folder.iterdir()) if _FOLDER.fullmatch(each.name)]
    for one, other in pairwise(found):
        if one.number == other.number:
            raise MigrationError(f"{folder}: {one} and {other} have the same number: give one the next")
    return found


def applied_migrations(client: Client, database: str) -> dict[str, Applied]:
    """What the database remembers, by number and name, what was changed last at the end. Raises the client's errors.

    Migrations of two folders may have the same number.
    """
    where = {"database": database, "name": MIGRATIONS_TABLE}
    if not client.query(sql_file("view_definition.sql"), parameters=where).result_rows:
        return {}
    query = SQL.fill("migration_states.sql", database=quoted(database))
    known = [Applied(*row) for row in client.query(query).result_rows]
    return {str(each): each for each in known}


def remember(client: Client, database: str, *applied: Applied) -> None:
    """Raises the client's errors."""
    client.command(SQL.fill("schema_migrations.sql", database=quoted(database)))
    columns = ["number", "name", "checksum", "state", "previous_views"]
    rows = [(each.number, each.name, each.checksum, each.state, dict(each.previous_views)) for each in applied]
    # The same may be remembered again: a migration that was rolled back and is applied once more.
    settings = {"insert_deduplicate": 0, "async_insert": 0}
    # The client's own insert would import pandas, which takes longer than all statements for a new database.
    encoded = b"\n".join(map(msgspec.json.encode, rows))
    client.raw_insert(
        f"{quoted(database)}.{quoted(MIGRATIONS_TABLE)}", columns, encoded, settings=settings, fmt="JSONCompactEachRow"
    )


def remember_baseline(client: Client, database: str) -> None:
    """Remember that a new database was made with the migrations of this version. Raises the client's errors."""
    shipped = read_migrations(BUILTIN, database)
    remember(client, database, *(Applied(each.number, each.name, each.checksum, _BASELINE, {}) for each in shipped))


def pending(migrations: Sequence[Migration], applied: Mapping[str, Applied]) -> list[Migration]:
    """The migrations that are to be applied, in their order.

    A view that a later one defines again is left to that one: a new database has its definition already.

    Raises MigrationError if one was applied as other text.
    """
    for migration in migrations:
        known = applied.get(str(migration))
        if known is not None and known.in_force and known.checksum != migration.checksum:
            raise MigrationError(
                f"migration {migration} was changed after it was applied: "
                "bring its files back, and make another one for the change"
            )
    done = {name for name, known in applied.items() if known.state in ("applied", _BASELINE)}
    waiting: list[Migration] = []
    defined: set[str] = set()
    for migration in reversed(migrations):
        if str(migration) not in done:
            views = [view for view in migration.views if view.name not in defined]
            waiting.insert(0, attrs.evolve(migration, views=views))
        defined.update(view.name for view in migration.views)
    return waiting


def missing(migrations: Sequence[Migration], applied: Mapping[str, Applied]) -> list[Applied]:
    """What is in force in a database, in its order, and is neither of these migrations nor of this version's own."""
    held = {str(migration) for migration in [*migrations, *read_migrations()]}
    return [known for name, known in sorted(applied.items()) if known.in_force and name not in held]


def _read(folder: Path, database: str) -> Migration:
    number, name = folder.name.split("-", 1)
    up, down = (_text(folder / file) for file in ("up.sql", "down.sql"))
    differing = set(_DIFFERS.findall(up))
    additions: list[str] = []
    computed: list[ComputedColumn] = []
    added: set[tuple[str, str]] = set()
    views: list[View] = []
    for file, text in (("up.sql", up), ("down.sql", down)):
        if strange_quotes(text):
            raise MigrationError(
                f"{folder / file}: write strings in plain quotes, not between $tag$ or typographic ones"
            )
    for statement in statements(up):
        view = _VIEW.match(statement)
        if view:
            views.append(View(view[1], _named(statement[view.end() :], database), view[1] in differing))
        elif _only_adds(statement):
            additions.append(_named(statement, database))
            added |= {(_altered(statement), name) for name in _ADDED_COMPUTED.findall(statement)}
            computed += _computed(statement, added)
        else:
            raise MigrationError(
                f"{folder / 'up.sql'}: {' '.join(statement.split())[:60]}...: a migration only adds, or says "
                "CREATE OR REPLACE VIEW: what is no longer used is dropped by hand once nothing rolls back to it"
            )
    checksum = hashlib.sha256(f"{up}\n{down}".encode()).hexdigest()
    return Migration(
        int(number), name, additions, computed, views, [_named(each, database) for each in statements(down)], checksum
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MigrationError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise MigrationError(f"{file}: byte {error.start} is not UTF-8: save it as UTF-8") from None


def _only_adds(statement: str) -> bool:
    altered = _ALTER.match(statement)
    if altered is None:
        return _ADDITIVE.match(statement) is not None
    listing = adding = keyed = False
    for clause in clauses(statement[altered.end() :]):
        found = _ADDITIVE_CLAUSE.match(clause)
        if found is None:
            if not (listing and _LISTED.match(clause)):
                return False
            continue
        listing, adding, keyed = bool(found["list"]), adding or bool(found["added"]), keyed or bool(found["key"])
    return adding or not keyed  # ClickHouse takes into a sorting key what is added with it, and would also shorten one


def _altered(statement: str) -> str:
    """The table that it alters, by its name alone; empty if it alters none."""
    altered = _ALTER.match(statement)
    return "" if altered is None else altered["table"].replace("`", "").rpartition(".")[2]


def _computed(statement: str, added: Set[tuple[str, str]]) -> list[ComputedColumn]:
    """What an ALTER computes. ``added`` are tables and computed columns that the migration has added by then."""
    altered, table = _ALTER.match(statement), _altered(statement)
    if altered is None:
        return []
    found = [each for each in map(_ADDITIVE_CLAUSE.match, clauses(statement[altered.end() :])) if each is not None]
    modified = [ComputedColumn(table, each["modified"], each["kind"].upper()) for each in found if each["modified"]]
    again = [each["again"] for each in found if each["again"]]
    return [*modified, *(ComputedColumn(table, name, "MATERIALIZED", (table, name) in added) for name in again)]


def _named(statement: str, database: str) -> str:
    """The statement for the database of that name."""
    return re.sub(rf"\b{DEFAULT_DATABASE}\b", lambda match: quoted(database), statement)
