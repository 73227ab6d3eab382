"""Keys over several columns, declared in a record class's `__constraints__`.

    class Street(Record):
        __constraints__ = (Unique("city", "name"), Index("name", name="by_name"))

Columns are given by field name; a reference's name stands for its columns.
"""

from __future__ import annotations


class Constraint:
    """Some fields that make a key together; `name` overrides the name in the database."""

    def __init__(self, *fields: str, name: str | None = None) -> None:
        self.fields = fields
        self.name = name

    def __repr__(self) -> str:
        """As it was declared."""
        return f"{type(self).__name__}({', '.join(map(repr, self.fields))})"


class Unique(Constraint):
    """No two records have the same values in all of these fields (NULLs never count as same)."""


class Index(Constraint):
    """An index over these fields, in this order."""
