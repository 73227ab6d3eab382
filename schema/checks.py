"""CHECK constraints over columns that are not written together.

Nodes merge each column by itself, so values that one node wrote and values that another wrote can
meet in a row that such a CHECK refuses. Declared as one group (`__atomic__`) they cannot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, text

from records.catalogue import Catalogue, RecordInfo

_OF_MARIADB = text(
    "SELECT table_name, constraint_name, check_clause FROM information_schema.check_constraints "
    "WHERE constraint_schema = DATABASE()"
)
"""Two tables may have constraints of one name."""

_OF_MYSQL = text(
    "SELECT t.table_name, t.constraint_name, c.check_clause "
    "FROM information_schema.table_constraints AS t "
    "JOIN information_schema.check_constraints AS c "
    "ON c.constraint_schema = t.constraint_schema AND c.constraint_name = t.constraint_name "
    "WHERE t.constraint_type = 'CHECK' AND t.table_schema = DATABASE()"
)
_NAME_OR_TEXT = re.compile(r"`((?:[^`]|``)+)`|'(?:[^'\\]|''|\\.)*'", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class _Check(NamedTuple):
    """A CHECK, and the columns that it names."""

    name: str
    columns: frozenset[str]


def checks_across(connection: Connection, catalogue: Catalogue) -> list[str]:
    """Every CHECK that nodes could break together, in words, with what to declare."""
    found = _checks(connection)
    return [
        line
        for record in catalogue.records.values()
        for check in found.get(record.table, ())
        for line in _across(record, check)
    ]


def _across(record: RecordInfo, check: _Check) -> Iterator[str]:
    """What is wrong with a CHECK; a key does not change, so it needs no group."""
    names = [
        info.name
        for info in record.fields.values()
        if info.column in check.columns and info.name not in record.key
    ]
    if len(names) > 1 and not any(set(names) <= {*group} for group in record.atomic):
        group = ", ".join(f'"{name}"' for name in names)
        yield (
            f"the CHECK {check.name} of table {record.table} is about fields that nodes write and "
            f"merge one by one, so it can refuse what they wrote apart; add ({group}) to "
            f"__atomic__ of {record.cls.__name__}"
        )


def _checks(connection: Connection) -> dict[str, list[_Check]]:
    """The CHECK constraints of all tables, by table and in the order of their names."""
    is_mariadb = connection.dialect.is_mariadb  # type: ignore[attr-defined]
    found: dict[str, list[_Check]] = {}
    rows = connection.execute(_OF_MARIADB if is_mariadb else _OF_MYSQL)
    for table, name, clause in sorted(rows, key=lambda row: (row[0], row[1])):
        # MySQL shows the clause as a text in quotes would be written.
        written = clause if is_mariadb else _ESCAPED.sub(r"\1", clause)
        found.setdefault(table, []).append(_Check(name, frozenset(_columns(written))))
    return found


def _columns(clause: str) -> Iterator[str]:
    """The names in a clause; what stands within a text is none."""
    for match in _NAME_OR_TEXT.finditer(clause):
        if match[1] is not None:
            yield match[1].replace("``", "`")
