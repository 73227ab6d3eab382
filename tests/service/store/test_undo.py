"""What was deleted is listed and comes back byte for byte, with what went with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import MySQLdb
import pytest

from records import Date, Integer, Record, Reference
from records.catalogue import catalogue_of
from schema.capture.columns import DIED, WRITER
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.errors import Conflict
from service.server import PrivateServer
from service.store import deletion, writer
from service.store.restoring import Restore
from tests.capture.witness import Zoo
from tests.service.store import specimens
from tests.service.store.direct import done, stored
from tests.service.store.families import CATALOGUE, INFO
from tests.service.store.removers import everything, fill, number
from tests.service.store.tools import ask, in_transaction, raw_connection, read, working
from tests.service.store.undoing import (
    CITY,
    FAMILY,
    LAND,
    OTHER,
    SHOP,
    TOWN,
    VISIT,
    delete,
    delete_by_sql,
    listed,
    refusal,
    restore,
    undoing,
)


@pytest.fixture(scope="module")
def captured(server: PrivateServer) -> Iterator[Zoo]:
    """The families' tables, captured; made once for all tests here."""
    server.create_database("undone")
    url = server.url("undone")
    create_tables(DatabaseUrl.parse(url).as_sqlalchemy(), CATALOGUE)
    yield Zoo(url, CATALOGUE)
    server.drop_database("undone")


@pytest.fixture
def families(captured: Zoo) -> str:
    """The same, empty."""
    captured.empty()
    return captured.url


def test_a_record_comes_back_as_it_was(families: str) -> None:
    """Alone: its children stay dead, and are listed still."""
    fill(families, *FAMILY)
    before = everything(families)
    delete(families, "land", LAND)
    restored = restore(families, "land", LAND)
    assert restored.rows == [
        {"id": LAND, "code": "AA", "name": "", "notes": {}, "capital_id": None}
    ]
    assert restored.children == {}
    assert everything(families) == {"land": before["land"]}
    assert {row["id"] for row in listed(families, INFO["town"])} == {TOWN, CITY}
    assert listed(families, INFO["land"]) == []


@pytest.mark.parametrize("by_sql", [False, True], ids=["deleted by a call", "deleted by SQL"])
def test_children_come_back_at_any_depth(families: str, by_sql: bool) -> None:
    """Towns, their shops and visits: all as it was, and counted by class."""
    fill(families, *FAMILY)
    before = everything(families)
    if by_sql:
        delete_by_sql(families, "town", TOWN)
    else:
        delete(families, "town", TOWN)
    assert everything(families) != before
    restored = restore(families, "town", TOWN, children=True)
    assert restored.children == {"shop": 1, "visit": 1}
    assert everything(families) == before


def test_what_was_deleted_by_itself_stays_dead(families: str) -> None:
    """A town that went earlier, a shop that came and went later: neither was taken along."""
    fill(families, *FAMILY)
    delete(families, "town", CITY)
    delete(families, "land", LAND)
    assert restore(families, "land", LAND, children=True).children == {
        "town": 1,
        "shop": 1,
        "visit": 1,
    }
    assert {row["id"] for row in listed(families, INFO["town"])} == {CITY}
    delete(families, "shop", SHOP)
    delete(families, "town", TOWN)
    assert restore(families, "town", TOWN, children=True).children == {"visit": 1}
    assert {row["id"] for row in listed(families, INFO["shop"])} == {SHOP}


def test_what_was_let_go_of_stays_let_go(families: str) -> None:
    """`set_null` was a change of the child; undoing the deletion does not undo it."""
    fill(families, *FAMILY)
    delete(families, "land", OTHER)
    restore(families, "land", OTHER, children=True)
    assert read(families, "SELECT twinned_id FROM town WHERE name = 'Bonn'") == [(None,)]


def test_references_in_a_circle_come_back(families: str) -> None:
    """A land whose capital is its own town: deletion let go of it first, the dead keep it."""
    fill(families, *FAMILY)
    in_transaction(
        families,
        CATALOGUE,
        lambda tx: writer.update(tx, INFO["land"], [((LAND,), {"capital_id": TOWN})]),
    )
    before = everything(families)
    delete(families, "land", LAND)
    assert restore(families, "land", LAND, children=True).rows[0]["capital_id"] == TOWN
    assert everything(families) == before


def test_a_tree_comes_back_with_all_branches(families: str) -> None:
    """Self references: parents first, at any depth, whatever the order of the keys."""
    keys = [number(value) for value in (9, 3, 7, 1, 8)]
    rows = [
        ("branch", {"id": key, "above_id": above, "name": str(key.int)})
        for key, above in zip(keys, [None, *keys], strict=False)
    ]
    fill(families, *rows, ("branch", {"id": number(50), "above_id": keys[1], "name": "side"}))
    before = everything(families)
    delete(families, "branch", keys[0])
    assert everything(families) == {}
    assert restore(families, "branch", keys[0], children=True).children == {"branch": 5}
    assert everything(families) == before
    delete(families, "branch", keys[2])
    restore(families, "branch", keys[2])
    assert len(everything(families)["branch"]) == 4


def test_rows_that_refer_to_each_other_come_back(families: str) -> None:
    """Two branches each above the other, and a chief and an office that need each other."""
    fill(
        families,
        ("branch", {"id": LAND, "name": "a"}),
        ("branch", {"id": OTHER, "name": "b", "above_id": LAND}),
        ("chief", {"number": 1}),
        ("office", {"number": 1, "chief_number": 1}),
    )

    def close(tx: Any) -> None:
        writer.update(tx, INFO["branch"], [((LAND,), {"above_id": OTHER})])
        writer.update(tx, INFO["chief"], [((1,), {"office_number": 1})])

    in_transaction(families, CATALOGUE, close)
    before = everything(families)
    delete(families, "branch", LAND)
    delete(families, "chief", 1)
    assert everything(families) == {}
    assert restore(families, "branch", LAND, children=True).children == {"branch": 1}
    assert restore(families, "chief", 1, children=True).children == {"office": 1}
    assert everything(families) == before


def test_all_that_is_wrong_is_told_at_once(families: str) -> None:
    """Alive, never there, a parent that is dead, a unique value that is taken: four failures."""
    fill(families, *FAMILY)
    delete(families, "town", TOWN, CITY)
    delete(families, "land", LAND)
    fill(
        families,
        ("town", {"id": number(30), "land_id": OTHER, "name": "Bonn"}),
        ("town", {"id": number(31), "land_id": OTHER, "name": "Ulm"}),
    )
    in_transaction(
        families,
        CATALOGUE,
        lambda tx: tx.execute(
            "UPDATE herdbook_dead_town SET land_id = ? WHERE id = ?", (OTHER.bytes, TOWN.bytes)
        ),
    )
    before = everything(families)
    error = refusal(families, "town", number(31), number(99), CITY, TOWN)
    assert [(each.index, each.code, each.pointer) for each in error.failures] == [
        (0, "record.alive", ""),
        (1, "record.not_found", ""),
        (2, "reference.missing", "/land_id"),
        (3, "unique.taken", "/name"),
    ]
    assert error.failures[2].message == (
        f"there is no land {LAND}; it was deleted, and land.restore brings it back"
    )
    assert f"is taken by town {number(30)}" in error.failures[3].message
    assert everything(families) == before


def test_a_failure_of_a_child_is_told_at_the_record_that_was_named(families: str) -> None:
    """A shop's name is taken meanwhile: the land does not come back, and the message names both."""
    fill(families, *FAMILY)
    delete(families, "land", LAND)
    fill(families, ("shop", {"id": number(70), "name": "books"}))
    before = everything(families)
    error = refusal(families, "land", LAND, children=True)
    ((failure,),) = (error.failures,)
    assert (failure.index, failure.code, failure.pointer) == (0, "unique.taken", "")
    assert failure.message == (
        f"shop {SHOP}, which went with it: name 'books' is taken by shop {number(70)}"
    )
    assert everything(families) == before
    assert restore(families, "land", LAND).rows[0]["id"] == LAND


def test_a_child_that_lives_again_is_told(families: str) -> None:
    """Somebody made a record with the child's key."""
    fill(families, *FAMILY)
    delete(families, "town", TOWN)
    fill(families, ("shop", {"id": SHOP, "name": "new"}))
    error = refusal(families, "town", TOWN, children=True)
    assert [each.code for each in error.failures] == ["record.alive"]
    assert f"there is a shop {SHOP} again" in error.failures[0].message


def test_two_that_cannot_both_be_are_told(families: str) -> None:
    """Two dead shops of one name, brought back in one call."""
    fill(families, ("shop", {"id": LAND, "name": "x"}))
    delete(families, "shop", LAND)
    fill(families, ("shop", {"id": OTHER, "name": "x"}))
    delete(families, "shop", OTHER)
    error = refusal(families, "shop", LAND, OTHER)
    assert {each.code for each in error.failures} == {"unique.taken"}
    assert "which is to come back too" in error.failures[0].message


def test_a_parent_and_its_child_come_back_in_one_call(families: str) -> None:
    """Named together, in any order, although each went by itself."""
    fill(families, ("branch", {"id": OTHER, "name": "a"}))
    fill(families, ("branch", {"id": LAND, "name": "b", "above_id": OTHER}))
    before = everything(families)
    delete(families, "branch", LAND)
    delete(families, "branch", OTHER)
    restore(families, "branch", LAND, OTHER)
    assert everything(families) == before


def test_another_spelling_is_not_what_was_deleted(families: str) -> None:
    """'red' was deleted: 'RED' is not kept; the sticker's own spelling comes back."""
    fill(families, ("mark", {"word": "red", "label": "x"}))
    delete(families, "mark", "red")
    error = refusal(families, "mark", "RED")
    assert [each.code for each in error.failures] == ["record.not_found"]
    assert restore(families, "mark", "red").rows == [{"word": "red", "label": "x"}]


def test_a_key_that_is_in_use_again_is_not_listed(families: str) -> None:
    """Also while the birth is not sealed yet, and the dead row is there still."""
    fill(families, ("shop", {"id": SHOP, "name": "a"}))
    delete(families, "shop", SHOP)
    assert [row["id"] for row in listed(families, INFO["shop"])] == [SHOP]
    fill(families, ("shop", {"id": SHOP, "name": "b"}))
    assert listed(families, INFO["shop"]) == []


def test_the_dead_are_listed_last_first_page_by_page(families: str) -> None:
    """Each once, in the order of death; those of one moment by their key; with who did it."""
    fill(families, *(("shop", {"id": number(at), "name": str(at)}) for at in range(1, 8)))
    for group in ((3,), (1, 6, 2), (7,), (4, 5)):
        delete(families, "shop", *map(number, group))
    pages, after = [], None
    while page := listed(families, INFO["shop"], limit=2, after=after):
        pages += page
        after = (page[-1][DIED], page[-1]["id"])
    assert [row["id"].int for row in pages] == [5, 4, 7, 6, 2, 1, 3]
    assert {row[WRITER] for row in pages} == {"sql:root@localhost"}


def test_every_value_of_every_type_comes_back(database: str) -> None:
    """Byte for byte, floats and documents too."""
    record, rows = specimens.SPECIMEN, specimens.extreme_rows()
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), specimens.CATALOGUE)
    in_transaction(database, specimens.CATALOGUE, lambda tx: writer.insert(tx, record, rows))
    exact = ", ".join(
        f"HEX(CAST(`{field.column}` AS BINARY)), CAST(`{field.column}` AS CHAR)"
        for field in record.fields.values()
    )
    before = sorted(read(database, f"SELECT {exact} FROM specimen"), key=repr)
    keys = [(row["number"],) for row in rows]
    with raw_connection(database) as connection:
        ask(connection, "DELETE FROM specimen")
    with undoing(database, specimens.CATALOGUE) as undo:
        restored = done(undo.restore(record, keys, False, ()))
    assert [row["number"] for row in restored.rows] == [key[0] for key in keys]
    assert sorted(read(database, f"SELECT {exact} FROM specimen"), key=repr) == before


class Field(Record):
    """A parent."""

    number = Integer(primary=True, bits=32)


class Harvest(Record):
    """A child with a day."""

    number = Integer(primary=True, bits=32)
    field = Reference(Field, on_delete="cascade")
    day = Date(allow_none=True)


def test_what_only_a_lax_session_could_write_comes_back(database: str) -> None:
    """A child with a day that is none does not keep its parent dead."""
    catalogue = catalogue_of([Harvest])
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), catalogue)
    with raw_connection(database) as connection:
        ask(connection, "SET sql_mode = 'ALLOW_INVALID_DATES'")
        ask(connection, "INSERT INTO field VALUES (1)")
        ask(connection, "INSERT INTO harvest VALUES (1, 1, '0000-00-00'), (2, 1, '2026-02-31')")
        before = ask(connection, "SELECT number, field_number, day + 0 FROM harvest")
        ask(connection, "DELETE FROM field")
        with undoing(database, catalogue) as undo:
            back = done(undo.restore(catalogue.records["field"], [(1,)], True, ()))
        assert back.children == {"harvest": 2}
        assert ask(connection, "SELECT number, field_number, day + 0 FROM harvest") == before


def test_a_restored_record_is_written_like_any_other(families: str) -> None:
    """It is in the changelog as a birth, and so are its children, parents first."""
    fill(families, *FAMILY)
    delete(families, "town", TOWN)
    ((last,),) = read(families, "SELECT MAX(entry) FROM herdbook_inbox")
    restore(families, "town", TOWN, children=True)
    noted = read(
        families,
        "SELECT kind, table_name FROM herdbook_inbox WHERE entry > %s ORDER BY entry",
        (last,),
    )
    assert noted == [("insert", "town"), ("insert", "shop"), ("insert", "visit")]


def test_each_deletion_has_a_moment_of_its_own(families: str) -> None:
    """One connection deletes twice, and fails in between: no moment is left over."""
    fill(families, *FAMILY, ("order", {"number": 1, "shop_id": SHOP}))
    with stored(families, CATALOGUE) as records:
        with pytest.raises(Conflict):
            done(records.delete(INFO["land"], [(LAND,)], ()))
        done(records.delete(INFO["order"], [(1,)], ()))
        done(records.delete(INFO["visit"], [(VISIT,)], ()))
        done(records.delete(INFO["land"], [(LAND,)], ()))
    moments = {
        table: {
            row[0] for row in read(families, f"SELECT herdbook_died FROM herdbook_dead_{table}")
        }
        for table in ("order", "visit", "land", "town", "shop")
    }
    assert moments["land"] == moments["town"] == moments["shop"]
    assert all(len(found) == 1 for found in moments.values())
    assert len(moments["order"] | moments["visit"] | moments["land"]) == 3


def test_a_session_is_as_it_was_after_what_failed(families: str) -> None:
    """A deletion and a return that break off midway leave nothing behind for the next call."""
    fill(families, *FAMILY, ("order", {"number": 1, "shop_id": SHOP}))
    with working(families, CATALOGUE) as worker:
        question = "SELECT @herdbook_moment, @@SESSION.sql_mode"
        ((_moment, usual),) = worker.run(lambda tx: tx.rows(question))
        plan = deletion.Plan({"shop": {(SHOP,): (SHOP,)}})
        with pytest.raises(MySQLdb.IntegrityError):
            worker.run(lambda tx: deletion.carry_out(tx, plan))
        assert worker.run(lambda tx: tx.rows(question)) == [(None, usual)]
        delete(families, "visit", VISIT)
        fill(families, ("visit", {"id": VISIT, "town_id": TOWN}))
        with pytest.raises(MySQLdb.IntegrityError):
            worker.run(Restore(INFO["visit"], [(VISIT,)], False).attempt)
        assert worker.run(lambda tx: tx.rows(question)) == [(None, usual)]
