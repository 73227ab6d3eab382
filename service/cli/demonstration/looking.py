"""What a node's database holds, read past the node: so the demonstration need not be believed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from examples.gazetteer.records import City, Country
from records.catalogue import RecordInfo, catalogue_of
from records.kinds.documents import JsonKind
from service.herd.vectors import Vector
from service.server.statements import quoted
from service.store.herd.stored import origin_of
from service.store.opening import open_store
from service.store.transaction import Transaction

_CATALOGUE = catalogue_of([Country, City])


@dataclass(frozen=True)
class Sight:
    """The tables of one node. Equal digests: every value of every row is the same."""

    countries: int
    cities: int
    orphans: int
    digest: str


class Window:
    """A connection to one node's database."""

    def __init__(self, url: str) -> None:
        self._store = open_store(url, _CATALOGUE)
        self._tx = Transaction(self._store, _CATALOGUE)

    def close(self) -> None:
        """Close the connection."""
        self._store.close()

    def vector(self) -> Vector | None:
        """Up to where the node has everything; None while something has no position yet."""
        ((unsealed,),) = self._rows("SELECT COUNT(*) FROM `herdbook_inbox`")
        vector = origin_of(self._tx).vector
        self._store.rollback()
        return None if unsealed else {origin: at for origin, at in vector.items() if at}

    def count(self) -> int:
        """How many rows there are."""
        return sum(self._count(record.table) for record in _CATALOGUE.records.values())

    def look(self) -> Sight:
        """Read everything."""
        ((orphans,),) = self._rows(
            "SELECT COUNT(*) FROM `city` LEFT JOIN `country` "
            "ON `country`.`id` = `city`.`country_id` WHERE `country`.`id` IS NULL"
        )
        digest = hashlib.sha256()
        for record in _CATALOGUE.records.values():
            for row in self._records(record):
                digest.update(repr(row).encode())
        countries, cities = self._count("country"), self._count("city")
        return Sight(countries, cities, orphans, digest.hexdigest()[:16])

    def _records(self, record: RecordInfo) -> Iterator[tuple[object, ...]]:
        """The rows of a table by key; documents as values, since servers write them differently."""
        fields = record.fields.values()
        documents = {at for at, field in enumerate(fields) if isinstance(field.kind, JsonKind)}
        columns = ", ".join(quoted(field.column) for field in fields)
        order = ", ".join(quoted(record.fields[name].column) for name in record.key)
        for row in self._rows(f"SELECT {columns} FROM {quoted(record.table)} ORDER BY {order}"):
            yield tuple(_plain(value, at in documents) for at, value in enumerate(row))

    def _count(self, table: str) -> int:
        ((number,),) = self._rows(f"SELECT COUNT(*) FROM {quoted(table)}")
        return int(number)

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        found = self._tx.rows(statement)
        self._store.rollback()
        return found


def in_step(windows: Collection[Window]) -> bool:
    """Whether all nodes have everything of each other."""
    vectors = [window.vector() for window in windows]
    return vectors[0] is not None and all(vector == vectors[0] for vector in vectors)


def _plain(value: object, is_document: bool) -> object:
    if is_document and isinstance(value, str | bytes):
        return json.dumps(json.loads(value), sort_keys=True)
    return value
