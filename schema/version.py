"""Two numbers that decide whether this code may run on a schema.

Each change of Herdbook's own tables counts `SCHEMA_NUMBER` up and comes with a revision that writes
both numbers into the database. A change that older code would trip over also raises `OLDEST_CODE`:
the lowest SCHEMA_NUMBER of code that may still run on the new schema.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

SCHEMA_NUMBER = 4
OLDEST_CODE = 3


@dataclass(frozen=True)
class SchemaNumbers:
    """What a database says of itself: its number, and the oldest code that may run on it."""

    schema: int
    oldest_code: int


class Fit(enum.Enum):
    """How a database and this code go together."""

    FITS = "fits"
    BEHIND = "behind"
    CODE_TOO_OLD = "code_too_old"


def fit(database: SchemaNumbers | None, code: int = SCHEMA_NUMBER) -> Fit:
    """Whether code that needs the schema `code` may run on a database (None: an empty one)."""
    if database is None or database.schema < code:
        return Fit.BEHIND
    return Fit.CODE_TOO_OLD if code < database.oldest_code else Fit.FITS
