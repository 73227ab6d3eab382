"""Updates, upserts, and children that come and go: all or nothing, and every reason at once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from records.errors import Failure
from records.validation import Parsed, Row
from service.errors import Conflict, NotFound, Refused, ValuesRefused
from service.methods.ports import Change, Child, Existing, New
from service.store.operations import Create
from tests.service.store.direct import done, stored
from tests.service.store.families import CATALOGUE, INFO
from tests.service.store.tools import carry_out, full_row, read

SEAT, LAND, TOWN, SHOP = INFO["seat"], INFO["land"], INFO["town"], INFO["shop"]


def number(value: int) -> uuid.UUID:
    """A UUID that is easy to tell."""
    return uuid.UUID(int=value)


@pytest.fixture
def seats(families: str) -> str:
    """The URL of a database with five seats."""
    rows = [full_row(SEAT, number=at, line="a", place=at, holder=f"h{at}") for at in range(1, 6)]
    carry_out(families, CATALOGUE, Create(SEAT, rows))
    return families


@pytest.fixture
def towns(families: str) -> str:
    """The URL of a database with two towns and three shops, two of them in the first town."""
    carry_out(families, CATALOGUE, Create(LAND, [full_row(LAND, id=number(1), code="AA")]))
    rows = [full_row(TOWN, id=number(at), land_id=number(1), name=str(at)) for at in (10, 11)]
    carry_out(families, CATALOGUE, Create(TOWN, rows))
    rows = [
        full_row(SHOP, id=number(at), town_id=number(town), name=str(at))
        for at, town in ((20, 10), (21, 10), (22, 11))
    ]
    carry_out(families, CATALOGUE, Create(SHOP, rows))
    return families


def seats_now(url: str) -> list[Any]:
    """All seats."""
    return read(url, "SELECT number, line, place, holder FROM seat ORDER BY number")


def update(url: str, *changes: tuple[int | None, Row], known: Any = ()) -> list[Row]:
    """Update seats in one call."""
    sent = [Change(None if at is None else (at,), values) for at, values in changes]
    with stored(url, CATALOGUE) as records:
        return done(records.update(SEAT, sent, known))


def upsert(url: str, *values: Row) -> list[Row]:
    """Upsert seats in one call."""
    with stored(url, CATALOGUE) as records:
        return done(records.upsert(SEAT, [Parsed(dict(one)) for one in values], ()))


def places(caught: pytest.ExceptionInfo[Refused]) -> list[tuple[int | None, str, str]]:
    """The failures without their messages."""
    return [(one.index, one.code, one.pointer) for one in caught.value.failures]


def shop_towns(url: str) -> dict[int, int | None]:
    """Which town each shop is in."""
    rows = read(url, "SELECT id, town_id FROM shop ORDER BY id")
    return {
        int.from_bytes(shop, "big"): None if town is None else int.from_bytes(town, "big")
        for shop, town in rows
    }


def test_an_update_writes_only_what_was_sent_and_returns_the_whole(seats: str) -> None:
    """Different fields in different records, in one call, answered in order."""
    rows = update(seats, (3, {"holder": "new"}), (1, {"line": None, "place": 9}), (2, {}))
    assert [(row["number"], row["line"], row["place"], row["holder"]) for row in rows] == [
        (3, "a", 3, "new"),
        (1, None, 9, "h1"),
        (2, "a", 2, "h2"),
    ]
    assert seats_now(seats)[:3] == [(1, None, 9, "h1"), (2, "a", 2, "h2"), (3, "a", 3, "new")]


def test_an_update_reports_missing_records_and_clashes_together(seats: str) -> None:
    """Two records are not there, one wants a holder who is taken: three failures, no write."""
    before = seats_now(seats)
    with pytest.raises(NotFound) as caught:
        update(seats, (8, {"place": 1}), (1, {"holder": "h2"}), (9, {}), (3, {"place": 77}))
    assert places(caught) == [
        (0, "record.not_found", ""),
        (1, "unique.taken", "/holder"),
        (2, "record.not_found", ""),
    ]
    assert seats_now(seats) == before


def test_an_update_adds_what_was_known_before(seats: str) -> None:
    """A refused key, a refused value and a clash in one answer."""
    known = [
        Failure("value.wrong_type", "no number", "", 0),
        Failure("value.out_of_range", "too far", "/place", 1),
    ]
    with pytest.raises(ValuesRefused) as caught:
        update(seats, (None, {}), (1, {"holder": "h2"}), (9, {"place": 3}), known=known)
    assert places(caught) == [
        (0, "value.wrong_type", ""),
        (1, "value.out_of_range", "/place"),
        (1, "unique.taken", "/holder"),
        (2, "record.not_found", ""),
    ]


@pytest.mark.parametrize("shift", [[1, 2, 3], [3, 2, 1]])
def test_a_value_that_is_given_up_may_be_taken_in_the_same_call(
    seats: str, shift: list[int]
) -> None:
    """In the order of the call: a record may take what one before it has given up."""
    changes = [(5, {"holder": "h9"}), (4, {"holder": "h5"}), (3, {"holder": "h4"})]
    update(seats, *changes)
    assert [row[3] for row in seats_now(seats)] == ["h1", "h2", "h4", "h5", "h9"]
    backwards = [(at, {"place": at + 10}) for at in shift]
    update(seats, *backwards)
    assert [row[2] for row in seats_now(seats)][:3] == [11, 12, 13]


def test_a_swap_of_unique_values_is_refused_with_both_places(seats: str) -> None:
    """Neither could be written first; nothing is written and both are told who is in the way."""
    before = seats_now(seats)
    with pytest.raises(Conflict) as caught:
        update(seats, (1, {"holder": "h2"}), (2, {"holder": "h1"}))
    assert places(caught) == [(0, "unique.taken", "/holder"), (1, "unique.taken", "/holder")]
    assert "is taken by seat 2" in caught.value.failures[0].message
    assert seats_now(seats) == before


def test_a_unique_value_may_be_written_again_over_itself(seats: str) -> None:
    """A record is not in its own way."""
    update(seats, (1, {"holder": "h1"}), (2, {"holder": "h2", "place": 2}))
    assert seats_now(seats)[0] == (1, "a", 1, "h1")


def test_hundreds_of_updates_of_mixed_fields_are_one_call(families: str) -> None:
    """More rows than fit a statement, with fields that alternate."""
    rows = [full_row(SEAT, number=at, line=str(at % 7), place=at) for at in range(1_200)]
    carry_out(families, CATALOGUE, Create(SEAT, rows))
    changes: list[tuple[int | None, Row]] = [
        (at, {"holder": f"p{at}"} if at % 3 else {"place": 5_000 + at}) for at in range(1_200)
    ]
    update(families, *changes)
    assert read(families, "SELECT COUNT(*) FROM seat WHERE holder = CONCAT('p', number)") == [
        (800,)
    ]
    assert read(families, "SELECT COUNT(*) FROM seat WHERE place = 5000 + number") == [(400,)]


def test_an_upsert_creates_what_is_not_there_and_changes_what_is(seats: str) -> None:
    """Both in one call, answered in order, defaults and all."""
    rows = upsert(
        seats,
        {"number": 9, "line": "b", "place": 1, "holder": None},
        {"number": 2, "holder": "new"},
        {"number": 3},
    )
    assert [(row["number"], row["line"], row["place"], row["holder"]) for row in rows] == [
        (9, "b", 1, None),
        (2, "a", 2, "new"),
        (3, "a", 3, "h3"),
    ]
    assert (2, "a", 2, "new") in seats_now(seats)
    assert (9, "b", 1, None) in seats_now(seats)


def test_an_upsert_may_pass_a_unique_value_on(seats: str) -> None:
    """One record gives it up, a new one takes it, in the order of the call."""
    upsert(seats, {"number": 1, "holder": None}, {"number": 9, "holder": "h1", "line": "z"})
    assert seats_now(seats)[-1] == (9, "z", None, "h1")


def test_an_upsert_without_a_key_is_a_new_record_with_the_keys_default(families: str) -> None:
    """Its id is made up, and what must be given is asked for."""
    with stored(families, CATALOGUE) as records:
        (row,) = done(records.upsert(LAND, [Parsed({"code": "AA"})], ()))
        assert row["id"].version == 7
        with pytest.raises(ValuesRefused) as caught:
            done(records.upsert(LAND, [Parsed({"id": row["id"]}), Parsed({"name": "x"})], ()))
    assert places(caught) == [(1, "value.required", "/code")]


def test_an_upsert_in_another_spelling_of_a_key_clashes(families: str) -> None:
    """The key is not the same to the letter, but the server takes it for the same."""
    mark = INFO["mark"]
    carry_out(families, CATALOGUE, Create(mark, [full_row(mark, word="red", label="x")]))
    with stored(families, CATALOGUE) as records, pytest.raises(Conflict) as caught:
        done(records.upsert(mark, [Parsed({"word": "RED", "label": "y"})], ()))
    assert places(caught) == [(0, "unique.taken", "/word")]


def test_children_are_added_new_and_existing_together(towns: str) -> None:
    """A shop moves here, one is here already, one is new: all are answered, in order."""
    shops = TOWN.collections["shops"]
    new = full_row(SHOP, id=number(30), town_id=number(10), name="new")
    with stored(towns, CATALOGUE) as records:
        children: list[Child] = [Existing((number(22),)), New(new), Existing((number(20),))]
        rows = done(records.add(TOWN, shops, (number(10),), children, ()))
    assert [row["name"] for row in rows] == ["22", "new", "20"]
    assert {row["town_id"] for row in rows} == {number(10)}
    assert shop_towns(towns) == {20: 10, 21: 10, 22: 10, 30: 10}


def test_adding_reports_missing_parent_children_and_clashes(towns: str) -> None:
    """The parent's failure has no index; a child's has its place."""
    shops, before = TOWN.collections["shops"], shop_towns(towns)
    new = full_row(SHOP, town_id=number(10), name="20")
    children: list[Child] = [Existing((number(99),)), New(new), Existing((number(22),))]
    with stored(towns, CATALOGUE) as records:
        with pytest.raises(NotFound) as caught:
            done(records.add(TOWN, shops, (number(10),), children, ()))
        assert places(caught) == [(0, "record.not_found", ""), (1, "unique.taken", "/name")]
        with pytest.raises(NotFound) as caught:
            done(records.add(TOWN, shops, (number(77),), children[2:], ()))
    assert places(caught) == [(None, "record.not_found", "")]
    assert shop_towns(towns) == before


def test_children_are_removed_or_deleted(towns: str) -> None:
    """Letting go leaves them without a parent; deleting takes them away. Twice counts once."""
    shops = TOWN.collections["shops"]
    with stored(towns, CATALOGUE) as records:
        keys = [(number(20),), (number(20),)]
        assert done(records.remove(TOWN, shops, (number(10),), keys, False, ())) == 1
        assert shop_towns(towns) == {20: None, 21: 10, 22: 11}
        assert done(records.remove(TOWN, shops, (number(10),), [(number(21),)], True, ())) == 1
    assert shop_towns(towns) == {20: None, 22: 11}


def test_removing_what_is_no_child_is_refused(towns: str) -> None:
    """A child of another parent, a missing one, and a missing parent; nothing is let go of."""
    shops, before = TOWN.collections["shops"], shop_towns(towns)
    with stored(towns, CATALOGUE) as records:
        keys = [(number(20),), (number(22),), (number(99),)]
        with pytest.raises(NotFound) as caught:
            done(records.remove(TOWN, shops, (number(10),), keys, False, ()))
        assert places(caught) == [(1, "record.not_found", ""), (2, "record.not_found", "")]
        with pytest.raises(NotFound) as caught:
            done(records.remove(TOWN, shops, (number(77),), [(number(20),)], False, ()))
    assert places(caught)[0] == (None, "record.not_found", "")
    assert shop_towns(towns) == before


def test_children_that_are_held_are_not_deleted(towns: str) -> None:
    """An order holds one shop: by key the failure has its place, when clearing it has none."""
    order = INFO["order"]
    carry_out(towns, CATALOGUE, Create(order, [full_row(order, number=1, shop_id=number(21))]))
    shops, before = TOWN.collections["shops"], shop_towns(towns)
    with stored(towns, CATALOGUE) as records:
        keys = [(number(20),), (number(21),)]
        with pytest.raises(Conflict) as caught:
            done(records.remove(TOWN, shops, (number(10),), keys, True, ()))
        assert places(caught) == [(1, "reference.restricted", "")]
        with pytest.raises(Conflict) as caught:
            done(records.clear(TOWN, shops, (number(10),), True))
    assert places(caught) == [(None, "reference.restricted", "")]
    assert f"still refers to shop {number(21)}" in caught.value.failures[0].message
    assert shop_towns(towns) == before


@pytest.mark.parametrize(
    ("delete", "left"), [(False, {20: None, 21: None, 22: 11}), (True, {22: 11})]
)
def test_all_children_are_cleared(towns: str, delete: bool, left: dict[int, int | None]) -> None:
    """Those of this parent only; a second time there are none."""
    shops = TOWN.collections["shops"]
    with stored(towns, CATALOGUE) as records:
        assert done(records.clear(TOWN, shops, (number(10),), delete)) == 2
        assert done(records.clear(TOWN, shops, (number(10),), delete)) == 0
        with pytest.raises(NotFound):
            done(records.clear(TOWN, shops, (number(77),), delete))
    assert shop_towns(towns) == left


def test_a_child_that_spells_its_parent_in_another_way_can_be_removed(families: str) -> None:
    """The server says whose child it is."""
    mark, sticker = INFO["mark"], INFO["sticker"]
    carry_out(families, CATALOGUE, Create(mark, [full_row(mark, word="Red", label="x")]))
    rows = [full_row(sticker, number=at, mark_word=word) for at, word in ((1, "RED"), (2, "red"))]
    carry_out(families, CATALOGUE, Create(sticker, rows))
    stickers = mark.collections["stickers"]
    with stored(families, CATALOGUE) as records:
        assert done(records.remove(mark, stickers, ("Red",), [(1,)], False, ())) == 1
        with pytest.raises(NotFound):
            done(records.clear(mark, stickers, ("RED",), False))
        assert done(records.clear(mark, stickers, ("Red",), False)) == 1
    assert read(families, "SELECT mark_word FROM sticker") == [(None,), (None,)]


def test_empty_calls_do_nothing(families: str) -> None:
    """No records, no statement that could fail."""
    with stored(families, CATALOGUE) as records:
        done(records.create(SEAT, [], ()))
        assert done(records.update(SEAT, [], ())) == []
        assert done(records.upsert(SEAT, [], ())) == []
        assert done(records.delete(SEAT, [], ())) == 0


def test_half_of_a_reference_is_refused_in_a_row_that_is_there(families: str) -> None:
    """Where only one field of a parent's key would be left, the change is refused, not guessed."""
    tag, use, receipt = INFO["tag"], INFO["use"], INFO["receipt"]
    for record, row in (
        (tag, {"word": "oak"}),
        (use, {"tag_word": "oak", "number": 7}),
        (receipt, {"number": 1, "use_tag_word": "oak", "use_number": 7}),
    ):
        carry_out(families, CATALOGUE, Create(record, [full_row(record, **row)]))
    half: Row = {"use_number": None}
    with stored(families, CATALOGUE) as records:
        for attempt in (
            records.update(receipt, [Change((1,), half)], ()),
            records.upsert(receipt, [Parsed({"number": 1} | half)], ()),
        ):
            with pytest.raises(ValuesRefused) as refused:
                done(attempt)
            (failure,) = refused.value.failures
            assert (failure.code, failure.pointer, failure.index) == (
                "reference.incomplete",
                "/use_number",
                0,
            )
        whole = {"use_tag_word": None, "use_number": None}
        done(records.update(receipt, [Change((1,), whole)], ()))
    assert read(families, "SELECT use_tag_word, use_number FROM receipt") == [(None, None)]
