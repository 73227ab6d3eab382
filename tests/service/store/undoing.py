"""The store of the dead without a reactor, a family to delete, and what is listed afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from records.catalogue import Catalogue
from records.values import RecordInfo
from schema.capture.columns import DIED, WRITER
from service.errors import Conflict, NotFound
from service.methods.paths import own_path
from service.methods.query import Query, SortBy
from service.methods.undo_port import Restored, graveyard
from service.store.threads import Lane
from service.store.undo import StoredUndo
from tests.service.store.direct import DirectLane, done, stored
from tests.service.store.families import CATALOGUE, INFO
from tests.service.store.removers import number
from tests.service.store.tools import ask, raw_connection, working

LAND, OTHER, TOWN, SHOP, VISIT, CITY = map(number, range(1, 7))
FAMILY = (
    ("land", {"id": LAND, "code": "AA"}),
    ("land", {"id": OTHER, "code": "BB"}),
    ("town", {"id": TOWN, "land_id": LAND, "twinned_id": OTHER, "name": "Bonn"}),
    ("town", {"id": CITY, "land_id": LAND, "name": "Köln"}),
    ("shop", {"id": SHOP, "town_id": TOWN, "name": "books"}),
    ("visit", {"id": VISIT, "town_id": TOWN, "shop_id": SHOP}),
)


@contextmanager
def undoing(url: str, catalogue: Catalogue = CATALOGUE) -> Iterator[StoredUndo]:
    """The store of the dead, as the methods use it."""
    with working(url, catalogue) as worker:
        lane = cast(Lane, DirectLane(worker))
        yield StoredUndo(lane, lane)


def delete(url: str, name: str, *keys: Any) -> None:
    """Delete records as the methods do."""
    with stored(url, CATALOGUE) as records:
        done(records.delete(INFO[name], [(key,) for key in keys], ()))


def delete_by_sql(url: str, table: str, key: Any) -> None:
    """Delete a row as an application does."""
    with raw_connection(url) as connection:
        raw = getattr(key, "bytes", key)
        ask(connection, f"DELETE FROM `{table}` WHERE id = %s", (raw,))


def restore(url: str, name: str, *keys: Any, children: bool = False) -> Restored:
    """Bring records back."""
    with undoing(url) as undo:
        return done(undo.restore(INFO[name], [(key,) for key in keys], children, ()))


def refusal(url: str, name: str, *keys: Any, children: bool = False) -> Any:
    """The error by which it is refused."""
    with pytest.raises((Conflict, NotFound)) as caught:
        restore(url, name, *keys, children=children)
    return caught.value


def listed(
    url: str,
    record: RecordInfo,
    limit: int = 100,
    after: Any = None,
    names: tuple[str, ...] = (),
    catalogue: Catalogue = CATALOGUE,
) -> list[Any]:
    """The keys of the dead, the last first, and who deleted them; some other fields if asked."""
    dead = graveyard(record)
    ordered = (DIED, *record.key)
    order = tuple(SortBy(own_path(dead, name), True) for name in ordered)
    select = tuple(own_path(dead, name) for name in (*ordered, WRITER, *names))
    with undoing(url, catalogue) as undo:
        return done(undo.list_deleted(record, Query(select, order, limit, after=after)))
