"""Reading from both servers gives what a naive twin in Python gives."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from records import Bytes, Record, Text
from records.catalogue import Catalogue, catalogue_of
from records.validation import Row
from records.values import RecordInfo
from service.methods.cursor import write_cursor
from service.methods.listing import Listing, ListParser
from service.methods.options import list_parameters
from service.methods.params import Signature, bind
from service.store import reader, writer
from tests.service.methods.samples import ANIMAL, CATALOGUE, FARM, STALL
from tests.service.store import twin
from tests.service.store.pools import animal, conditions, insert_all, orders, plain, tables
from tests.service.store.sessions import Counted, opened

generated = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def transaction(database: str) -> Iterator[Counted]:
    """An open transaction on empty tables."""
    with opened(database) as tx:
        yield tx


class Page(Record):
    """A key that is longer than what a list is sorted by."""

    url = Text(length=700, primary=True)


class Stamp(Record):
    """The same with bytes."""

    print = Bytes(length=2000, primary=True)


LONG = catalogue_of([Page, Stamp])


def fresh(tx: Counted) -> None:
    """Empty tables again."""
    tx.store.rollback()


def listing(**params: Any) -> Listing:
    """What `animal.list` asks the store for."""
    return listing_of(CATALOGUE, ANIMAL, params)


def listing_of(catalogue: Catalogue, record: RecordInfo, params: dict[str, Any]) -> Listing:
    """What a list of any class asks the store for."""
    arguments = bind(Signature(list_parameters(record)), params)
    found = ListParser(catalogue, record, arguments).listing()
    arguments.problems.raise_any()
    assert found is not None
    return found


def walk(
    tx: Counted,
    params: dict[str, Any],
    between: Callable[[], None] = lambda: None,
    record: RecordInfo = ANIMAL,
) -> list[Row]:
    """The rows of all pages; `between` is called after the first one."""
    found: list[Row] = []
    following: str | None = None
    for number in range(100):
        asked = listing_of(tx.catalogue, record, params | {"next": following})
        rows, following = asked.cut(reader.page(tx, record, asked.query))
        found += rows
        if following is None:
            return found
        if number == 0:
            between()
    raise AssertionError("the pages do not end")


@generated
@given(rows=tables(), where=conditions(), order=orders(), limit=st.integers(1, 5))
def test_all_pages_together_are_what_was_asked_for_in_order(
    transaction: Counted, rows: twin.Tables, where: Any, order: list[str], limit: int
) -> None:
    """Walking the pages of any list gives each matching record once, in order."""
    fresh(transaction)
    insert_all(transaction, rows)
    params = {"where": where, "order": order, "limit": limit, "fields": ["number"]}
    found = [row["number"] for row in walk(transaction, params)]
    expected = twin.matching(rows, ANIMAL, where, order)
    assert found == [row["number"] for row in expected]
    counted = reader.count(transaction, ANIMAL, listing(where=where).query.where)
    assert counted == len(expected)


@generated
@given(
    rows=tables(),
    order=orders(),
    limit=st.integers(1, 4),
    gone=st.sets(st.integers(1, 12)),
    data=st.data(),
)
def test_changes_between_pages_neither_repeat_nor_skip_what_was_not_touched(
    transaction: Counted,
    rows: twin.Tables,
    order: list[str],
    limit: int,
    gone: set[int],
    data: st.DataObject,
) -> None:
    """Records that come and go while a client walks the pages disturb no other record."""
    fresh(transaction)
    insert_all(transaction, rows)
    mothers = {row["mother_number"] for row in rows["animal"]}
    removed = {row["number"] for row in rows["animal"] if row["number"] in gone} - mothers
    added = [data.draw(animal(number, [])) for number in range(13, 16)]

    def change() -> None:
        for number in removed:
            transaction.execute("DELETE FROM animal WHERE number = ?", (number,))
        insert_all(transaction, {"animal": added})

    params = {"order": order, "limit": limit, "fields": ["number"]}
    found = [row["number"] for row in walk(transaction, params, change)]
    assert len(found) == len(set(found))
    untouched = [
        row["number"]
        for row in twin.matching(rows, ANIMAL, None, order)
        if row["number"] not in removed
    ]
    assert [number for number in found if number < 13 and number not in removed] == untouched


@generated
@given(rows=tables())
@example(rows={"region": [], "farm": [], "animal": []})
def test_rows_come_back_as_they_were_written(transaction: Counted, rows: twin.Tables) -> None:
    """Every kind of value survives the database, by key and in a list."""
    fresh(transaction)
    insert_all(transaction, rows)
    written = {row["number"]: row for row in rows["animal"]}
    keys = [(number,) for number in range(1, 14)]
    by_key = reader.select_by_keys(transaction, ANIMAL, keys, tuple(ANIMAL.fields))
    assert by_key == [written.get(number) for number in range(1, 14)]
    assert walk(transaction, {"limit": 1000}) == [written[number] for number in sorted(written)]


def test_one_statement_answers_each_question(transaction: Counted) -> None:
    """Neither the number of records nor parents in the order cost further statements."""
    insert_all(transaction, {"animal": [plain(ANIMAL, {"number": at}) for at in range(1, 301)]})
    transaction.statements.clear()
    reader.select_by_keys(transaction, ANIMAL, [(at,) for at in range(1, 301)], ("name",))
    assert len(transaction.statements) == 1
    asked = listing(order=["farm.region.title", "-mother.name"], where=["farm.name", "=", "a"])
    reader.page(transaction, ANIMAL, asked.query)
    assert len(transaction.statements) == 2
    reader.count(transaction, ANIMAL, asked.query.where)
    assert len(transaction.statements) == 3


def test_a_parents_table_is_joined_only_where_its_own_fields_are_asked_for(
    transaction: Counted,
) -> None:
    """The key of a parent is in the child already."""
    reader.page(
        transaction, ANIMAL, listing(order="farm.id", where=["mother.number", "=", 1]).query
    )
    assert "JOIN" not in transaction.statements[-1]
    reader.page(transaction, ANIMAL, listing(order=["farm.name", "-farm.region.code"]).query)
    assert transaction.statements[-1].count("JOIN") == 1


def test_composite_keys_are_found(transaction: Counted) -> None:
    """A key of several fields is found as a whole, and never by parts of it."""
    farms = [{"id": str(uuid.UUID(int=at)), "region_code": "BE", "name": "x"} for at in (1, 2)]
    region = CATALOGUE.records["region"]
    insert_all(
        transaction,
        {
            "region": [plain(region, {"code": "BE", "title": "Bern"})],
            "farm": [plain(FARM, farm) for farm in farms],
            "stall": [
                plain(STALL, {"farm_id": farms[at]["id"], "place": at, "width": 1.5})
                for at in (0, 1)
            ],
        },
    )
    keys = [(uuid.UUID(int=2), 1), (uuid.UUID(int=1), 1), (uuid.UUID(int=1), 0)]
    found = reader.select_by_keys(transaction, STALL, keys, ("place",))
    assert found == [{"place": 1}, None, {"place": 0}]


def test_more_keys_than_fit_one_statement_are_all_found(transaction: Counted) -> None:
    """Beyond a thousand keys the question is asked in parts."""
    insert_all(transaction, {"animal": [plain(ANIMAL, {"number": at}) for at in range(1, 1202)]})
    keys = [(at,) for at in range(1201, -1, -1)]
    transaction.statements.clear()
    found = reader.select_by_keys(transaction, ANIMAL, keys, ("number",))
    assert found == [*({"number": at} for at in range(1201, 0, -1)), None]
    assert len(transaction.statements) == 2


@pytest.mark.parametrize(
    ("name", "field", "beginning"),
    [("page", "url", "x" * 255), ("page", "url", "𝄞" * 690), ("stamp", "print", b"x" * 1_500)],
    ids=["text", "text of wide characters", "bytes"],
)
@pytest.mark.parametrize("sign", ["", "-"])
def test_records_whose_long_keys_begin_alike_are_all_on_the_pages(
    database: str, name: str, field: str, beginning: Any, sign: str
) -> None:
    """A list ordered by its key, or by nothing, ends its pages where the next ones begin."""
    ends = "abcdefg" if isinstance(beginning, str) else [bytes([at]) for at in range(7)]
    rows = [{field: beginning + end} for end in ends]
    with opened(database, LONG) as tx:
        writer.insert(tx, LONG.records[name], rows)
        params = {"order": sign + field, "limit": 2}
        assert walk(tx, params, record=LONG.records[name]) == rows[:: -1 if sign else 1]
        assert walk(tx, {"limit": 2}, record=LONG.records[name]) == rows


@pytest.mark.parametrize("order", [[], ["-number"], ["farm_id"], ["-farm_id"]], ids=str)
def test_a_late_page_costs_no_more_than_an_early_one(
    transaction: Counted, order: list[str]
) -> None:
    """The server enters an index where the page before ended, and reads on from there."""
    farms = [str(uuid.UUID(int=at)) for at in range(1, 101)]
    rows = [plain(ANIMAL, {"number": at, "farm_id": farms[at // 20]}) for at in range(1, 2_000)]
    named = [plain(FARM, {"id": farm, "region_code": "BE", "name": "x"}) for farm in farms]
    region = plain(CATALOGUE.records["region"], {"code": "BE", "title": "Bern"})
    insert_all(transaction, {"region": [region], "farm": named, "animal": rows})
    transaction.rows("ANALYZE TABLE animal")
    asked = listing(order=order, limit=20, fields=["number"])
    after = write_cursor(asked.digest, asked.query.order, rows[1_000])
    late = listing(order=order, limit=20, fields=["number"], next=after)
    before = rows_read(transaction)
    assert len(reader.page(transaction, ANIMAL, late.query)) == 21
    assert rows_read(transaction) - before <= 30


def rows_read(tx: Counted) -> int:
    """How many rows and index entries this session has read so far."""
    counters = tx.rows("SHOW SESSION STATUS LIKE 'Handler_read%'")
    return sum(int(value) for _name, value in counters)
