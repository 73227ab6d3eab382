"""Places as bytes: keys as changelogs have them, and digests of places."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from records.states import Value
from service.herd.shapes import Key, Place
from service.store.herd.described import HerdTable
from service.store.herd.values import bytes_of, joined

Tables = Mapping[str, HerdTable]


def row_key_of(tables: Tables, place: Place) -> bytes:
    """The key of a row as changelogs have it.

    Of a table that is not known here, or whose keys are of another form, the parts are what their
    types say.
    """
    if fits(tables, place):
        return bytes_of(tables[place[0]].key, place[1])
    return joined([_part(value) for value in place[1]])


def fits(tables: Tables, place: Place) -> bool:
    """Whether a table is known, and this can be a key of it."""
    table = tables.get(place[0])
    if table is None:
        return False
    try:
        bytes_of(table.key, place[1])
    except ValueError:
        return False
    return True


def digest(table: str, row_key: bytes) -> bytes:
    """What stands for a place where it has to be short."""
    return hashlib.sha256(table.encode() + b"\0" + row_key).digest()


def by_table(places: Iterable[Place]) -> dict[str, list[Key]]:
    """The keys of each table."""
    found: dict[str, list[Key]] = defaultdict(list)
    for table, key in places:
        found[table].append(key)
    return found


def _part(value: Value) -> bytes:
    if isinstance(value, bytes):
        return value
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return text.encode()
