"""Names and texts as SQL. A name may hold anything, quotes of every kind included."""

from __future__ import annotations

from collections.abc import Iterable


def quoted(name: str) -> str:
    """A name in backticks."""
    return "`" + name.replace("`", "``") + "`"


def listed(names: Iterable[str]) -> str:
    """Several names in backticks, with commas between them."""
    return ", ".join(map(quoted, names))


def literal(value: str) -> str:
    """A text as SQL, whatever the session's sql_mode; catalogues show it as it is written here."""
    if "'" in value or "\\" in value:
        return f"CONVERT(X'{value.encode().hex()}' USING utf8mb4)"
    return f"'{value}'"
