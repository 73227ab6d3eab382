"""The two ways to delete a record, and what is left afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from records.validation import Key
from service.store import writer
from service.store.transaction import Transaction
from tests.service.store.direct import done, stored
from tests.service.store.families import CATALOGUE, INFO
from tests.service.store.tools import (
    full_row,
    in_transaction,
    opened,
    read,
)

Remover = Callable[[str, str, Key], None]


def by_object(url: str, name: str, key: Key) -> None:
    """Delete one record through Storm."""
    with opened(url, CATALOGUE) as store:
        cls = INFO[name].cls
        store.remove(store.get(cls, key[0] if len(key) == 1 else key))
        store.commit()


def by_call(url: str, name: str, key: Key) -> None:
    """Delete one record as the methods do."""
    with stored(url, CATALOGUE) as records:
        assert done(records.delete(INFO[name], [key], ())) == 1


EVERY_WAY = pytest.mark.parametrize("remove", [by_object, by_call])


def number(value: int) -> uuid.UUID:
    """A UUID that is easy to tell."""
    return uuid.UUID(int=value)


def fill(url: str, *rows: tuple[str, dict[str, Any]]) -> None:
    """Write rows, in order."""

    def write(tx: Transaction) -> None:
        for name, values in rows:
            writer.insert(tx, INFO[name], [full_row(INFO[name], **values)])

    in_transaction(url, CATALOGUE, write)


def everything(url: str) -> dict[str, list[Any]]:
    """All rows of all tables that have any."""
    found = {
        info.table: sorted(read(url, f"SELECT * FROM `{info.table}`"), key=repr)
        for info in INFO.values()
    }
    return {table: rows for table, rows in found.items() if rows}


def counts(url: str) -> dict[str, int]:
    """How many rows there are, in the tables that have any."""
    return {table: len(rows) for table, rows in everything(url).items()}
