"""Deleted rows that keep a graveyard from being changed like its table."""

from __future__ import annotations

import re

from schema.capture.columns import GRAVEYARD_PREFIX, graveyard_of
from schema.capture.quoting import quoted

_ALTERED = re.compile(
    rf"\s*ALTER\s+TABLE\s+(?:`{GRAVEYARD_PREFIX}((?:[^`]|``)+)`|{GRAVEYARD_PREFIX}(\w+))",
    re.IGNORECASE,
)

_DOES_NOT_FIT = frozenset(
    # Cut, too long, out of range, not of the character set or the type.
    {1265, 1406, 1264, 1366, 1292}
    # NULL where none may be, a value that is there twice, no partition, a check of either server.
    | {1138, 1048, 1062, 1526, 3819, 4025}
)
"""What the server says of a value, and not of the statement, of locks or of rights."""


def in_the_way(statement: str, code: int) -> str:
    """What to do where a statement on a graveyard was refused for the rows in it; else nothing."""
    altered = _ALTERED.match(statement)
    if altered is None or code not in _DOES_NOT_FIT:
        return ""
    table = altered[2] or altered[1].replace("``", "`")
    graveyard = graveyard_of(table)
    return (
        f"Table {graveyard} is the graveyard of {table}: some of the deleted rows in it do not "
        f"fit. Delete what does not fit, with DELETE FROM {quoted(graveyard)} WHERE …, and run the "
        "command again. Records that are deleted there can no longer be restored; nothing else is "
        "lost."
    )
