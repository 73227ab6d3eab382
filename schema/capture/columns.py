"""What capture adds to a table, and the graveyard beside it.

A row holds, invisibly:

    herdbook_life     how often it was born or died: odd while it lives, 0 before it is captured
    herdbook_stamp    when it was last written, in microseconds since 1970, UTC; each is higher
    herdbook_origin   where that was
    herdbook_clock    once it was changed: the versions of its columns, by the columns' numbers

A version is a stamp (8 bytes) and an origin (4 bytes), high bytes first. The clock begins with the
version of the row's birth; then comes a slot for each column that was changed since, in no order:
the column's number (2 bytes, see `number_bytes`), its version, and the last version of another
origin that it overwrote (zeros: none).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column
from sqlalchemy.dialects import mysql

LIFE, STAMP, ORIGIN, CLOCK = (
    "herdbook_life",
    "herdbook_stamp",
    "herdbook_origin",
    "herdbook_clock",
)
META = (LIFE, STAMP, ORIGIN, CLOCK)

DIED, WRITER = "herdbook_died", "herdbook_writer"
"""Only in graveyards: the moment of the deletion, in microseconds since 1970, UTC; it is the same
for all rows that one deletion took along. And who deleted it."""

WRITER_LENGTH = 120
"""Characters kept of who wrote."""

VERSION_BYTES = 12
NUMBER_BYTES = 2
SLOT_BYTES = NUMBER_BYTES + 2 * VERSION_BYTES

_HIGH_BIT = 0x8000
HIGHEST_NUMBER = _HIGH_BIT - 1

GRAVEYARD_PREFIX = "herdbook_dead_"

# Without a default for the life a row that came past the triggers would have to be looked for.
DEFINITIONS = {
    LIFE: "INT UNSIGNED NOT NULL DEFAULT 0 INVISIBLE",
    STAMP: "BIGINT UNSIGNED NOT NULL DEFAULT 0 INVISIBLE",
    ORIGIN: "INT UNSIGNED NOT NULL DEFAULT 0 INVISIBLE",
    CLOCK: "BLOB NULL INVISIBLE",
}


def graveyard_of(table: str) -> str:
    """The name of a table's graveyard."""
    return GRAVEYARD_PREFIX + table


def graveyard_meta() -> list[Column[Any]]:
    """What every graveyard has beside the columns of its table."""
    return [
        Column(LIFE, mysql.INTEGER(unsigned=True), nullable=False, autoincrement=False),
        Column(STAMP, mysql.BIGINT(unsigned=True), nullable=False, autoincrement=False),
        Column(ORIGIN, mysql.INTEGER(unsigned=True), nullable=False, autoincrement=False),
        Column(CLOCK, mysql.BLOB()),
        Column(DIED, mysql.BIGINT(unsigned=True), nullable=False, autoincrement=False),
        Column(WRITER, mysql.VARCHAR(WRITER_LENGTH, collation="utf8mb4_bin"), nullable=False),
    ]


def number_bytes(number: int) -> bytes:
    """A column's number as changelogs and clocks have it.

    The highest bit is set: so the bytes are not those that every stamp of our time begins with, and
    looking for a number in a clock finds it at once.
    """
    return (_HIGH_BIT | number).to_bytes(NUMBER_BYTES, "big")


def numbers_in(fields: bytes) -> list[int]:
    """The numbers of the columns that an entry of the changelog names."""
    starts = range(0, len(fields), NUMBER_BYTES)
    return [int.from_bytes(fields[i : i + NUMBER_BYTES], "big") & HIGHEST_NUMBER for i in starts]
