"""Which changes of a column's type lose something of its values without an error.

The servers refuse what does not fit at all: a number out of range, a text that is too long, a value
that is no choice. They do not refuse to round, to cut off, or to read a value as something else.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.types import TypeEngine

# Types of one family take each other's values; the numbers tell which of them keeps more.
_FAMILIES: dict[str, tuple[str, int]] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "MEDIUMINT", "INTEGER", "BIGINT"), ("exact", 0)),
    **dict.fromkeys(("DECIMAL", "NUMERIC"), ("exact", 0)),
    "FLOAT": ("approximate", 0),
    "DOUBLE": ("approximate", 1),
    "DATE": ("moment", 0),
    **dict.fromkeys(("DATETIME", "TIMESTAMP"), ("moment", 1)),
    # Spaces at the end of a CHAR are lost, zeros at the end of a BINARY are added.
    "CHAR": ("characters", 0),
    "BINARY": ("characters", 1),
    **dict.fromkeys(("VARCHAR", "VARBINARY", "ENUM", "SET"), ("characters", 2)),
    **dict.fromkeys(("TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"), ("characters", 2)),
    **dict.fromkeys(("TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"), ("characters", 2)),
}
# Written out as text these lose nothing.
_WRITTEN = frozenset({"exact", "moment", "TIME", "YEAR", "JSON"})
_AS_INTEGER = frozenset({"BIT", "YEAR"})


def may_lose(found: TypeEngine[Any], declared: TypeEngine[Any]) -> bool:
    """Whether values of the type found may come out changed when the declared one takes them."""
    (family, kept), (other_family, other_kept) = _measure(found), _measure(declared)
    if family == other_family:
        return other_kept < kept
    if other_family == "characters":
        return family not in _WRITTEN
    return not (family in _AS_INTEGER and other_family == "exact")


def _measure(kind: TypeEngine[Any]) -> tuple[str, int]:
    """A type's family, and how much of a value it keeps: digits after the point add to that."""
    name = kind.__visit_name__
    family, kept = _FAMILIES.get(name, (name, 0))
    digits = getattr(kind, "fsp", None) or getattr(kind, "scale", None) or 0
    return family, kept + digits
