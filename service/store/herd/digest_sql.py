"""The SQL by which a server digests rows: the same bytes on MariaDB and on MySQL.

A row's text holds its life, its latest version, the versions of its columns in no order, and each
column, told apart from its neighbours and NULL from everything. The digest is the first 128 bits of
the text's SHA-256. A row that lives counts once, also where a dead row lies beside it whose key was
used again; then it has the life after that one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from schema.capture.columns import (
    CLOCK,
    DIED,
    LIFE,
    ORIGIN,
    SLOT_BYTES,
    STAMP,
    VERSION_BYTES,
    WRITER,
    graveyard_of,
    number_bytes,
)
from schema.capture.row_key import key_expression
from schema.capture.shape import TEXT
from service.store.herd.described import HerdTable
from service.store.herd.values import HerdColumn
from service.store.sql import quoted

DIGEST_DIGITS = 32
_HALF_DIGITS = DIGEST_DIGITS // 2

_UTF8 = "CAST(CAST({0} AS CHAR CHARACTER SET utf8mb4) AS BINARY)"
_ASCII = "CAST({0} AS CHAR CHARACTER SET ascii)"

# No value of these holds a comma, so one ends it.
_SHORT = "COALESCE({0}, 'N'), ','"
# What may hold anything has its length before it.
_MEASURED = "COALESCE(CONCAT(LENGTH({0}), ':', {0}), 'N,')"
# What may be long is hashed by itself: a row's whole text must not be longer than a packet.
_HASHED = "COALESCE(SHA2({0}, 256), 'N,')"

# The servers print some doubles differently. A point has its coordinates as they are in memory:
# after the order of bytes and the type come the eight bytes of the first. The sign of zero does not
# count: not every way of writing a value keeps it.
_DOUBLE = "COALESCE(SUBSTRING(ST_AsWKB(POINT({0} + 0e0, 0)), 6, 8), 'N,')"
DOUBLES = frozenset({"float", "double"})

TEXTS = frozenset({"char", "varchar", "enum", "set"})
LONG_TEXTS = frozenset({"tinytext", "text", "mediumtext", "longtext"})
BINARIES = frozenset({"binary", "varbinary"})
BLOBS = frozenset({"tinyblob", "blob", "mediumblob", "longblob"})


@dataclass(frozen=True)
class DigestSql:
    """The SQL for some columns of one table.

    `documents` are those of them that are compared by value, which the digest leaves out.
    """

    table: HerdTable
    columns: tuple[HerdColumn, ...]
    documents: tuple[HerdColumn, ...] = ()

    def union(self, digits: int, phantoms: Sequence[str]) -> str:
        """All rows as bucket `b` and digest `d`, and phantom rows: their buckets and digests."""
        live = f"SELECT {self.bucket('r', digits)} AS b, {self._live_digest} AS d {self.live}"
        dead = f"SELECT {self.bucket('g', digits)}, {self._dead_digest} {self.dead}"
        return " UNION ALL ".join((live, dead, *phantoms))

    def sums(self, digits: int, phantoms: Sequence[str]) -> str:
        """For each bucket: rows, rows with a digest, and the sums of the digests' halves."""
        halves = ", ".join(
            f"SUM(CAST(CONV(SUBSTRING(u.d, {start}, {_HALF_DIGITS}), 16, 10) AS UNSIGNED))"
            for start in (1, _HALF_DIGITS + 1)
        )
        return (
            f"SELECT u.b, COUNT(*), COUNT(u.d), {halves} "
            f"FROM ({self.union(digits, phantoms)}) AS u GROUP BY u.b"
        )

    def each(self, alias: str, digits: int) -> str:
        """What is read of each row: bucket, digest, key, the documents, and the key's columns."""
        digest = self._live_digest if alias == "r" else self._dead_digest
        documents = [f"{alias}.{quoted(column.name)}" for column in self.documents]
        key = [part.column.read_from(alias) for part in self.table.key]
        return ", ".join((self.bucket(alias, digits), digest, self.key(alias), *documents, *key))

    def key(self, alias: str) -> str:
        """A row's key as bytes."""
        return key_expression(self.table.capture.key, alias)

    def bucket(self, alias: str, digits: int) -> str:
        """The first digits of the hash of a row's key."""
        return f"LEFT(SHA2({self.key(alias)}, 256), {digits:d})"

    @cached_property
    def live(self) -> str:
        """FROM: the rows `r` that live, with dead ones `g` of the same key beside them."""
        here, grave = quoted(self.table.name), quoted(graveyard_of(self.table.name))
        return f"FROM {here} AS r LEFT JOIN {grave} AS g ON {self._same_key}"

    @cached_property
    def dead(self) -> str:
        """FROM: the dead rows `g` whose keys are not in use again."""
        here, grave = quoted(self.table.name), quoted(graveyard_of(self.table.name))
        first = quoted(self.table.key[0].column.name)
        return (
            f"FROM {grave} AS g LEFT JOIN {here} AS r ON {self._same_key} WHERE r.{first} IS NULL"
        )

    @cached_property
    def _same_key(self) -> str:
        """The same to the byte: a collation may take other spellings for the same."""
        conditions = []
        for part in self.table.key:
            live, dead = (f"{alias}.{quoted(part.column.name)}" for alias in "rg")
            conditions.append(f"{live} = {dead}")
            if part.form == TEXT:
                conditions.append(f"{_UTF8.format(live)} = {_UTF8.format(dead)}")
        return " AND ".join(conditions)

    @cached_property
    def _live_digest(self) -> str:
        life = f"GREATEST(IF(r.{LIFE} = 0, 1, r.{LIFE}), COALESCE(g.{LIFE} + 1, 0))"
        return self._digest("r", f"'L', {life}, ','")

    @cached_property
    def _dead_digest(self) -> str:
        writer = _MEASURED.format(_UTF8.format(f"g.{WRITER}"))
        return self._digest("g", f"'D', g.{LIFE}, ',', g.{DIED}, ',', {writer}")

    def _digest(self, alias: str, existence: str) -> str:
        columns = ", ".join(_text_of(column, alias) for column in self.columns)
        versions = f"{alias}.{STAMP}, ',', {alias}.{ORIGIN}, ',', {self._clock(alias)}, ','"
        text = ", ".join(part for part in (existence, versions, columns) if part)
        return f"LEFT(SHA2(CONCAT({text}), 256), {DIGEST_DIGITS})"

    def _clock(self, alias: str) -> str:
        """The version of the birth, and the sum of the hashes of the slots, which have no order."""
        clock = f"{alias}.{CLOCK}"
        born = (
            f"UNHEX(CONCAT(LPAD(HEX({alias}.{STAMP}), 16, '0'), "
            f"LPAD(HEX({alias}.{ORIGIN}), 8, '0')))"
        )
        most = self.table.capture.last_number
        broken = (
            f"LENGTH({clock}) < {VERSION_BYTES} "
            f"OR LENGTH({clock}) > {VERSION_BYTES + most * SLOT_BYTES} "
            f"OR MOD(LENGTH({clock}) - {VERSION_BYTES}, {SLOT_BYTES}) <> 0"
        )
        slots = " + ".join(self._slot(clock, at) for at in range(most))
        return (
            f"CASE WHEN {clock} IS NULL THEN CONCAT({born}, '0') "
            f"WHEN {broken} THEN CONCAT('X', SHA2({clock}, 256)) "
            f"ELSE CONCAT(LEFT({clock}, {VERSION_BYTES}), {slots}) END"
        )

    def _slot(self, clock: str, at: int) -> str:
        """The hash of a slot as a number; 0 where there is none, or its column is not compared."""
        start = VERSION_BYTES + at * SLOT_BYTES
        slot = f"SUBSTRING({clock}, {start + 1}, {SLOT_BYTES})"
        return (
            f"IF(LENGTH({clock}) > {start} AND LEFT({slot}, 2) IN ({self._numbers}), "
            f"CAST(CONV(LEFT(SHA2({slot}, 256), 16), 16, 10) AS DECIMAL(20)), 0)"
        )

    @cached_property
    def _numbers(self) -> str:
        columns = (*self.columns, *self.documents)
        return ", ".join(f"X'{number_bytes(int(column.id)).hex()}'" for column in columns)


def phantom_sql(bucket: str, digest: int) -> str:
    """A row that is not there, among those of `union`."""
    return f"SELECT '{bucket}', '{digest:0{DIGEST_DIGITS}x}'"


def _text_of(column: HerdColumn, alias: str) -> str:
    """A column's part of the row's text."""
    kind, value = column.data_type, f"{alias}.{quoted(column.name)}"
    if kind in TEXTS:
        return _MEASURED.format(_UTF8.format(value))
    if kind in LONG_TEXTS:
        return _HASHED.format(_UTF8.format(value))
    if kind in BINARIES:
        return _MEASURED.format(value)
    if kind in BLOBS:
        return _HASHED.format(value)
    if kind in DOUBLES:
        return _DOUBLE.format(value)
    return _SHORT.format(_ASCII.format(column.read_from(alias)))
