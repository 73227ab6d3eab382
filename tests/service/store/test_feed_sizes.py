"""How large a page gets: its rows are measured before they are read."""

from __future__ import annotations

from typing import Any

import pytest

from records.kinds.base import Kind
from service.methods.feed_json import ChangeEncoder
from service.methods.feed_port import Change, Wanted
from service.rpc.codec import encode
from service.store.feed import rows
from service.store.feed.pages import Bounds
from service.store.feed.rows import largest_row
from tests.service.store.direct import done, stored
from tests.service.store.feeds import CATALOGUE, capture, page, run, seal
from tests.service.store.specimens import CATALOGUE as SPECIMENS
from tests.service.store.specimens import SPECIMEN, extreme_rows
from tests.service.store.tools import ask, raw_connection, working

LARGE, TOO_LARGE, BOUND = 30_000, 65_000, 85_000


def read_all(database: str, wanted: Wanted, bounds: Bounds) -> list[tuple[Change, ...]]:
    """Every page from the beginning; each moves on."""
    pages, after = [], 0
    for _ in range(100):
        found = page(database, after, wanted=wanted, bounds=bounds)
        assert found.next > after or found.complete
        pages.append(tuple(found.changes))
        after = found.next
        if found.complete:
            return pages
    raise AssertionError("the feed does not end")


@pytest.fixture
def heavy(database: str) -> str:
    """Ten farms with large notes, a small one, and one larger than a page."""
    capture(database)
    with raw_connection(database) as connection:
        for number, size in enumerate([*[LARGE] * 10, 5, TOO_LARGE]):
            note = "n" * size
            ask(connection, "INSERT INTO farm VALUES (%s, 'x', %s)", (number, note))
    seal(database)
    return database


@pytest.mark.parametrize("rows", [True, False])
def test_a_page_ends_before_its_rows_get_too_large(heavy: str, rows: bool) -> None:
    """One row at least, whatever its size; keys alone are small, and all fit one page."""
    pages = read_all(heavy, Wanted(rows=rows), Bounds(size=BOUND))
    sizes = [len(found) for found in pages]
    assert sizes == ([2, 2, 2, 2, 3, 1] if rows else [12])
    assert [change for found in pages for change in found] == list(
        page(heavy, wanted=Wanted(rows=rows)).changes
    )
    for found in pages[:-1]:
        told = ChangeEncoder(CATALOGUE, Wanted()).changes(
            page(heavy, found[0].entry.position - 1, len(found))
        )
        assert len(encode(told)) < BOUND


def test_a_row_that_changed_often_counts_each_time_it_is_told(heavy: str) -> None:
    """It stands in the page as often."""
    run(heavy, *(f"UPDATE farm SET name = 'y{n}' WHERE number = 1" for n in range(6)))
    seal(heavy)
    pages = read_all(heavy, Wanted(), Bounds(size=BOUND))
    assert [len(found) for found in pages] == [2, 2, 2, 2, 3, 1, 2, 2, 2]


def test_rows_without_large_fields_are_counted_with_the_most_they_can_be(database: str) -> None:
    """Nothing is asked of the server for them."""
    capture(database)
    run(
        database,
        "INSERT INTO farm VALUES (1, 'x', NULL)",
        *(f"INSERT INTO cow VALUES ('{n}', 1, 0)" for n in range(20)),
    )
    seal(database)
    largest = largest_row(CATALOGUE.records["cow"])
    assert largest is not None
    pages = read_all(database, Wanted(records=frozenset({"cow"})), Bounds(size=5 * largest))
    assert len(pages) > 2
    assert sum(len(found) for found in pages) == 20


def test_no_value_of_any_kind_is_larger_than_it_was_measured(database: str) -> None:
    """The bound holds for what each kind becomes in JSON."""
    capture(database, SPECIMENS)
    specimens = extreme_rows()
    with stored(database, SPECIMENS) as store:
        done(store.create(SPECIMEN, specimens, ()))
    keys = [(row["number"],) for row in specimens]
    with working(database, SPECIMENS) as worker:
        looks: Any = worker.run(
            lambda tx: {
                key: (look.matches, look.size)
                for key, look in rows.look(tx, SPECIMEN, keys, None, True).items()
            }
        )
    for row in specimens:
        told = {name: _json(SPECIMEN.fields[name].kind, value) for name, value in row.items()}
        matches, size = looks[row["number"],]
        assert matches
        assert len(encode(told)) <= size * 2


def _json(kind: Kind, value: Any) -> Any:
    """A value in JSON."""
    return None if value is None else kind.to_json(value)
