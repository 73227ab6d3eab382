"""How names follow from a declaration: predictable, and the same on every node."""

from __future__ import annotations

import re

LONGEST_NAME = 64
"""Characters in a name of MySQL or MariaDB (tables, columns, indexes, constraints)."""

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """`CityDistrict` becomes `city_district`, `HTTPLog` becomes `http_log`."""
    return _WORD_START.sub("_", name).lower()


def reference_column(reference: str, key_field: str) -> str:
    """The column of `reference` that holds the parent's `key_field`: `country_id`."""
    return f"{reference}_{key_field}"


def unique_name(table: str, columns: tuple[str, ...]) -> str:
    """The name of a unique key."""
    return _joined("uq", table, columns)


def index_name(table: str, columns: tuple[str, ...]) -> str:
    """The name of an index."""
    return _joined("ix", table, columns)


def foreign_key_name(table: str, columns: tuple[str, ...]) -> str:
    """The name of a foreign key; it must be the only one in its database."""
    return _joined("fk", table, columns)


def _joined(prefix: str, table: str, columns: tuple[str, ...]) -> str:
    """`prefix_table_column_column`."""
    return "_".join((prefix, table, *columns))
