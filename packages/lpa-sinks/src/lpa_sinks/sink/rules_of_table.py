"""What a table does to rows that are inserted, as expressions: types, defaults, constraints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, final

import attrs
from clickhouse_connect.driver.client import Client

from lpa_sinks.clickhouse.sql_files import SqlFiles

_SQL: Final = SqlFiles(__package__)
_CONSTRAINT: Final = re.compile(r"^ +CONSTRAINT (`(?:[^`\\]|\\.)+`|\w+) CHECK (.+?),?$", re.MULTILINE)
"""A line of CREATE TABLE as ClickHouse formats it."""


@final
@attrs.frozen
class TableRules:
    """What becomes of rows that are inserted.

    Attributes:
        types: column -> its type.
        computed: column -> the expression that gives what is not inserted.
        constraints: name -> the expression that has to be true.
    """

    types: Mapping[str, str]
    computed: Mapping[str, str]
    constraints: Mapping[str, str]

    def statement(self, columns: Sequence[str], rows: str) -> str:
        """A query that says of each row (as a statement carries them) which constraint it violates.

        Counted from 1 in the order of ``constraints``, 0 for none. A value that cannot be converted or computed makes
        the whole query fail.
        """
        given = {name: self.types[name] for name in columns if name in self.types}
        computed = [
            f"{_cast(expression, self.types[name])} AS {_quoted(name)}"
            for name, expression in self.computed.items()
            if name not in given
        ]
        return _SQL.fill(
            "refused.sql",
            checks=", ".join(f"toUInt8(ifNull({rule}, 0) = 1)" for rule in self.constraints.values()) or "1",
            computed=", ".join(computed) or "1",
            given=", ".join(
                f"{_cast(f'carried.{_quoted(name)}', self.types[name])} AS {_quoted(name)}" for name in given
            ),
            rows=rows,
        )


def rules_of(client: Client, database: str, table: str) -> TableRules:
    """The rules of a table. Raises the client's errors."""
    where = {"database": database, "table": table}
    types, computed = {}, {}
    for name, type_, kind, expression in client.query(_SQL.text("table_columns.sql"), parameters=where).result_rows:
        types[name] = type_
        own = expression and kind != "EPHEMERAL"
        computed[name] = expression if own else f"defaultValueOfTypeName({_literal(type_)})"
    ((definition,),) = client.query(_SQL.text("table_definition.sql"), parameters=where).result_rows
    return TableRules(types, computed, dict(_CONSTRAINT.findall(definition)))


def _cast(expression: str, type_: str) -> str:
    return f"CAST({expression}, {_literal(type_)})"


def _quoted(name: str) -> str:
    return f"`{_escaped(name, '`')}`"


def _literal(text: str) -> str:
    return "'" + _escaped(text, "'") + "'"


def _escaped(text: str, quote: str) -> str:
    return text.replace("\\", "\\\\").replace(quote, f"\\{quote}")
