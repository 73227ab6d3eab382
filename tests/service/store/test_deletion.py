"""Deleting parents: each child stays, is let go of or goes too, as its reference says."""

from __future__ import annotations

import threading
import uuid

import MySQLdb
import pytest

from service.errors import Conflict, NotFound
from service.store import deletion, writer
from service.store.removal import Delete
from service.store.transaction import Transaction
from tests.service.store.direct import done, stored
from tests.service.store.families import CATALOGUE, INFO
from tests.service.store.removers import (
    EVERY_WAY,
    Remover,
    by_object,
    counts,
    everything,
    fill,
    number,
)
from tests.service.store.tools import (
    ask,
    full_row,
    in_transaction,
    keys_of,
    opened,
    raw_connection,
    read,
)

LOCK_WAIT_TIMEOUT = 1205

LAND, OTHER, TOWN, SHOP, VISIT = map(number, range(1, 6))
SMALL_FAMILY = (
    ("land", {"id": LAND, "code": "AA"}),
    ("land", {"id": OTHER, "code": "BB"}),
    ("town", {"id": TOWN, "land_id": LAND, "name": "Bonn"}),
    ("shop", {"id": SHOP, "town_id": TOWN, "name": "books"}),
)


@EVERY_WAY
def test_a_cascade_takes_children_and_grandchildren(families: str, remove: Remover) -> None:
    """Land, town and shop: the land goes, and all below it at any depth; the others stay."""
    fill(
        families,
        *SMALL_FAMILY,
        ("town", {"id": number(9), "land_id": OTHER, "name": "Wien"}),
        ("visit", {"id": VISIT, "town_id": TOWN}),
    )
    remove(families, "land", (LAND,))
    assert counts(families) == {"land": 1, "town": 1}
    assert keys_of(families, "town") == {number(9).bytes}


@EVERY_WAY
def test_set_null_lets_the_child_stay(families: str, remove: Remover) -> None:
    """The twin town loses its twin, and nothing else of it changes."""
    fill(families, *SMALL_FAMILY)
    in_transaction(
        families,
        CATALOGUE,
        lambda tx: writer.update(tx, INFO["town"], [((TOWN,), {"twinned_id": OTHER})]),
    )
    remove(families, "land", (OTHER,))
    assert read(families, "SELECT land_id, twinned_id, name FROM town") == [
        (LAND.bytes, None, "Bonn")
    ]


@EVERY_WAY
def test_a_restricting_child_deep_below_keeps_everything(families: str, remove: Remover) -> None:
    """An order holds the shop, so the land two levels above stays with all below it."""
    fill(families, *SMALL_FAMILY, ("order", {"number": 7, "shop_id": SHOP}))
    before = everything(families)
    with pytest.raises(Conflict) as caught:
        remove(families, "land", (LAND,))
    (failure,) = caught.value.failures
    assert (failure.code, failure.index) == ("reference.restricted", 0)
    assert failure.message == (
        f"1 order still refers to land {LAND}, or to what would be deleted with it: 7; "
        "delete or move that first"
    )
    assert everything(families) == before


def test_each_named_record_is_told_what_holds_it(families: str) -> None:
    """Of three records two are held and one is missing: three failures, and nothing is deleted."""
    fill(
        families,
        *SMALL_FAMILY,
        ("town", {"id": number(20), "land_id": OTHER, "name": "Wien"}),
        ("shop", {"id": number(21), "town_id": number(20), "name": "bread"}),
        *(("order", {"number": count, "shop_id": SHOP}) for count in range(1, 6)),
        ("order", {"number": 9, "shop_id": number(21)}),
        ("land", {"id": number(30), "code": "CC"}),
    )
    before = everything(families)
    keys = [(OTHER,), (number(99),), (LAND,), (number(30),), (OTHER,)]
    with stored(families, CATALOGUE) as records, pytest.raises(NotFound) as caught:
        done(records.delete(INFO["land"], keys, ()))
    found = [(failure.index, failure.code) for failure in caught.value.failures]
    assert found == [
        (0, "reference.restricted"),
        (1, "record.not_found"),
        (2, "reference.restricted"),
        (4, "reference.restricted"),
    ]
    assert "5 order still refer to land" in caught.value.failures[2].message
    assert "1, 2, 3, …" in caught.value.failures[2].message
    assert everything(families) == before


def test_the_same_record_named_twice_is_deleted_once(families: str) -> None:
    """And counted once."""
    fill(families, *SMALL_FAMILY)
    with stored(families, CATALOGUE) as records:
        assert done(records.delete(INFO["land"], [(LAND,), (OTHER,), (LAND,)], ())) == 2
    assert everything(families) == {}


@EVERY_WAY
def test_a_child_that_goes_by_another_path_does_not_hold(families: str, remove: Remover) -> None:
    """A visit refers to the shop by set_null and to the town by cascade: it goes."""
    fill(families, *SMALL_FAMILY, ("visit", {"id": VISIT, "town_id": TOWN, "shop_id": SHOP}))
    remove(families, "town", (TOWN,))
    assert counts(families) == {"land": 2}


@EVERY_WAY
def test_only_one_side_of_a_diamond_goes(families: str, remove: Remover) -> None:
    """The shop goes, the visit stays and has no shop any more."""
    fill(families, *SMALL_FAMILY, ("visit", {"id": VISIT, "town_id": TOWN, "shop_id": SHOP}))
    remove(families, "shop", (SHOP,))
    assert counts(families) == {"land": 2, "town": 1, "visit": 1}
    assert read(families, "SELECT shop_id FROM visit") == [(None,)]


@EVERY_WAY
def test_a_restricting_reference_from_within_the_family_does_not_hold(
    families: str, remove: Remover
) -> None:
    """A land whose capital is its own town: both go, although the reference restricts."""
    fill(families, *SMALL_FAMILY)
    in_transaction(
        families,
        CATALOGUE,
        lambda tx: writer.update(tx, INFO["land"], [((LAND,), {"capital_id": TOWN})]),
    )
    remove(families, "land", (LAND,))
    assert counts(families) == {"land": 1}


def test_a_restricting_reference_from_outside_holds(families: str) -> None:
    """The capital of another land cannot go with its own land."""
    fill(families, *SMALL_FAMILY)
    in_transaction(
        families,
        CATALOGUE,
        lambda tx: writer.update(tx, INFO["land"], [((OTHER,), {"capital_id": TOWN})]),
    )
    with stored(families, CATALOGUE) as records:
        with pytest.raises(Conflict, match=f"1 land still refers to land {LAND}"):
            done(records.delete(INFO["land"], [(LAND,)], ()))
        assert done(records.delete(INFO["land"], [(LAND,), (OTHER,)], ())) == 2
    assert everything(families) == {}


@EVERY_WAY
def test_children_that_spell_the_key_in_another_way_are_children(
    families: str, remove: Remover
) -> None:
    """The server takes 'red ' for 'red', and 'RED' where size does not count: so does deletion."""
    fill(
        families,
        ("tag", {"word": "red"}),
        ("use", {"tag_word": "red ", "number": 1}),
        ("use", {"tag_word": "red", "number": 2}),
        ("mark", {"word": "Good", "label": "x"}),
        ("sticker", {"number": 1, "mark_word": "GOOD"}),
    )
    remove(families, "tag", ("red",))
    remove(families, "mark", ("Good",))
    assert everything(families) == {"sticker": [(1, None)]}


def test_a_record_in_another_spelling_is_another_record(families: str) -> None:
    """`get` finds 'red' only as 'red', so `delete` does not find it as 'RED' or 'red '."""
    fill(families, ("mark", {"word": "red", "label": "x"}))
    with stored(families, CATALOGUE) as records:
        for word in ("RED", "red "):
            with pytest.raises(NotFound, match=f"there is no mark {word}"):
                done(records.delete(INFO["mark"], [(word,)], ()))
    assert counts(families) == {"mark": 1}


def test_a_family_of_thousands_goes_in_one_call(families: str) -> None:
    """More children than fit one statement, of more parents than fit one statement."""
    lands = [full_row(INFO["land"], id=number(at), code=f"{at:x}"[-2:]) for at in range(1, 200)]
    towns = [
        full_row(INFO["town"], id=number(1_000 + at), land_id=number(1 + at % 150), name=str(at))
        for at in range(1_300)
    ]
    shops = [
        full_row(INFO["shop"], id=number(9_000 + at), town_id=number(1_000 + at), name=str(at))
        for at in range(1_300)
    ]

    def write(tx: Transaction) -> None:
        for name, rows in (("land", lands), ("town", towns), ("shop", shops)):
            writer.insert(tx, INFO[name], rows)

    in_transaction(families, CATALOGUE, write)
    with stored(families, CATALOGUE) as records:
        keys = [(row["id"],) for row in lands[:150]]
        assert done(records.delete(INFO["land"], keys, ())) == 150
    assert counts(families) == {"land": 49}


def test_nothing_is_left_of_a_deletion_that_is_rolled_back(families: str) -> None:
    """Storm's rollback brings back the record and its children."""
    fill(families, *SMALL_FAMILY)
    before = everything(families)
    with opened(families, CATALOGUE) as store:
        store.remove(store.get(INFO["land"].cls, LAND))
        store.flush()
        assert store.find(INFO["town"].cls).count() == 0
        store.rollback()
    assert everything(families) == before


@EVERY_WAY
def test_a_child_that_arrives_meanwhile_waits_and_finds_no_parent(
    families: str, remove: Remover
) -> None:
    """While a deletion is under way nobody can slip a child below what it deletes."""
    fill(families, *SMALL_FAMILY)
    waiting = threading.Event()
    refused: list[str] = []

    def add_a_shop() -> None:
        with raw_connection(families) as other:
            ask(other, "SET SESSION innodb_lock_wait_timeout = 20")
            waiting.set()
            try:
                ask(
                    other,
                    "INSERT INTO shop (id, town_id, name) VALUES (%s, %s, 'late')",
                    (number(77).bytes, TOWN.bytes),
                )
            except Exception as error:
                refused.append(str(error))

    late = threading.Thread(target=add_a_shop)
    with opened(families, CATALOGUE) as store:
        if remove is by_object:
            store.remove(store.get(INFO["land"].cls, LAND))
        else:
            tx = Transaction(store, CATALOGUE)
            Delete(INFO["land"], [(LAND,)]).attempt(tx)
        late.start()
        assert waiting.wait(20)
        store.commit()
    late.join(30)
    assert len(refused) == 1
    assert "foreign key constraint fails" in refused[0]
    assert counts(families) == {"land": 1}


@EVERY_WAY
@pytest.mark.parametrize(
    "insert",
    [
        ("INSERT INTO town (id, land_id, name) VALUES (%s, %s, 'late')", LAND),
        ("INSERT INTO shop (id, town_id, name) VALUES (%s, %s, 'late')", TOWN),
    ],
    ids=["of the record itself", "of what goes with it"],
)
def test_no_child_can_arrive_between_the_look_and_the_deletion(
    families: str, remove: Remover, insert: tuple[str, uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as it is decided what goes, all of that is locked against new children."""
    fill(families, *SMALL_FAMILY)
    carry_out, refused = deletion.carry_out, []

    def carry_out_late(tx: Transaction, plan: deletion.Plan) -> None:
        statement, parent = insert
        with raw_connection(families) as other:
            ask(other, "SET SESSION innodb_lock_wait_timeout = 1")
            with pytest.raises(MySQLdb.OperationalError) as caught:
                ask(other, statement, (number(77).bytes, parent.bytes))
        refused.append(caught.value.args[0])
        carry_out(tx, plan)

    monkeypatch.setattr(deletion, "carry_out", carry_out_late)
    remove(families, "land", (LAND,))
    assert refused == [LOCK_WAIT_TIMEOUT]
    assert counts(families) == {"land": 1}
